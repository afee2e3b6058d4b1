"""Train with one thing changed, as a study in params.yaml says, and score on the test sentences.

    python experiments/study.py --corpus mit_movie_eng --study warmup

Puts the study's rows into results/<corpus>/studies.csv, in place of older ones of the same study. A study that is
killed goes on with the run, and the epoch, that it was in.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_json, read_labels, read_part
from harness.params import read_params
from harness.paths import DATA, RESULTS
from harness.run_main import arguments, run_main
from harness.systems import SYSTEMS, build

import pandas as pd

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.catalog import corpus_named
from bert_ner.encoder.checkpoint import fingerprint
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import score
from bert_ner.tagger import Tagger
from train import state_file

DEFAULT_SEEDS = [13]
# The lists that a study may have beside its systems' settings.
LISTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "seeds": (lambda seed: type(seed) is int, "whole numbers"),
    "fractions": (lambda share: type(share) in (int, float) and 0 < share <= 1, "numbers above 0 and up to 1"),
    "per_type": (lambda n: type(n) is int and n > 0, "whole numbers of at least 1"),
}
COLUMNS = [
    "study", "variant", "system", "encoder", "seed", "fraction", "per_type", "sentences", "epoch", "train_loss",
    "validation_loss", "validation_entity_f1", "test_token_micro_f1", "test_entity_f1", "seconds",
    "signature",
]  # fmt: skip


class Trial(NamedTuple):
    """One training of a study: a system, its whole settings, and what it sees of the training part.

    That is a share of the sentences (`fraction`) or, where that is None, so many of each entity type (`per_type`);
    then it validates on so many, too.
    """

    study: str
    variant: str
    system: str
    seed: int
    fraction: float | None
    per_type: int | None
    settings: dict[str, Any]


def main() -> None:
    options = arguments(__doc__, study={"required": True, "help": "a name under 'studies' in params.yaml"})
    corpus, params = options.corpus, read_params()
    trials = [trial for trial in trials_of(options.study, params) if can_be_had(trial)]
    if not trials:
        raise BertNerError(f"studies.{options.study}: no weights of its encoders; 'bert-ner encoders' says why")
    labels = read_labels(corpus)
    parts = {part: read_part(corpus, part) for part in ("train", "validation", "test")}
    data = sha256_of(DATA / "raw" / corpus / corpus_named(corpus).test.name)[:8]
    state = state_file(corpus, f"study-{options.study}")
    # All of them before the first trains, so that a mistake in the last one shows at once.
    taggers = [build_trial(trial, labels, state) for trial in trials]

    notes = DATA / "unfinished" / corpus / f"study-{options.study}.json"
    finished = read_json(notes) if notes.is_file() else {}
    rows: list[dict[str, Any]] = []
    for trial, tagger in zip(trials, taggers, strict=True):
        train, validation = seen_by(trial, parts["train"], parts["validation"])
        code = sha256_of(str(sys.modules[type(tagger).__module__].__file__))
        key = fingerprint(trial, code, train, validation, parts["test"])
        if key not in finished:
            finished[key] = run_trial(
                trial, tagger, train, validation, parts["test"], split="test", corpus=corpus, data=data
            )
            write_whole(notes, json.dumps(finished))
            state.unlink(missing_ok=True)
        rows += finished[key]
    table = RESULTS / corpus / "studies.csv"
    write_whole(table, merged(table, rows, list(params["studies"])))
    notes.unlink(missing_ok=True)
    shown = ["variant", "system", "seed", "sentences", "test_token_micro_f1", "test_entity_f1"]
    print(pd.DataFrame([row for row in rows if "test_entity_f1" in row])[shown].to_string(index=False))


def trials_of(study: str, params: dict[str, Any]) -> list[Trial]:
    """The trainings of a study: each of its systems, with each seed, on each part of the training sentences.

    Raises:
        BertNerError: params.yaml has no such study, or not as it has to be.
    """
    studies = params.get("studies")
    if not isinstance(studies, dict) or study not in studies:
        there = f"; there are {', '.join(studies)}" if isinstance(studies, dict) else ""
        raise BertNerError(f"params.yaml has no study '{study}' under 'studies'{there}")
    content = studies[study]
    if not isinstance(content, dict):
        raise BertNerError(f"params.yaml, studies.{study} must be settings by system, not {content!r}")
    systems = {name: changes or {} for name, changes in content.items() if name not in LISTS}
    for name, (is_valid, wanted) in LISTS.items():
        values = content.get(name, [1])
        if not (isinstance(values, list) and values and all(map(is_valid, values))):
            raise BertNerError(f"params.yaml, studies.{study}.{name} must be a list of {wanted}, not {values!r}")
    if {"fractions", "per_type"} <= content.keys():
        raise BertNerError(f"params.yaml, studies.{study} has both fractions and per_type; take one of them away")
    if not systems or not set(systems) <= SYSTEMS.keys() or not all(isinstance(c, dict) for c in systems.values()):
        raise BertNerError(
            f"params.yaml, studies.{study}: expected settings of one system or more of {', '.join(SYSTEMS)}, "
            f"beside {', '.join(LISTS)}; found {systems!r}"
        )
    parts: list[dict[str, Any]] = [{"fraction": share} for share in content.get("fractions", [])]
    parts += [{"per_type": n} for n in content.get("per_type", [])]
    seeds = content.get("seeds", DEFAULT_SEEDS)
    trials = []
    for (system, changes), part, seed in product(systems.items(), parts or [{}], seeds):
        variant = ", ".join(f"{name}={value}" for name, value in {**changes, **part}.items())
        sees = {"fraction": None if "per_type" in part else 1.0, "per_type": None, **part}
        trials.append(Trial(study, variant, system, seed, **sees, settings={**params.get(system, {}), **changes}))
    return trials


def can_be_had(trial: Trial) -> bool:
    """Whether there are weights for a trial's encoder, if it has one."""
    name = trial.settings.get("name")
    is_here = name not in ENCODERS or availability(ENCODERS[name])[0]
    if not is_here:
        print(f"{trial.system}-{trial.seed} is left out: the weights of {name} can't be had")
    return is_here


