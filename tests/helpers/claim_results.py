"""Result files and entries of claims.yaml, made by hand for tests of the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.params import Params
from harness.tables import TABLES
from harness.trials import asked_folds

import pandas as pd

from bert_ner.scoring import METRICS, holm
from claims.judging import PUBLISHED, judge_claims

CORPUS = "mit_movie_eng"
PAPERS = "bert-base-uncased"
OTHER = "tiny"
SIGNATURE = "entity_f1|avg:micro|split:test|corpus:mit_movie_eng|v:1"

Files = dict[str, Any]


def scores(weights: str = PAPERS, /, **systems: dict[int, float]) -> list[dict[str, Any]]:
    """Return rows of scores.csv: system=(seed -> entity F1); the CRF has 0.8 unless it is given."""
    return [
        {"system": system, "encoder": "" if system == "crf" else weights, "seed": seed, "entity_f1": f1}
        | {"signature": SIGNATURE}
        for system, runs in ({"crf": {0: 0.8}} | systems).items()
        for seed, f1 in runs.items()
    ]


def intervals(**values: tuple[float, float, float]) -> list[dict[str, Any]]:
    """Return rows of intervals.csv over sentences and three seeds: metric=(value, low, high); the others are at 0.5."""
    return [
        {"system": "encoder", "metric": metric, "source": source, "n": n}
        | dict(zip(("value", "low", "high"), values.get(metric, (0.5, 0.4, 0.6)), strict=True))
        for source, n in (("sentences", 9), ("seeds", 3))
        for metric in METRICS
    ]


def write(results: Path, files: Files) -> None:
    """Write result files: lists of rows as CSV with every column of the table, objects as JSON."""
    for name, content in files.items():
        path = results / ("" if name in ("provenance.json", "benchmarks.csv") else CORPUS) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            columns = list(TABLES[path.stem].columns)
            rows = pd.DataFrame([{"seed": 0, "n_sentences": 9} | row for row in content])
            rows.reindex(columns=columns).to_csv(path, index=False)
        else:
            path.write_text(json.dumps(content))


def claims_file(folder: Path, entry: str) -> Path:
    """Write a claims.yaml with one entry; its lines are numbered from 4."""
    path = folder / "claims.yaml"
    path.write_text(f"corpus: {CORPUS}\nencoder: {PAPERS}\nclaims:\n" + entry)
    return path


def entry(rule: str, paper: str | None = None, more: str = "", kind: str = "value") -> str:
    """Return an entry of claims.yaml with the rule and its keys."""
    paper_line = f"    paper_value: {paper}\n" if paper is not None else ""
    about = "    about: domains\n" if rule.startswith(("transfers", "no_general_tagger", "good_away")) else ""
    return (
        f'  - id: X1\n    section: "9"\n    claim: something\n    kind: {kind}\n{paper_line}{about}'
        f"    judge: {{rule: {rule}}}\n{more}    command: make it\n"
    )


def judged(folder: Path, text: str, files: Files, published: str | None = None) -> dict[str, str]:
    """Return the row of the only claim in a claims.yaml with this entry; the encoder's two runs have entity F1 0.85."""
    write(folder / "results", {"scores.csv": scores(encoder={1: 0.85, 2: 0.85})} | files)
    path = folder / "published.yaml"
    path.write_text(published or PUBLISHED.read_text())
    name = "domains" if "about: domains" in text else CORPUS
    (row,) = judge_claims(name, folder / "results", claims_file(folder, text), path)
    return row


def corpus_value(value: Any) -> Files:
    return {"corpus.json": {"a": {"b": value}}}


def counted_on(encoder: str) -> Files:
    """Return an audit that counted the word pieces of an encoder."""
    return {"audit.json": {"encoder": {"name": encoder}}}


def groups(by: str, *rows: tuple[str, str, float, float, float]) -> Files:
    """Return rows of intervals_by_group.csv, (group, than, value, low, high), and one of another grouping."""
    shared = {"system": "encoder", "support": 10}
    other = shared | {"by": "other", "group": "x", "than": "", "value": 0, "low": 0, "high": 0, "support": ""}
    columns = ("group", "than", "value", "low", "high")
    made = [shared | {"by": by} | dict(zip(columns, row, strict=True)) for row in rows]
    return {"intervals_by_group.csv": [other, *made]}


def by_type(*intervals: tuple[float, float, float]) -> Files:
    return groups("type", *((f"T{i}", "", *ends) for i, ends in enumerate(intervals)))


def elsewhere(*differences: tuple[float, float, float], system: str = "encoder") -> Files:
    """Return other corpora's comparisons with the CRF: (difference, low, high) on trivia, then on restaurants."""
    return {
        f"../{corpus}/comparisons.csv": [
            {"system_a": system, "system_b": "crf", "metric": "entity_f1", "a": 0.8 + gap, "b": 0.8}
            | {"difference": gap, "low": low, "high": high}
        ]
        for corpus, (gap, low, high) in zip(("mit_movie_trivia", "mit_restaurant"), differences, strict=False)
    }


