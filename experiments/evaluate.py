"""Tag the test sentences with every trained system, and score the tags.

    python experiments/evaluate.py --corpus mit_movie_eng

Writes scores.csv, scores_by_type.csv, confusion.csv, error_kinds.csv, recall.csv, history.csv, costs.csv, not_run.csv,
metrics.json and predictions/ into results/<corpus>, and the origin of it all into results/provenance.json. Of runs that
`make repro-all` adds and whose models are not here, the committed predictions stay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import model_folder, read_part, read_run
from harness.params import Run, all_runs, read_params, runs
from harness.paths import DATA, RESULTS, RUN_FILE
from harness.provenance import environment, record, recorded
from harness.run_main import arguments, run_main

import pandas as pd
import seqeval.metrics
import sklearn.metrics
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
from seqeval.scheme import IOB2
from tqdm import tqdm

from bert_ner.corpus.bio import Sentence, Span, spans_of, tags_of
from bert_ner.corpus.catalog import corpus_named
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.loading import load_tagger
from bert_ner.scoring import METRICS, Score, check_same_signature, score, score_by_type
from bert_ner.scoring.counts import Tags
from bert_ner.scoring.errors import KINDS, confusion, error_kinds, recall_by
from bert_ner.tagger import SizedTagger

COLUMNS = {
    "scores": ["corpus", "system", "encoder", "seed", "split", "n_sentences", *METRICS, "signature"],
    "scores_by_type": ["system", "seed", "type", "support", "precision", "recall", "f1"],
    "confusion": ["system", "seed", "gold", "predicted", "words"],
    "costs": [
        "system", "encoder", "seed", "parameters", "train_seconds", "words_per_second", "model_bytes", "machine",
    ],
    "not_run": ["system", "encoder", "seed", "reason"],
    "error_kinds": ["system", "seed", "kind", "type", "count"],
    "recall": ["system", "seed", "by", "group", "support", "found", "recall"],
    "history": [
        "system", "encoder", "seed", "epoch", "train_loss", "validation_loss", "validation_entity_f1", "seconds",
    ],
}  # fmt: skip
WARM_UP = 100  # sentences, before the speed is taken
LONG = 4  # entities of as many words or more are one group

Rows = list[dict[str, Any]]
Entity = tuple[str, tuple[str, ...]]  # its type and its words, lower-cased


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params = read_params()
    test = read_part(corpus.name, "test")
    known = entities_of(read_part(corpus.name, "train"))
    raw = DATA / "raw" / corpus.name
    files = {file.name: sha256_of(raw / file.name) for file in corpus.files}
    # Signatures name the published test file, not our copy of it.
    source = {"split": "test", "corpus": corpus.name, "data": files[corpus.test.name][:8]}

    rows: dict[str, Rows] = {table: [] for table in COLUMNS}
    found = {}
    for run in tqdm(all_runs(params, corpus.name), desc="evaluate", unit="run", disable=None):
        who = {"system": run.system, "seed": run.seed, "encoder": params[run.system].get("name", "")}
        outcome = tagged(corpus.name, run, test, params) or kept(corpus.name, run, params[run.system], files)
        if not outcome:
            rows["not_run"] += [{**who, "reason": why_not_run(who["encoder"])}]
            continue
        found[run] = outcome
        for name, of_run in tables_of(test, outcome.tags, known, **source).items():
            rows[name] += [{**who, **row} for row in of_run]
        rows["history"] += [{**who, **row} for row in outcome.record["history"] if "epoch" in row]
        rows["costs"] += [{**who, **outcome.record["cost"]}]

    folder = RESULTS / corpus.name
    tables = {name: pd.DataFrame(table, columns=COLUMNS[name]) for name, table in rows.items()}
    for name, table in tables.items():
        write_whole(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6f"))
    write_predictions(folder / "predictions", {f"{run.name}.tags": outcome.text for run, outcome in found.items()})
    write_whole(folder / "metrics.json", json.dumps(summary(tables["scores"]), indent=2) + "\n")
    records = {run.name: outcome.record for run, outcome in found.items()}
    record(corpus.name, {"files": files, "evaluated": environment(), "runs": records})
    print(tables["scores"].groupby("system", sort=False)[list(METRICS)].mean().to_string(float_format="%.4f"))


class Outcome(NamedTuple):
    """What a run found in the test sentences, as text with a line each, and what is on record of it."""

    text: str
    record: dict[str, Any]

    @property
    def tags(self) -> list[list[str]]:
        return [line.split() for line in self.text.splitlines()]


def tagged(corpus: str, run: Run, test: Sequence[Sentence], params: dict[str, Any]) -> Outcome | None:
    """Tag the test sentences with a run's model; None if it is one that `make repro-all` adds and is not here.

    Raises:
        BertNerError: the model can't be loaded, or is missing though `dvc repro` trains it.
    """
    folder = model_folder(corpus, run)
    if run not in runs(params) and not folder.is_dir():
        return None
    trained, tagger = read_run(corpus, run), load_tagger(folder, quantised=False)
    sentences = [words for words, _ in test]
    tagger.tag(sentences[:WARM_UP])
    started = time.perf_counter()
    tags = tagger.tag(sentences)
    seconds = time.perf_counter() - started
    text = "".join(" ".join(of_sentence) + "\n" for of_sentence in tags)
    cost = {
        "parameters": tagger.parameters if isinstance(tagger, SizedTagger) else None,
        "train_seconds": trained["seconds"],
        "words_per_second": round(sum(map(len, sentences)) / seconds),
        "model_bytes": sum(
            path.stat().st_size for path in folder.iterdir() if path.is_file() and path.name != RUN_FILE
        ),
        "machine": trained["environment"]["processor"],
    }
    return Outcome(text, {**trained, "cost": cost, "predictions": sha256(text.encode()).hexdigest()})


def kept(corpus: str, run: Run, settings: dict[str, Any], files: dict[str, str]) -> Outcome | None:
    """The committed predictions of a run whose model is not here; None if there are none of these settings and files.

    Raises:
        BertNerError: the predictions are not those that are on record.
    """
    known = recorded(corpus)
    trained = known.get("runs", {}).get(run.name)
    path = RESULTS / corpus / "predictions" / f"{run.name}.tags"
    if not (trained and path.is_file() and trained["settings"] == settings and known["files"] == files):
        return None
    if sha256_of(path) != trained["predictions"]:
        raise BertNerError(
            f"{path}: its SHA-256 is not the one in results/provenance.json; take the committed file, or remove it and "
            "run make repro-all"
        )
    return Outcome(path.read_text(encoding="utf-8"), trained)


def why_not_run(encoder: str) -> str:
    """Why a run has neither a model nor predictions."""
    if encoder in ENCODERS and not availability(ENCODERS[encoder])[0]:
        return "weights unreachable"
    return "make repro-all has not trained it"


def write_predictions(folder: Path, texts: dict[str, str]) -> None:
    """Write these files, and remove those of runs that are no more."""
    for name, text in texts.items():
        write_whole(folder / name, text)
    for path in set(folder.glob("*")) - {folder / name for name in texts}:
        path.unlink()


def tables_of(test: Sequence[Sentence], predicted: Tags, known: Collection[Entity], **source: str) -> dict[str, Rows]:
    """The rows of one run in each table that its tags suffice for.

    Args:
        test: the sentences with their gold tags.
        predicted: a sequence of tags for each.
        known: the entities of the training part, as `entities_of` gives them.
        source: the split, corpus and data of the signatures.
    """
    gold = [tags for _, tags in test]
    scores = score(gold, predicted, **source)
    cross_check(gold, predicted, scores)
    errors = error_kinds(gold, predicted)
    return {
        "scores": [
            {**source, "n_sentences": len(test), "signature": scores["entity_f1"].signature}
            | {metric: value.value for metric, value in scores.items()}
        ],
        "scores_by_type": [by_type._asdict() for by_type in score_by_type(gold, predicted)],
        "confusion": [
            {"gold": a, "predicted": b, "words": n} for (a, b), n in sorted(confusion(gold, predicted).items())
        ],
        "error_kinds": [
            {"kind": kind, "type": name, "count": errors[kind, name]}
            for kind, name in sorted(errors, key=lambda error: (KINDS.index(error[0]), error[1]))
        ],
        "recall": [
            {"by": by, "group": name, "support": recall.support, "found": recall.found, "recall": recall.value}
            for by, group in groupings(test, known).items()
            for name, recall in recall_by(gold, predicted, group).items()
        ],
    }


def groupings(test: Sequence[Sentence], known: Collection[Entity]) -> dict[str, Callable[[int, Span], str]]:
    """The ways to group gold entities: from a test sentence's number and an entity there to the name of its group."""
    return {
        "seen": lambda i, span: "seen" if entity(test[i].words, span) in known else "unseen",
        "length": lambda i, span: str(span.end - span.start) if span.end - span.start < LONG else f"{LONG}+",
        "type": lambda i, span: span.type,
    }


