"""Train with something changed, as a study in params.yaml says, and score on the test sentences.

    python experiments/study.py --corpus mit_movie_eng --study warmup

Puts the rows of the study into results/<corpus>/studies.csv, in place of its older ones. An interrupted study goes on.
With --train-only the rows stay in data/unfinished/<corpus>/, where the next run finds them: perhaps on another machine.
"""

from harness.run_main import arguments, run_main

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.artifacts import read_json, read_labels, read_part, signature_source
from harness.locks import sole_writer
from harness.params import Trial, read_params, read_trials
from harness.paths import DATA, RESULTS, state_file
from harness.systems import build, has_weights
from harness.tables import read_table, write_table

import pandas as pd

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import score
from bert_ner.tagger import Tagger

Rows = list[dict[str, Any]]


def main() -> None:
    options = arguments(
        __doc__,
        study={"required": True, "help": "a name under 'studies' in params.yaml"},
        **{"train-only": {"action": "store_true", "help": "leave the table as it is; the next run fills it"}},
    )
    from bert_ner.encoder.checkpoint import fingerprint  # not at the top, because torch takes seconds to import

    corpus, params = options.corpus, read_params()
    trials = available_trials(read_trials(options.study, params))
    labels, source = read_labels(corpus), signature_source(corpus_named(corpus))
    train, validation, test = (read_part(corpus, part) for part in ("train", "validation", "test"))
    state = state_file(corpus, f"study-{options.study}")
    # All of them before the first trains, so that an error in the last one shows at once.
    places = [("studies", trial.study, trial.system) for trial in trials]
    taggers = [
        build(trial.system, trial.settings, labels, trial.seed, state, where)
        for trial, where in zip(trials, places, strict=True)
    ]

    notes = DATA / "unfinished" / corpus / f"study-{options.study}.json"
    finished = read_json(notes) if notes.is_file() else {}
    rows: Rows = []
    for trial, tagger in zip(trials, taggers, strict=True):
        sentences = [*trial_sentences(trial, train, validation), test]
        code = sha256_of(str(sys.modules[type(tagger).__module__].__file__))
        key = fingerprint(trial, code, *sentences)
        if key not in finished:
            finished[key] = run_trial(trial, tagger, sentences, source)
            write_whole(notes, json.dumps(finished))
            state.unlink(missing_ok=True)
        rows += finished[key]
    if options.train_only:
        return
    record(corpus, rows, list(params.studies))
    notes.unlink(missing_ok=True)
    shown = ["variant", "system", "seed", "sentences", "test_token_micro_f1", "test_entity_f1"]
    print(pd.DataFrame(rows)[shown].dropna().to_string(index=False))


def available_trials(trials: list[Trial]) -> list[Trial]:
    """Return the trials of systems whose weights are available, and name the other systems."""
    available = [trial for trial in trials if has_weights(trial.settings)]
    if not available:
        raise BertNerError(f"studies.{trials[0].study}: its encoders have no weights; 'bert-ner encoders' says why")
    for system in dict.fromkeys(trial.system for trial in trials if trial not in available):
        print(f"{system} is left out: its weights are unavailable")
    return available


def run_trial(trial: Trial, tagger: Tagger, sentences: Sequence[list[Sentence]], source: dict[str, str]) -> Rows:
    """Train and test: a row per epoch, or one for a system without epochs; the last has the test scores."""
    train, validation, test = sentences
    started = time.perf_counter()
    history = tagger.fit(train, validation)
    seconds = time.perf_counter() - started
    rows = [row for row in history if "epoch" in row]
    if not rows:  # the history has the settings that were tried; the best on the validation sentences was chosen
        tried = [row["validation_entity_f1"] for row in history if "validation_entity_f1" in row]
        rows = [{"seconds": seconds} | ({"validation_entity_f1": max(tried)} if tried else {})]
    scores = score([tags for _, tags in test], tagger.tag([words for words, _ in test]), **source)
    tested = {f"test_{name}": scores[name].value for name in ("token_micro_f1", "entity_f1")}
    rows[-1] = {**rows[-1], **tested, "signature": scores["entity_f1"].signature}
    shared = {**trial._asdict(), "encoder": trial.settings.get("name", ""), "sentences": len(train)}
    return [{**shared, **row} for row in rows]


def record(corpus: str, rows: Rows, studies: list[str]) -> None:
    """Put the rows of a study into the table of studies."""
    with sole_writer("studies"):
        write_table(RESULTS, corpus, "studies", merged(read_table(RESULTS, corpus, "studies"), rows, studies))


def merged(table: pd.DataFrame | None, rows: Rows, studies: list[str]) -> Rows:
    """Return the table's rows with these in place of their study's old ones; only studies of params.yaml stay."""
    old: list[Any] = [] if table is None else table.to_dict("records")
    others = [row for row in old if row["study"] in studies and row["study"] != rows[0]["study"]]
    return sorted([*others, *rows], key=lambda row: studies.index(row["study"]))


def trial_sentences(trial: Trial, *parts: Sequence[Sentence]) -> list[list[Sentence]]:
    """Draw the sentences that a trial trains and validates on: with the same seed, the same for every system."""
    if trial.per_type is not None:
        return [few_of_each_type(part, trial.per_type, trial.seed) for part in parts]
    train, validation = parts
    return [subset(train, trial.fraction or 0, trial.seed), list(validation)]


def subset(sentences: Sequence[Sentence], fraction: float, seed: int) -> list[Sentence]:
    """Draw a share of the sentences, in their order. With the same seed, a larger share contains every smaller one."""
    order = list(range(len(sentences)))
    random.Random(f"subset {seed}").shuffle(order)
    return [sentences[i] for i in sorted(order[: max(1, round(fraction * len(sentences)))])]


def few_of_each_type(sentences: Sequence[Sentence], n: int, seed: int) -> list[Sentence]:
    """Draw few sentences, in their order, with each entity type in at least n of them, or in all that have it.

    There are n rounds, each from the rarest type to the most frequent. A type that is in fewer chosen sentences than
    there were rounds gets the next one in the seed's order. So, with the same seed, a larger n contains a smaller one.
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


if __name__ == "__main__":
    run_main(main)