def comparison(*rows: tuple[str, float, float], width: float = 0) -> Files:
    """Return the differences of the encoder to the CRF; over the seeds of both, the interval has this half width."""
    # Of two runs, the quantile is 12.7062, and the standard deviation of their mean is half their distance.
    runs = [
        {"system": system, "encoder": PAPERS * (system == "encoder"), "seed": seed, "signature": SIGNATURE}
        | {metric: 0.8 + (system == "encoder") * (d + sign * width / 12.7062) for metric, d, _ in rows}
        for system, seed, sign in (("crf", 0, 0), ("encoder", 1, 1), ("encoder", 2, -1))
    ]
    return {
        "scores.csv": runs,
        "comparisons.csv": [
            {"system_a": "encoder", "system_b": "crf", "metric": metric, "difference": d, "p_value": p}
            | {"b": 0.8, "low": d - 0.01, "high": d + 0.01, "p_holm": corrected, "family": "confirmatory"}
            for (metric, d, p), corrected in zip(rows, holm([p for *_, p in rows]), strict=True)
        ],
    }


def confusions(**ranks: tuple[int, int, int]) -> Files:
    return groups("confusion", *((pair.replace("_", " / "), "", *ends) for pair, ends in ranks.items()))


def gap(
    value: float, low: float, high: float, low_within: float | None = None, low_in_both: float | None = None
) -> Files:
    """Return the recall of entities seen above that of unseen ones; within types, and types and parts, it differs."""
    recalls = ("seen", "", 0.9, 0.8, 1), ("unseen", "", 0.5, 0.4, 0.6)
    over_all = groups("seen", *recalls, ("seen", "unseen", value, low, high))
    ends = (value, low if low_within is None else low_within, high)
    within = groups("seen within type", ("seen", "unseen", *ends), ("A: seen", "unseen", *ends))
    found = {name: rows + within[name] for name, rows in over_all.items()}
    if low_in_both is not None:
        part = groups("seen within part", ("seen", "unseen", *ends), ("part 1: seen", "unseen", *ends))
        both = groups("seen within type and part", ("seen", "unseen", value, low_in_both, high))
        found = {name: rows + part[name] + both[name] for name, rows in found.items()}
    return found


def new(*f1: float) -> Files:
    """Return the F1 of new types, with five sentences of each; with all, each has 0.8, and LOST has 0."""
    types = {f"T{i}": value for i, value in enumerate(f1)} | {"LOST": 0.0}
    return {
        "studies.csv": [
            {"study": "new_types", "system": system, "encoder": "", "seed": 1, "per_type": 5, "test_entity_f1": 0.5}
            | {"signature": SIGNATURE, "new_type": name, "test_new_type_f1": value}
            for system in ("crf", "encoder")
            for name, value in types.items()
        ],
        "scores_by_type.csv": [
            {"system": "encoder", "seed": seed, "type": name, "f1": 0.0 if name == "LOST" else 0.8}
            for seed in (1, 2)
            for name in types
        ],
    }


def epochs(short: tuple[float, float], longer: tuple[float, float], seed: int = 1, apart: float = 0) -> Files:
    """Return the last epochs' F1 and loss, and a study of a system without epochs; the study's seeds differ in F1."""

    def rows(epoch: int, last: tuple[float, float], seed: int) -> list[dict[str, Any]]:
        before = {"epoch": epoch - 1, "validation_entity_f1": 0.1, "validation_loss": 9.0}
        at_last = {"epoch": epoch, "validation_entity_f1": last[0], "validation_loss": last[1]}
        return [{"system": "encoder", "encoder": PAPERS, "seed": seed} | row for row in (before, at_last)]

    without_epochs = {"study": "learning_curve", "system": "crf", "encoder": "", "seed": 1, "test_entity_f1": 0.5}
    long = [row for i in (0, 1) for row in rows(8, (longer[0] + i * apart, longer[1]), seed + i)]
    return {
        "history.csv": [*rows(4, short, 1), *rows(4, short, 2)],
        "studies.csv": [*({"study": "epochs_8"} | row for row in long), without_epochs],
    }


def study(signature: str = SIGNATURE, /, **finals: float) -> Files:
    """Return studies of two seeds, which agree."""
    return {
        "studies.csv": [
            {"study": name, "system": "encoder", "encoder": PAPERS, "seed": seed, "epoch": epoch, "test_entity_f1": f1}
            | {"signature": signature if f1 else ""}
            for name, final in finals.items()
            for seed in (1, 2)
            for epoch, f1 in ((1, ""), (2, final))
        ]
    }


def curve(at_a_tenth: float, variant: str = "min_steps=9, fraction=0.1") -> Files:
    without_fraction = {"study": "few_shot", "system": "encoder", "encoder": PAPERS, "seed": 1, "test_entity_f1": 0.5}
    return {
        "studies.csv": [
            without_fraction | {"signature": SIGNATURE},
            *(
                {"study": "learning_curve", "system": system, "encoder": encoder, "seed": seed, "fraction": 0.1}
                | {"epoch": 4, "test_entity_f1": f1, "signature": SIGNATURE, "variant": variant}
                for seed in (1, 2)
                for system, encoder, f1 in (("encoder", PAPERS, at_a_tenth), ("crf", "", 0.7))
            ),
        ]
    }


