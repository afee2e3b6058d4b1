"""Say how sure the scores of the test sentences are, and how the systems compare; needs no model.

    python experiments/compare.py --corpus mit_movie_eng

Reads scores.csv and predictions/ in results/<corpus>, and writes intervals.csv and comparisons.csv there. What another
test set would show (source `sentences`) and what another seed would show (source `seeds`) stand in rows of their own.
intervals_by_group.csv and comparisons_by_type.csv have the same, over sentences, for parts of the test set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from harness.artifacts import check_predictions, read_part
from harness.params import Run
from harness.paths import DATA, RESULTS
from harness.run_main import arguments, run_main

import pandas as pd

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import (
    METRICS,
    Counts,
    UnlikeScores,
    bootstrap_all,
    check_same_signature,
    compare_all,
    count,
    holm,
    holm_by_metric,
    score,
    seed_interval,
)
from bert_ner.scoring.parts import compare_types, confusion_ranks, f1_by_type, recall_gaps
from evaluate import Entity, entities_of, groupings

REFERENCE = "crf"  # every other system is compared with it
LEVEL, SAMPLES = 0.95, 10_000
METHODS = {
    "sentences": f"percentile bootstrap over sentences, {SAMPLES}; runs averaged",
    "seeds": "Student's t over runs",
}
INTERVAL_COLUMNS = ["system", "metric", "source", "value", "low", "high", "sd", "n", "level", "method", "signature"]
COMPARISON_COLUMNS = [
    "system_a", "system_b", "metric", "a", "b", "difference", "low", "high", "p_value", "test", "n", "p_holm",
    "a_sd", "b_sd", "signature",
]  # fmt: skip
# `than`: the group that the value is above, where it is a difference; support: gold entities of the group.
GROUP_COLUMNS = ["system", "by", "group", "than", "metric", "support", "value", "low", "high", "n", "level"]
TYPE_COLUMNS = [
    "system_a", "system_b", "type", "a", "b", "difference", "low", "high", "p_value", "p_holm", "a_sd", "b_sd", "n",
]  # fmt: skip


class Recount(NamedTuple):
    """What the predicted tags come to: for each system, run by run, its tags, its counts and its scores."""

    tags: dict[str, list[list[list[str]]]]
    counts: dict[str, list[Counts]]
    values: dict[str, list[dict[str, float]]]
    signatures: dict[str, str]  # of each metric


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    folder = RESULTS / corpus.name
    scores = read_scores(corpus)
    test, known = read_part(corpus.name, "test"), entities_of(read_part(corpus.name, "train"))
    found = recount(corpus, test, scores)
    rows = {
        "intervals": (intervals(found), INTERVAL_COLUMNS),
        "comparisons": (comparisons(found, pairs(scores)), COMPARISON_COLUMNS),
        "intervals_by_group": (group_intervals(found, test, known), GROUP_COLUMNS),
        "comparisons_by_type": (type_comparisons(found), TYPE_COLUMNS),
    }
    tables = {name: pd.DataFrame(of_table, columns=columns) for name, (of_table, columns) in rows.items()}
    tables["intervals_by_group"]["support"] = tables["intervals_by_group"]["support"].astype("Int64")
    for name, table in tables.items():
        write_whole(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6f"))
    shown = tables["comparisons"][["system_a", "system_b", "metric", "difference", "low", "high", "p_holm"]]
    print(shown.to_string(index=False, float_format="%.4f") if len(shown) else f"{corpus.name}: nothing to compare")


def read_scores(corpus: Corpus) -> pd.DataFrame:
    """scores.csv of a corpus.

    Raises:
        BertNerError: it is missing, or has no rows.
    """
    path = RESULTS / corpus.name / "scores.csv"
    remedy = f"run python experiments/evaluate.py --corpus {corpus.name}, or dvc repro"
    try:
        scores = pd.read_csv(path, keep_default_na=False) if path.is_file() else pd.DataFrame()
    except ValueError as error:  # pandas's own errors are ValueErrors
        raise BertNerError(f"{path} can't be read ({error}); {remedy}") from None
    if scores.empty:
        raise BertNerError(f"{path} is missing or empty; {remedy}")
    if missing := {"system", "encoder", "seed", "signature"}.difference(scores):
        raise BertNerError(f"{path}: no column {', '.join(sorted(missing))}; {remedy}")
    if not pd.api.types.is_integer_dtype(scores["seed"]):
        raise BertNerError(f"{path}: a seed is not a whole number; {remedy}")
    return scores


def recount(corpus: Corpus, test: Sequence[Sentence], scores: pd.DataFrame) -> Recount:
    """Count and score anew the predicted tags of every run that scores.csv has.

    Raises:
        BertNerError: predictions are missing or don't fit the test sentences, or scores.csv was made from other test
            sentences, by other conventions or from other predictions.
    """
    gold = [tags for _, tags in test]
    data = sha256_of(DATA / "raw" / corpus.name / corpus.test.name)[:8]
    remedy = f"run python experiments/evaluate.py --corpus {corpus.name}, or dvc repro"
    found = Recount({}, {}, {}, {})
    for row in scores.to_dict("records"):
        run = Run(str(row["system"]), int(row["seed"]))
        path = RESULTS / corpus.name / "predictions" / f"{run.name}.tags"
        if not path.is_file():
            raise BertNerError(f"{path} is missing, but scores.csv has a row of it; {remedy}")
        check_predictions(path, remedy)
        try:
            predicted = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
            counted = count(gold, predicted)
            rescored = score(gold, predicted, split="test", corpus=corpus.name, data=data)
        except ValueError as error:
            raise BertNerError(f"{path} does not fit the test sentences: {error}; {remedy}") from None
        found.signatures.update({metric: rescored[metric].signature for metric in METRICS})
        try:
            check_same_signature(str(row["signature"]), found.signatures["entity_f1"])
        except UnlikeScores as error:
            raise UnlikeScores(f"scores.csv, {run.name}, and {path}: {error}; {remedy}") from None
        for metric in METRICS:
            # Six decimals are what scores.csv keeps.
            if metric in row and abs(float(row[metric]) - rescored[metric].value) > 1e-6:
                raise BertNerError(
                    f"scores.csv says {metric} of {run.name} is {row[metric]}, but {path} scores "
                    f"{rescored[metric].value:.6f}; {remedy}"
                )
        found.tags.setdefault(run.system, []).append(predicted)
        found.counts.setdefault(run.system, []).append(counted)
        found.values.setdefault(run.system, []).append({metric: rescored[metric].value for metric in METRICS})
    return found


def intervals(found: Recount) -> list[dict[str, Any]]:
    """A row per system, metric and source of doubt; seeds only of systems with several runs."""
    rows: list[dict[str, Any]] = []
    for system, sentences in bootstrap_all(found.counts, SAMPLES, level=LEVEL).items():
        for metric in METRICS:
            shared = {"system": system, "metric": metric, "level": LEVEL, "signature": found.signatures[metric]}
            row = {"source": "sentences", "n": len(found.counts[system][0].words), **sentences[metric]._asdict()}
            rows.append({**shared, **row, "method": METHODS["sentences"]})
            of_runs = [run[metric] for run in found.values[system]]
            if len(of_runs) > 1:
                row = {"source": "seeds", "n": len(of_runs), **seed_interval(of_runs, LEVEL)._asdict()}
                rows.append({**shared, **row, "sd": pd.Series(of_runs).std(), "method": METHODS["seeds"]})
    return rows


def pairs(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """Who is compared with whom: every other system with the CRF, and each encoder with every baseline."""
    encoder_of = dict(zip(scores["system"], scores["encoder"], strict=True))
    baselines = [system for system, encoder in encoder_of.items() if not encoder]
    wanted = [(system, baseline) for system, encoder in encoder_of.items() if encoder for baseline in baselines]
    return list(dict.fromkeys([*beside_reference(encoder_of), *wanted]))


def beside_reference(systems: Collection[str]) -> list[tuple[str, str]]:
    """Every other system with the CRF, if that is among them."""
    return [(system, REFERENCE) for system in systems if system != REFERENCE and REFERENCE in systems]


def comparisons(found: Recount, wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """A row per pair and metric. The Holm correction is over all pairs of a metric."""
    rows: list[dict[str, Any]] = []
    counts = found.counts
    compared = compare_all(counts, wanted, SAMPLES, level=LEVEL)
    p_holm = holm_by_metric(compared)
    for (a, b), results in compared.items():
        test = (
            f"paired approximate randomisation over sentences, {SAMPLES}; interval: paired percentile bootstrap, "
            f"{SAMPLES}; runs averaged, a={len(counts[a])} b={len(counts[b])}"
        )
        who = {"system_a": a, "system_b": b, "test": test, "n": len(counts[a][0].words)}
        rows += [
            {**who, "metric": metric, "signature": found.signatures[metric], **result._asdict()}
            | {"p_holm": p_holm[metric][a, b]}
            for metric, result in results.items()
        ]
    return rows


def group_intervals(found: Recount, test: Sequence[Sentence], known: Collection[Entity]) -> list[dict[str, Any]]:
    """A row per system and part of the test set: F1 of each type, recall of each group, the rank of each confusion."""
    gold = [tags for _, tags in test]
    ways = {by: group for by, group in groupings(test, known).items() if by != "type"}
    support = Counter(
        (by, group(i, span)) for by, group in groupings(test, known).items()
        for i, tags in enumerate(gold) for span in spans_of(tags)
    )  # fmt: skip
    by_type = f1_by_type(found.counts, SAMPLES, level=LEVEL)
    gaps = {by: recall_gaps(gold, found.tags, group, SAMPLES, level=LEVEL) for by, group in ways.items()}
    ranks = confusion_ranks(gold, found.tags, SAMPLES, level=LEVEL)
    rows: list[dict[str, Any]] = []
    for system in found.tags:
        parts = [
            *(("type", name, "", "f1", interval) for name, interval in by_type[system].items()),
            *((by, *names, "recall", interval) for by in ways for names, interval in gaps[by][system].items()),
            *(("confusion", " / ".join(pair), "", "rank", interval) for pair, interval in ranks[system].items()),
        ]
        rows += [
            {"system": system, "by": by, "group": name, "than": than, "metric": metric, "n": len(gold), "level": LEVEL}
            | {"support": None if by == "confusion" else support[by, name], **interval._asdict()}
            for by, name, than, metric, interval in parts
        ]
    return rows


def type_comparisons(found: Recount) -> list[dict[str, Any]]:
    """A row per system beside the CRF, and type. The Holm correction is over the types of a pair."""
    rows: list[dict[str, Any]] = []
    wanted = beside_reference(found.counts)
    for (a, b), compared in compare_types(found.counts, wanted, SAMPLES, level=LEVEL).items():
        corrected = holm([result.p_value for result in compared.values()])
        rows += [
            {"system_a": a, "system_b": b, "type": name, "p_holm": p_holm, **result._asdict()}
            | {"n": len(found.counts[a][0].words)}
            for (name, result), p_holm in zip(compared.items(), corrected, strict=True)
        ]
    return rows


if __name__ == "__main__":
    run_main(main)
