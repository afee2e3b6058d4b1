"""Say how sure the scores of the test sentences are, and how the systems compare; needs no model.

    python experiments/compare.py --corpus mit_movie_eng

Reads scores.csv and predictions/ in results/<corpus>, and writes intervals.csv and comparisons.csv there. What another
test set would show (source `sentences`) and what another seed would show (source `seeds`) stand in rows of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from tqdm import tqdm

from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import (
    METRICS,
    Counts,
    UnlikeScores,
    bootstrap,
    check_same_signature,
    compare,
    count,
    holm,
    score,
    seed_interval,
)
from pipeline import DATA, RESULTS, Run, arguments, check_predictions, read_part, run_politely

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


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    folder = RESULTS / corpus.name
    scores = read_scores(corpus)
    counts, values, signatures = recount(corpus, scores)
    tables = {
        "intervals": pd.DataFrame(intervals(counts, values, signatures), columns=INTERVAL_COLUMNS),
        "comparisons": pd.DataFrame(comparisons(counts, pairs(scores), signatures), columns=COMPARISON_COLUMNS),
    }
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


def recount(
    corpus: Corpus, scores: pd.DataFrame
) -> tuple[dict[str, list[Counts]], dict[str, list[dict[str, float]]], dict[str, str]]:
    """Each system's counts and scores, run by run, from its predicted tags; and the signature of each metric.

    Raises:
        BertNerError: predictions are missing or don't fit the test sentences, or scores.csv was made from other test
            sentences, by other conventions or from other predictions.
    """
    gold = [tags for _, tags in read_part(corpus.name, "test")]
    data = sha256_of(DATA / "raw" / corpus.name / corpus.test.name)[:8]
    remedy = f"run python experiments/evaluate.py --corpus {corpus.name}, or dvc repro"
    counts: dict[str, list[Counts]] = {}
    values: dict[str, list[dict[str, float]]] = {}
    signatures: dict[str, str] = {}
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
        signatures = {metric: rescored[metric].signature for metric in METRICS}
        try:
            check_same_signature(str(row["signature"]), signatures["entity_f1"])
        except UnlikeScores as error:
            raise UnlikeScores(f"scores.csv, {run.name}, and {path}: {error}; {remedy}") from None
        for metric in METRICS:
            # Six decimals are what scores.csv keeps.
            if metric in row and abs(float(row[metric]) - rescored[metric].value) > 1e-6:
                raise BertNerError(
                    f"scores.csv says {metric} of {run.name} is {row[metric]}, but {path} scores "
                    f"{rescored[metric].value:.6f}; {remedy}"
                )
        counts.setdefault(run.system, []).append(counted)
        values.setdefault(run.system, []).append({metric: rescored[metric].value for metric in METRICS})
    return counts, values, signatures


def intervals(
    counts: Mapping[str, Sequence[Counts]],
    values: Mapping[str, Sequence[Mapping[str, float]]],
    signatures: Mapping[str, str],
) -> list[dict[str, Any]]:
    """A row per system, metric and source of doubt; seeds only of systems with several runs."""
    rows: list[dict[str, Any]] = []
    for system, runs in counts.items():
        sentences = bootstrap(runs, SAMPLES, level=LEVEL)
        for metric in METRICS:
            shared = {"system": system, "metric": metric, "level": LEVEL, "signature": signatures[metric]}
            found = {"source": "sentences", "n": len(runs[0].words), **sentences[metric]._asdict()}
            rows.append({**shared, **found, "method": METHODS["sentences"]})
            of_runs = [run[metric] for run in values[system]]
            if len(of_runs) > 1:
                found = {"source": "seeds", "n": len(of_runs), **seed_interval(of_runs, LEVEL)._asdict()}
                rows.append({**shared, **found, "sd": pd.Series(of_runs).std(), "method": METHODS["seeds"]})
    return rows


def pairs(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """Who is compared with whom: every other system with the CRF, and each encoder with every baseline."""
    encoder_of = dict(zip(scores["system"], scores["encoder"], strict=True))
    baselines = [system for system, encoder in encoder_of.items() if not encoder]
    wanted = [(system, REFERENCE) for system in encoder_of if system != REFERENCE and REFERENCE in encoder_of]
    wanted += [(system, baseline) for system, encoder in encoder_of.items() if encoder for baseline in baselines]
    return list(dict.fromkeys(wanted))


def comparisons(
    counts: Mapping[str, Sequence[Counts]], wanted: Sequence[tuple[str, str]], signatures: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row per pair and metric. The Holm correction is over all pairs of a metric."""
    rows: list[dict[str, Any]] = []
    for a, b in tqdm(wanted, desc="compare", unit="pair", disable=None):
        test = (
            f"paired approximate randomisation over sentences, {SAMPLES}; interval: paired percentile bootstrap, "
            f"{SAMPLES}; runs averaged, a={len(counts[a])} b={len(counts[b])}"
        )
        who = {"system_a": a, "system_b": b, "test": test, "n": len(counts[a][0].words)}
        rows += [
            {**who, "metric": metric, "signature": signatures[metric], **result._asdict()}
            for metric, result in compare(counts[a], counts[b], SAMPLES, level=LEVEL).items()
        ]
    for metric in METRICS:
        of_metric = [row for row in rows if row["metric"] == metric]
        for row, corrected in zip(of_metric, holm([row["p_value"] for row in of_metric]), strict=True):
            row["p_holm"] = corrected
    return rows


if __name__ == "__main__":
    run_politely(main)