def losses(*values: float) -> Files:
    return {
        "history.csv": [
            {"system": "encoder", "seed": seed, "epoch": i + 1, "train_loss": value}
            for seed in (1, 2)
            for i, value in enumerate(values)
        ]
    }


def searching(folds: int) -> Params:
    """Return parameters with a search of two trials over so many folds: one has the paper's epochs."""
    return Params.model_validate({
        "corpora": ["sample"], "baselines": ["crf"], "encoders": ["encoder"], "seeds": [1], "extra_runs": {},
        "split": {"validation_fraction": 0.1, "seed": 42}, "label_audit": {"system": "crf", "folds": 3, "seed": 42},
        "search": {"folds": max(folds, 2), "fewer_folds": {"encoder": 1} if folds == 1 else {},
                   "trials": {"encoder": [{"epochs": [4, 8]}]}},
        "crf": {}, "encoder": {"kind": "encoder", "name": "x", "warmup": 0.1},
    })  # fmt: skip


def searched(*gains: float) -> Files:
    """Return a search with a trial of the paper's, of 0.8 in each fold, and another that gains so much in each."""
    return {
        "search.csv": [
            row
            | {"validation_entity_f1": 0.8 + (gains[row["fold"] - 1] if row["trial"] == 2 else 0)}
            | {"standard_error": 0.003 if row["trial"] == 1 else 0.004}
            for row in asked_folds("encoder", searching(len(gains)))
        ]
    }


def transferred(*differences: tuple[float, float, float]) -> Files:
    """Return taggers of other corpora on trivia, where one of trivia has 0.8: (difference, low, high)."""
    return {
        "../domains/transfers.csv": [
            {
                "system": "encoder",
                "trained_on": f"c{i}",
                "test_corpus": "mit_movie_trivia",
                "types": "A",
                "at_home": 0.8,
            }
            | {"away": 0.8 - gap, "difference": gap, "low": low, "high": high}
            for i, (gap, low, high) in enumerate(differences)
        ]
    }


def trained(**settings: Any) -> Files:
    return {"provenance.json": {CORPUS: {"runs": {"encoder-1": {"system": "encoder", "settings": settings}}}}}


def query(predicted: list[list[str]] | None, is_known: bool = True) -> dict[str, Any]:
    return {
        "query": "films with ada",
        "in_test": True,
        "in_train": False,
        "gold": None,
        "predicted": {"encoder": predicted} if predicted is not None else {},
        "paper": [["ACTOR", "ada"]],
        "types_exist": {"ACTOR": is_known},
    }


RIVALS = """systems:
  - {system: rival, parameters: 1 M, score: 0.9, metric: entity_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: true, source: x}
  - {system: tokens, parameters: 1 M, score: 0.99, metric: token_micro_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: true, source: x}
  - {system: other, parameters: 1 M, score: 0.91, metric: entity_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: false, reason: why, source: x}
"""
BOUND = "bound, measured: corpus.json a.b, direction: at most, value: 10, partly: 20"
EQUALS = "equals, measured: corpus.json a.b, tolerance: 1, otherwise: contradicted"
FAILURES = "no_failures, on: [corpus.json a.b.x], beyond: corpus.json a.b.y"
EXIST = "all_exist, measured: corpus.json a.b"
TRUE = "is_true, measured: [corpus.json a.b.x, corpus.json a.b.y]"
RECIPE = "recipe, settings: {epochs: 4, batch_size: 32}"
CONVERGED = "converged, study: epochs_8, margin: 0.01, loss_margin: 0.01"
ABLATION = "ablation, studies: [no_clip, sgd], margin: 0.01"
CURVE = "saturates, study: learning_curve, fraction: 0.1, margin: 0.01"
FURTHER = "one_further_run, metric: entity_f1"
BETTER = "outperforms, metrics: [token_micro_f1, entity_f1]"
STREAM = "bound, measured: corpus.json a.b.x, per: corpus.json a.b.y, direction: at most, value: 1.1"
NEW = "new_types, study: new_types, per_type: 5, share: 0.8"
TRANSFERS = "transfers, corpora: [mit_movie_trivia, mit_restaurant], metric: entity_f1"
STABLE = "stable, spread: 0.02"
TUNED = "tuned, settings: {epochs: 4}, margin: 0.01"
HOME = "no_general_tagger"
AWAY = "good_away, corpus: mit_movie_trivia, share: 0.8"
RECALL = "lower_recall, by: seen, hard: unseen, easy: seen, margin: 0.05"
CONFUSED = "confused, types: [A, B], top: 1"
QUERIES = "queries, measured: corpus.json a.b"
FACTOR = "within_factor, measured: corpus.json a.b, factor: 2"
BOUNDS = "bounds, at_most: {corpus.json a.b.x: 1, corpus.json a.b.y: 1}"
TYPES = "every_type, strong: 0.8, weak: 0.5"
SPANS = "score_at_least, metric: span_f1, value: 0.9"
REDUCTION = "arithmetic, formula: reduction, arguments: [0.43, 0.10], rounding: 0.005"
FOUND = [["ACTOR", "ada"]]