def build_trial(trial: Trial, labels: Sequence[str], state: Path) -> Tagger:
    """A trial's system, not yet trained.

    Raises:
        BertNerError: its settings are not what it takes.
    """
    try:
        return build(trial.system, {trial.system: trial.settings}, labels, trial.seed, state)
    except BertNerError as error:
        raise BertNerError(f"params.yaml, studies.{trial.study}: {error}") from None


def seen_by(
    trial: Trial, train: Sequence[Sentence], validation: Sequence[Sentence]
) -> tuple[list[Sentence], list[Sentence]]:
    """What a trial trains and validates on; its seed draws it, for every system alike.

    Whoever has few sentences of a type to train on has no more to validate on.
    """
    if trial.per_type is not None:
        few = partial(few_of_each_type, n=trial.per_type, seed=trial.seed)
        return few(train), few(validation)
    assert trial.fraction is not None
    return subset(train, trial.fraction, trial.seed), list(validation)


def subset(sentences: Sequence[Sentence], fraction: float, seed: int) -> list[Sentence]:
    """A share of the sentences, in their order: with the same seed, a smaller one is part of every larger one."""
    order = list(range(len(sentences)))
    random.Random(f"subset {seed}").shuffle(order)
    return [sentences[i] for i in sorted(order[: max(1, round(fraction * len(sentences)))])]


def few_of_each_type(sentences: Sequence[Sentence], n: int, seed: int) -> list[Sentence]:
    """Few sentences, in their order, with each entity type in n of them or more, or in all that it has.

    In n rounds, the rarest type first, each type that is in fewer of the chosen sentences than there were rounds gets
    the next sentence, in the seed's order, that holds it. So with the same seed, a smaller n is part of every larger
    one. A frequent type is often in more than n, for it comes along with rarer ones.
    """
    order = list(range(len(sentences)))
    random.Random(f"few {seed}").shuffle(order)
    types = [{span.type for span in spans_of(tags)} for _, tags in sentences]
    holding = {name: [i for i in order if name in types[i]] for name in set().union(*types)}
    chosen: set[int] = set()
    have: Counter[str] = Counter()
    for rounds in range(1, n + 1):
        for name in sorted(holding, key=lambda name: (len(holding[name]), name)):
            found = next((i for i in holding[name] if i not in chosen), None)
            if have[name] < rounds and found is not None:
                chosen.add(found)
                have.update(types[found])
    return [sentences[i] for i in sorted(chosen)]


def run_trial(
    trial: Trial, tagger: Tagger, train: list[Sentence], validation: list[Sentence], test: list[Sentence], **source: str
) -> list[dict[str, Any]]:
    """Train and test: a row per epoch, or one for a system without epochs; test scores in the last.

    `source` is what signatures say of the test sentences.
    """
    started = time.perf_counter()
    history = tagger.fit(train, validation)
    seconds = time.perf_counter() - started
    rows = [row for row in history if "epoch" in row]
    if not rows:  # what was tried is not epochs; the validation sentences chose the best
        chosen = [row["validation_entity_f1"] for row in history if "validation_entity_f1" in row]
        rows = [{"seconds": seconds} | ({"validation_entity_f1": max(chosen)} if chosen else {})]
    scores = score([tags for _, tags in test], tagger.tag([words for words, _ in test]), **source)
    rows[-1] = {**rows[-1], **{f"test_{name}": scores[name].value for name in ("token_micro_f1", "entity_f1")}}
    rows[-1]["signature"] = scores["entity_f1"].signature
    who = {
        "study": trial.study,
        "variant": trial.variant,
        "system": trial.system,
        "encoder": trial.settings.get("name", ""),
        "seed": trial.seed,
        "fraction": trial.fraction,
        "per_type": trial.per_type,
        "sentences": len(train),
    }
    return [{**who, **row} for row in rows]


def merged(path: Path, rows: list[dict[str, Any]], studies: list[str]) -> str:
    """The table with these rows in place of their study's old ones; studies that are no more are left out.

    A column that the old table lacks is empty there.
    """
    new = pd.DataFrame(rows).reindex(columns=COLUMNS).astype({"epoch": "Int64", "fraction": float, "per_type": "Int64"})
    as_text = pd.read_csv(StringIO(new.to_csv(index=False, float_format="%.6f")), dtype=str, keep_default_na=False)
    kept = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame(columns=COLUMNS)
    kept = kept.reindex(columns=COLUMNS, fill_value="")
    kept = kept[~kept["study"].isin([row["study"] for row in rows]) & kept["study"].isin(studies)]
    every = pd.concat([kept, as_text]).sort_values("study", key=lambda names: names.map(studies.index), kind="stable")
    return every.to_csv(index=False)


if __name__ == "__main__":
    run_main(main)