def entities_of(sentences: Sequence[Sentence]) -> set[Entity]:
    """Every entity that occurs, by type and lower-cased words."""
    return {entity(words, span) for words, tags in sentences for span in spans_of(tags)}


def entity(words: Sequence[str], span: Span) -> Entity:
    return span.type, tuple(word.lower() for word in words[span.start : span.end])


def cross_check(gold: Tags, predicted: Tags, scores: dict[str, Score]) -> None:
    """Compare the scores with those of seqeval and scikit-learn, on the very tags that are reported.

    All but partial_f1, for which they have nothing. Their span F1 is that of tags with one type, which spell out where
    each entity begins.

    Raises:
        AssertionError: they differ, so one of the programs is wrong.
    """
    entities = [list(tags) for tags in gold], [list(tags) for tags in predicted]
    labels = sorted({"O", *chain.from_iterable(gold), *chain.from_iterable(predicted)})
    number = {label: i for i, label in enumerate(labels)}  # scikit-learn takes ten times as long with text
    words = tuple([number[tag] for tag in chain.from_iterable(tags)] for tags in entities)
    inside = [i for label, i in number.items() if label != "O"]
    spans = tuple(
        [tags_of([span._replace(type="X") for span in spans_of(t)], len(t)) for t in tags] for tags in entities
    )
    precision, recall, f1, _ = precision_recall_fscore_support(*entities, average="micro", zero_division=0)
    theirs = {
        "token_micro_f1": sklearn.metrics.accuracy_score(*words),
        "token_micro_f1_no_o": sklearn.metrics.f1_score(*words, average="micro", labels=inside, zero_division=0),
        "token_macro_f1": sklearn.metrics.f1_score(*words, average="macro", zero_division=0),
        "token_weighted_f1": sklearn.metrics.f1_score(*words, average="weighted", zero_division=0),
        "entity_precision": precision,
        "entity_recall": recall,
        "entity_f1": f1,
        "entity_f1_strict": seqeval.metrics.f1_score(*entities, mode="strict", scheme=IOB2),
        "span_f1": seqeval.metrics.f1_score(*spans),
        "type_macro_f1": seqeval.metrics.f1_score(*entities, average="macro", zero_division=0),
    }
    for metric, value in theirs.items():
        if abs(scores[metric].value - value) > 1e-9:
            raise AssertionError(f"{scores[metric].signature}: {scores[metric].value}, but the reference says {value}")


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Each system's scores: the mean over its seeds and, of several, the sample standard deviation.

    Raises:
        UnlikeScores: the rows' signatures differ.
    """
    for signature in scores["signature"]:
        check_same_signature(scores["signature"].iloc[0], signature)
    return {
        str(system): {
            metric: {"mean": round(group[metric].mean(), 6)}
            | ({"sd": round(group[metric].std(), 6)} if len(group) > 1 else {})
            for metric in METRICS
        }
        for system, group in scores.groupby("system", sort=False)
    }


if __name__ == "__main__":
    run_main(main)
