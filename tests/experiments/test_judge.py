"""Every rule reaches each of its verdicts on tables made by hand, and whatever is wrong in claims.yaml has its line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import judge
from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS
from claims.rules import RULES
from claims.schema import VERDICTS, read_published

ROOT = Path(__file__).resolve().parents[2]
CORPUS = "mit_movie_eng"
# The rows that the list of claims began with.
COUNTS = {"D": 9, "M": 3, "A": 3, "T": 5, "R": 10, "C": 4, "G": 4, "F": 4, "B": 1}
IDS = [f"{letter}{i}" for letter, n in COUNTS.items() for i in range(1, n + 1)]
PAPERS, OTHER = "bert-base-uncased", "tiny"

Files = dict[str, Any]


SIGNATURE = "entity_f1|avg:micro|split:test|corpus:mit_movie_eng|v:1"


def scores(weights: str = PAPERS, /, **systems: dict[int, float]) -> list[dict[str, Any]]:
    """Rows of scores.csv: system=(seed -> entity F1); the CRF has 0.8 unless it is given."""
    return [
        {"system": system, "encoder": "" if system == "crf" else weights, "seed": seed, "entity_f1": f1}
        | {"signature": SIGNATURE}
        for system, runs in ({"crf": {0: 0.8}} | systems).items()
        for seed, f1 in runs.items()
    ]


def intervals(**values: tuple[float, float, float]) -> list[dict[str, Any]]:
    """Rows of intervals.csv over sentences: metric=(value, low, high); the others are at 0.5."""
    return [
        {"system": "encoder", "metric": metric, "source": "sentences", "n": 9}
        | dict(zip(("value", "low", "high"), values.get(metric, (0.5, 0.4, 0.6)), strict=True))
        for metric in METRICS
    ]


def write(results: Path, files: Files) -> None:
    """Write result files: lists of rows as CSV, objects as JSON."""
    for name, content in files.items():
        path = results / ("" if name in ("provenance.json", "benchmarks.csv") else CORPUS) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            pd.DataFrame(content).to_csv(path, index=False)
        else:
            path.write_text(json.dumps(content))


def claims_file(folder: Path, entry: str) -> Path:
    """A claims.yaml with one entry; its lines are numbered from 4."""
    path = folder / "claims.yaml"
    path.write_text(f"corpus: {CORPUS}\nencoder: {PAPERS}\nclaims:\n" + entry)
    return path


def entry_of(rule: str, paper: str | None = None, more: str = "", kind: str = "value") -> str:
    paper_line = f"    paper_value: {paper}\n" if paper is not None else ""
    return (
        f'  - id: X1\n    section: "9"\n    claim: something\n    kind: {kind}\n{paper_line}'
        f"    judge: {{rule: {rule}}}\n{more}    command: make it\n"
    )


def judged(folder: Path, entry: str, files: Files, published: str | None = None) -> dict[str, str]:
    write(folder / "results", {"scores.csv": scores(encoder={1: 0.85})} | files)
    path = folder / "published.yaml"
    path.write_text(published or (ROOT / "experiments" / "published.yaml").read_text())
    (row,) = judge.judge_all(CORPUS, claims_file(folder, entry), path, folder / "results")
    return row


def corpus_value(value: Any) -> Files:
    return {"corpus.json": {"a": {"b": value}}}


def groups(by: str, *rows: tuple[str, str, float, float, float]) -> Files:
    """Rows of intervals_by_group.csv, (group, than, value, low, high), beside one of another grouping."""
    shared = {"system": "encoder", "support": 9}
    other = shared | {"by": "other", "group": "x", "than": "", "value": 0, "low": 0, "high": 0, "support": ""}
    columns = ("group", "than", "value", "low", "high")
    made = [shared | {"by": by} | dict(zip(columns, row, strict=True)) for row in rows]
    return {"intervals_by_group.csv": [other, *made]}


def by_type(*intervals: tuple[float, float, float]) -> Files:
    return groups("type", *((f"T{i}", "", *ends) for i, ends in enumerate(intervals)))


def elsewhere(*differences: tuple[float, float, float], system: str = "encoder") -> Files:
    """Other corpora's comparisons with the CRF: (difference, low, high) on trivia, then on restaurants."""
    return {
        f"../{corpus}/comparisons.csv": [
            {"system_a": system, "system_b": "crf", "metric": "entity_f1", "a": 0.8 + gap, "b": 0.8}
            | {"difference": gap, "low": low, "high": high}
        ]
        for corpus, (gap, low, high) in zip(("mit_movie_trivia", "mit_restaurant"), differences, strict=False)
    }


def comparison(*rows: tuple[str, float, float], width: float = 0.01) -> Files:
    return {
        "comparisons.csv": [
            {"system_a": "encoder", "system_b": "crf", "metric": metric, "difference": d, "p_value": p}
            | {"b": 0.8, "low": d - 0.01, "high": d + 0.01}
            for metric, d, p in rows
        ],
        "intervals.csv": [
            {"system": "encoder", "metric": metric, "source": "seeds", "low": 0.8 + d - width, "high": 0.8 + d + width}
            for metric, d, _ in rows
        ],
    }


def confusions(**ranks: tuple[int, int, int]) -> Files:
    return groups("confusion", *((pair.replace("_", " / "), "", *ends) for pair, ends in ranks.items()))


def gap(value: float, low: float, high: float) -> Files:
    """Recall of entities seen above that of unseen ones."""
    recalls = ("seen", "", 0.9, 0.8, 1), ("unseen", "", 0.5, 0.4, 0.6)
    return groups("seen", *recalls, ("seen", "unseen", value, low, high))


def few(*f1: float) -> Files:
    """Draws of five sentences of each type; with all, the encoder has 0.85."""
    return {
        "studies.csv": [
            {"study": "few_shot", "system": system, "encoder": "", "seed": seed, "per_type": 5, "test_entity_f1": value}
            | {"signature": SIGNATURE}
            for system in ("crf", "encoder")
            for seed, value in enumerate(f1)
        ]
    }


def epochs(short: tuple[float, float], longer: tuple[float, float], seed: int = 1) -> Files:
    """The last epochs' F1 and loss; beside them, a study of a system without epochs."""

    def rows(epoch: int, last: tuple[float, float], seed: int) -> list[dict[str, Any]]:
        before = {"epoch": epoch - 1, "validation_entity_f1": 0.1, "validation_loss": 9.0}
        at_last = {"epoch": epoch, "validation_entity_f1": last[0], "validation_loss": last[1]}
        return [{"system": "encoder", "encoder": PAPERS, "seed": seed} | row for row in (before, at_last)]

    without_epochs = {"study": "learning_curve", "system": "crf", "encoder": "", "seed": 1, "test_entity_f1": 0.5}
    return {
        "history.csv": rows(4, short, 1),
        "studies.csv": [*({"study": "epochs_8"} | row for row in rows(8, longer, seed)), without_epochs],
    }


def study(signature: str = SIGNATURE, /, **finals: float) -> Files:
    return {
        "studies.csv": [
            {"study": name, "system": "encoder", "encoder": PAPERS, "seed": 1, "epoch": epoch, "test_entity_f1": f1}
            | {"signature": signature if f1 else ""}
            for name, final in finals.items()
            for epoch, f1 in ((1, ""), (2, final))
        ]
    }


def curve(at_a_tenth: float) -> Files:
    without_fraction = {"study": "few_shot", "system": "encoder", "encoder": PAPERS, "seed": 1, "test_entity_f1": 0.5}
    return {
        "studies.csv": [
            without_fraction | {"signature": SIGNATURE},
            *(
                {"study": "learning_curve", "system": system, "encoder": encoder, "seed": 1, "fraction": 0.1}
                | {"epoch": 4, "test_entity_f1": f1, "signature": SIGNATURE}
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


PUBLISHED = """systems:
  - {system: rival, parameters: 1 M, score: 0.9, metric: entity_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: true, source: x}
  - {system: tokens, parameters: 1 M, score: 0.99, metric: token_micro_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: true, source: x}
  - {system: other, parameters: 1 M, score: 0.99, metric: entity_f1, corpus: mit_movie_eng,
     test_set: mit_movie_eng, comparable: false, reason: why, source: x}
"""
BOUND = "bound, measured: {corpus.json: a.b}, direction: at most, value: 10, partly: 20, otherwise: not reproduced"
EQUALS = "equals, measured: {corpus.json: a.b}, tolerance: 1, otherwise: contradicted"
FAILURES = "no_failures, on: [{corpus.json: a.b.x}], beyond: {corpus.json: a.b.y}, otherwise: contradicted"
EXIST = "all_exist, measured: {corpus.json: a.b}, otherwise: contradicted"
TRUE = "is_true, measured: [{corpus.json: a.b.x}, {corpus.json: a.b.y}]"
RECIPE = "recipe, settings: {epochs: 4, batch_size: 32}"
CONVERGED = "converged, study: epochs_8, margin: 0.01, loss_margin: 0.01"
ABLATION = "ablation, studies: [no_clip, sgd], margin: 0.01"
CURVE = "saturates, study: learning_curve, fraction: 0.1, margin: 0.01"
WHICH = "which_metric, meant: entity_f1"
BETTER = "outperforms, metrics: [token_micro_f1, entity_f1]"
STREAM = ("bound, measured: {corpus.json: a.b.x}, per: {corpus.json: a.b.y}, direction: at most, value: 1.1, "
          "otherwise: not reproduced")  # fmt: skip
FEW = "few_shot, study: few_shot, per_type: 5, share: 0.8"
TRANSFERS = "transfers, corpora: [mit_movie_trivia, mit_restaurant], metric: entity_f1"
RECALL = "lower_recall, by: seen, hard: unseen, easy: seen, margin: 0.05"
CONFUSED = "confused, types: [A, B], top: 1"
QUERIES = "queries, measured: {corpus.json: a.b}"
FACTOR = "within_factor, measured: {corpus.json: a.b}, factor: 2"
BOUNDS = "bounds, measured: [{corpus.json: a.b.x}, {corpus.json: a.b.y}], at_most: [1, 1]"
TYPES = "every_type, strong: 0.8, weak: 0.5"
SPANS = "score_at_least, metric: span_f1, value: 0.9"
REDUCTION = "arithmetic, formula: reduction, arguments: [0.43, 0.10], rounding: 0.005"
OURS = [["ACTOR", "ada"]]

CASES = [
    (EQUALS, "5", corpus_value(6), "reproduced"),
    (EQUALS, "5", corpus_value(7), "contradicted"),
    ("equals, measured: {corpus.json: a.b}, otherwise: contradicted, above: partly", "5", corpus_value(7), "partly"),
    (EQUALS.replace("contradicted", "not reproduced"), "[x, y]", corpus_value(["x"]), "not reproduced"),
    (EQUALS.replace("tolerance: 1", "relative: 0.1"), "100", corpus_value(91), "reproduced"),
    (BOUND, None, corpus_value(10), "reproduced"),
    (BOUND, None, corpus_value(20), "partly"),
    (BOUND, None, corpus_value(20.1), "not reproduced"),
    (BOUND.replace("at most", "at least").replace("partly: 20", "per: 2"), None, corpus_value(20), "reproduced"),
    (REDUCTION, "0.76", {}, "reproduced"),
    (REDUCTION, "0.74", {}, "contradicted"),
    ("arithmetic, formula: classes of BIO, arguments: [12]", "25", {}, "reproduced"),
    ("arithmetic, formula: sum, arguments: [{corpus.json: a.b}, 1], value: {corpus.json: a.b}", None, corpus_value(1),
     "contradicted"),
    (FAILURES, None, corpus_value({"x": 0, "y": 0}), "reproduced"),
    (FAILURES, None, corpus_value({"x": 0, "y": 2}), "partly"),
    (FAILURES, None, corpus_value({"x": 1, "y": 0}), "contradicted"),
    (EXIST, None, corpus_value({"ACTOR": "ACTOR", "YEAR": "DATE"}), "reproduced"),
    (EXIST, None, corpus_value({"ACTOR": "ACTOR", "QUOTE": None}), "contradicted"),
    (TRUE, None, corpus_value({"x": True, "y": True}), "reproduced"),
    (TRUE, None, corpus_value({"x": True, "y": False}), "partly"),
    (TRUE, None, corpus_value({"x": False, "y": False}), "not reproduced"),
    (RECIPE, None, trained(epochs=4, batch_size=32, more=1), "reproduced"),
    (RECIPE, None, trained(epochs=8, batch_size=32), "partly"),
    (RECIPE, None, trained(epochs=8, batch_size=64), "not reproduced"),
    (RECIPE, None, {"provenance.json": {}}, "not tested"),
    ("losses, tolerance: 0.02", "[0.4, 0.2]", losses(0.41, 0.19), "reproduced"),
    ("losses, tolerance: 0.02", "[0.4, 0.2]", losses(0.41, 0.3), "partly"),
    ("losses, tolerance: 0.02", "[0.4, 0.2]", losses(0.8, 0.3), "not reproduced"),
    ("losses, tolerance: 0.02", "[0.4, 0.2]", losses(0.4), "not tested"),
    ("reduction, tolerance: 0.02", "0.5", losses(0.4, 0.2), "reproduced"),
    ("reduction, tolerance: 0.02", "0.5", losses(0.4, 0.1), "not reproduced"),
    (CONVERGED, "2", epochs((0.8, 0.3), (0.805, 0.305)), "reproduced"),
    (CONVERGED, "2", epochs((0.8, 0.3), (0.9, 0.305)), "partly"),
    (CONVERGED, "2", epochs((0.8, 0.3), (0.9, 0.1)), "not reproduced"),
    (CONVERGED, "2", epochs((0.8, 0.3), (0.9, 0.1), seed=2), "not tested"),
    (ABLATION, None, study(no_clip=0.8, sgd=0.1), "reproduced"),
    (ABLATION, None, study(no_clip=0.849, sgd=0.1), "partly"),
    (ABLATION, None, study(no_clip=0.849, sgd=0.9), "not reproduced"),
    (ABLATION, None, study(no_clip=0.849), "not tested"),
    (CURVE, None, curve(0.845), "reproduced"),
    (CURVE, None, curve(0.6), "partly"),
    (CURVE, None, curve(0.6) | {"scores.csv": scores(encoder={1: 0.7})}, "not reproduced"),
    (WHICH, "0.9447", {"intervals.csv": intervals(entity_f1=(0.94, 0.93, 0.95))}, "reproduced"),
    (WHICH, "0.9447", {"intervals.csv": intervals(token_micro_f1=(0.94, 0.93, 0.95))}, "partly"),
    (WHICH, "0.9447", {"intervals.csv": intervals()}, "not reproduced"),
    (SPANS, None, {"intervals.csv": intervals(span_f1=(0.93, 0.91, 0.95))}, "reproduced"),
    (SPANS, None, {"intervals.csv": intervals(span_f1=(0.89, 0.88, 0.91))}, "partly"),
    (SPANS, None, {"intervals.csv": intervals()}, "not reproduced"),
    (BETTER, None, comparison(("token_micro_f1", 0.02, 0.05), ("entity_f1", 0.02, 0.001)), "reproduced"),
    # Holm's correction makes 0.08 of both.
    (BETTER, None, comparison(("token_micro_f1", 0.02, 0.04), ("entity_f1", 0.02, 0.04)), "not reproduced"),
    (BETTER, None, comparison(("token_micro_f1", 0.02, 0.05), ("entity_f1", 0.02, 0.001), width=0.03), "partly"),
    (BETTER, None, comparison(("token_micro_f1", 0.02, 0.001), ("entity_f1", 0.02, 0.051)), "partly"),
    (BETTER, None, comparison(("token_micro_f1", -0.02, 0.01), ("entity_f1", 0.02, 0.6)), "not reproduced"),
    (BETTER, None, {"scores.csv": scores(encoder={1: 0.9})[1:]}, "not tested"),
    ("best_published, metric: entity_f1", None, {"intervals.csv": intervals(entity_f1=(0.9, 0.8, 0.95))}, "reproduced"),
    ("best_published, metric: entity_f1", None, {"intervals.csv": intervals(entity_f1=(0.89, 0.8, 0.9))}, "partly"),
    ("best_published, metric: entity_f1", None, {"intervals.csv": intervals()}, "not reproduced"),
    ("best_published, metric: span_f1", None, {}, "not tested"),
    ("few_published, at_most: 1", None, {}, "reproduced"),
    ("few_published, at_most: 0", None, {}, "not reproduced"),
    (TYPES, None, by_type((0.9, 0.8, 0.95), (0.9, 0.85, 0.95)), "reproduced"),
    (TYPES, None, by_type((0.9, 0.79, 0.95), (0.9, 0.85, 0.95)), "partly"),
    (TYPES, None, by_type((0.4, 0.3, 0.5), (0.9, 0.85, 0.95)), "partly"),
    (TYPES, None, by_type((0.4, 0.3, 0.49), (0.9, 0.85, 0.95)), "not reproduced"),
    (TRANSFERS, None, elsewhere((0.02, 0.01, 0.03), (0.05, 0.01, 0.09)), "reproduced"),
    (TRANSFERS, None, elsewhere((0.02, 0.01, 0.03), (0.05, -0.01, 0.09)), "partly"),
    (TRANSFERS, None, elsewhere((0.02, -0.01, 0.03), (-0.05, -0.09, -0.01)), "not reproduced"),
    (TRANSFERS, None, elsewhere((0.02, 0.01, 0.03)), "not tested"),
    (TRANSFERS, None, elsewhere((0.02, 0.01, 0.03), (0.05, 0.01, 0.09), system="other"), "not tested"),
    # The interval of the mean of 0.7 and 0.72 is 0.71 -+ 12.7 * 0.01, in shares of 0.85: 0.686 to 0.985.
    (FEW, None, few(0.7, 0.72), "partly"),
    (FEW, None, few(0.7, 0.7), "reproduced"),
    (FEW, None, few(0.6, 0.6), "not reproduced"),
    (FEW, None, few(0.7), "not tested"),
    (STREAM, None, corpus_value({"x": 110, "y": 100}), "reproduced"),
    (STREAM, None, corpus_value({"x": 111, "y": 100}), "not reproduced"),
    (CONFUSED, None, confusions(A_B=(1, 1, 1), A_C=(2, 2, 3)), "reproduced"),
    (CONFUSED, None, confusions(A_B=(2, 1, 3), A_C=(1, 1, 2)), "partly"),
    (CONFUSED, None, confusions(A_B=(2, 2, 3), A_C=(1, 1, 1)), "not reproduced"),
    (CONFUSED, None, confusions(A_C=(1, 1, 1)), "not reproduced"),
    (RECALL, None, gap(0.1, 0.05, 0.15), "reproduced"),
    (RECALL, None, gap(0.1, 0.04, 0.15), "partly"),
    (RECALL, None, gap(0.1, 0, 0.2), "not reproduced"),
    (QUERIES, None, corpus_value([query(OURS), query(OURS)]), "reproduced"),
    (QUERIES, None, corpus_value([query(OURS), query([])]), "partly"),
    (QUERIES, None, corpus_value([query([])]), "not reproduced"),
    (QUERIES, None, corpus_value([query(None)]), "not tested"),
    (QUERIES, None, corpus_value([query(OURS), query(OURS, is_known=False)]), "contradicted"),
    (FACTOR, "10", corpus_value(20), "reproduced"),
    (FACTOR, "10", corpus_value(4.9), "not reproduced"),
    (FACTOR.replace("a.b", "a.b.x") + ", per: {corpus.json: a.b.y}, times: 100", "10", corpus_value({"x": 1, "y": 10}),
     "reproduced"),
    (FACTOR.replace("a.b", "a.b.x") + ", per: {corpus.json: a.b.y}, times: 10", "10", corpus_value({"x": 1, "y": 10}),
     "not reproduced"),
    (BOUNDS, None, corpus_value({"x": 1, "y": 0}), "reproduced"),
    (BOUNDS, None, corpus_value({"x": 1, "y": 2}), "partly"),
    (BOUNDS, None, corpus_value({"x": 3, "y": 2}), "not reproduced"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "paper", "files", "verdict"), CASES)
def test_a_rule_gives_its_verdict(tmp_path: Path, rule: str, paper: str | None, files: Files, verdict: str) -> None:
    row = judged(tmp_path, entry_of(rule, paper), files, PUBLISHED)
    assert row["verdict"] == verdict, row["evidence"]
    assert row["evidence"]


def test_studies_that_were_scored_otherwise_are_not_compared(tmp_path: Path) -> None:
    older = study(SIGNATURE.replace("v:1", "v:0"), no_clip=0.5, sgd=0.5)
    row = judged(tmp_path, entry_of(ABLATION), older)
    assert row["verdict"] == "not tested"
    assert "v:0" in row["evidence"]
    assert "v:1" in row["evidence"]


def test_every_rule_has_a_case() -> None:
    tried = {rule.partition(",")[0] for rule, *_ in CASES} | {"stated"}
    assert tried == set(RULES)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_only_a_claim_of_existence_has_a_typed_verdict_and_says_so(tmp_path: Path, verdict: str) -> None:
    entry = entry_of(f"stated, verdict: {verdict}, reason: it is empty", kind="existence")
    row = judged(tmp_path, entry, {})
    assert (row["verdict"], row["evidence"]) == (verdict, "read in the paper, not measured: it is empty")
    with pytest.raises(BertNerError, match=r"claims.yaml, line 8: only a claim of kind existence"):
        judged(tmp_path, entry.replace("existence", "value"), {})


def test_the_evidence_names_the_closest_metric_and_both_sources_of_doubt(tmp_path: Path) -> None:
    rows = intervals(token_micro_f1=(0.93, 0.92, 0.94), entity_f1=(0.86, 0.85, 0.87))
    # n = 3, so one further run lies within twice the half-width of the mean's interval: 0.91 to 0.95.
    rows.append({"system": "encoder", "metric": "token_micro_f1", "source": "seeds", "n": 3}
                | {"value": 0.93, "low": 0.92, "high": 0.94})  # fmt: skip
    row = judged(tmp_path, entry_of(WHICH, "0.9447"), {"intervals.csv": rows})
    assert row["verdict"] == "partly"
    assert "0.9447 is closest to token_micro_f1." in row["evidence"]
    assert (
        "token_micro_f1 0.9300 (sentences 0.9200 to 0.9400, one further run 0.9100 to 0.9500): inside (one further run)"
        in row["evidence"]
    )
    assert "entity_f1 0.8600 (sentences 0.8500 to 0.8700): outside" in row["evidence"]
    assert (row["measured"], row["low"], row["high"]) == ("0.860000", "0.850000", "0.870000")


@pytest.mark.parametrize(("use", "encoder", "verdict", "evidence"), [
    ("comparable", OTHER, "partly", "measured on tiny, not on bert-base-uncased: "),
    ("comparable", PAPERS, "reproduced", "corpus.json a.b is 5"),
    ("comparable", f"encoders/{PAPERS}", "reproduced", "corpus.json a.b is 5"),
    ("required", OTHER, "not tested", "the claim is about bert-base-uncased itself and tiny was measured; "),
    ("required", PAPERS, "reproduced", "corpus.json a.b is 5"),
    ("vocabulary", OTHER, "not tested", "the claim is about the word pieces of bert-base-uncased, and tiny may cut "),
    ("shape", OTHER, "partly", "bert-base-uncased as the library describes it, without its weights: "),
    ("shape", PAPERS, "reproduced", "corpus.json a.b is 5"),
    ("vocabulary", "all-MiniLM-L6-v2", "reproduced", "measured on all-MiniLM-L6-v2, which cuts words as bert-base"),
    ("vocabulary", PAPERS, "reproduced", "corpus.json a.b is 5"),
])  # fmt: skip
def test_another_encoder_is_named_and_caps_the_verdict_and_the_papers_own_needs_no_edit(
    tmp_path: Path, use: str, encoder: str, verdict: str, evidence: str
) -> None:
    files = corpus_value(5) | {"scores.csv": scores(encoder, encoder={1: 0.9})}
    row = judged(tmp_path, entry_of(EQUALS, "5", more=f"    encoder: {use}\n"), files)
    assert (row["verdict"], row["system"]) == (verdict, f"encoder ({encoder})")
    assert row["evidence"].startswith(evidence)


@pytest.mark.parametrize(("digest", "verdict"), [
    ("68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3", "reproduced"), ("0" * 64, "partly"),
])  # fmt: skip
def test_the_papers_encoder_is_known_by_its_weights(tmp_path: Path, digest: str, verdict: str) -> None:
    folder = "/somewhere/bert" if verdict == "reproduced" else PAPERS
    files = corpus_value(5) | {
        "scores.csv": scores(folder, encoder={1: 0.9}),
        "provenance.json": {
            CORPUS: {"runs": {"encoder-1": {"settings": {"name": folder}, "weights": {"sha256": digest}}}}
        },
    }
    assert judged(tmp_path, entry_of(EQUALS, "5", more="    encoder: comparable\n"), files)["verdict"] == verdict


def test_the_papers_encoder_is_preferred_where_several_were_scored(tmp_path: Path) -> None:
    both = [*scores(OTHER, encoder={1: 0.9}), *scores(PAPERS, bert={1: 0.9})]
    row = judged(
        tmp_path, entry_of(EQUALS, "5", more="    encoder: comparable\n"), corpus_value(5) | {"scores.csv": both}
    )
    assert (row["verdict"], row["system"]) == ("reproduced", "bert (bert-base-uncased)")


@pytest.mark.parametrize(("rule", "files"), [
    (QUERIES, corpus_value([query(OURS)])),
    (ABLATION, study(no_clip=0.8, sgd=0.1)),
    (FEW, few(0.7, 0.7)),
    (TRANSFERS, elsewhere((0.02, 0.01, 0.03), (0.05, 0.01, 0.09))),
    ("bound, measured: {benchmarks.csv: 'seconds where system={system}'}, direction: at most, value: 2, "
     "otherwise: not reproduced", {"benchmarks.csv": [{"system": "encoder", "seconds": 1}]}),
])  # fmt: skip
def test_what_was_measured_on_a_lesser_encoder_alone_is_judged_on_that_and_names_it(
    tmp_path: Path, rule: str, files: Files
) -> None:
    scored = [*scores("all-MiniLM-L6-v2", encoder={1: 0.85}), *scores(PAPERS, bert={1: 0.9})[1:]]
    # A study's rows are those of the system, not of every system with its encoder.
    scored.append(scored[1] | {"system": "encoder_crf", "entity_f1": 0.1})
    entry = entry_of(rule, more="    encoder: comparable\n")
    row = judged(tmp_path, entry, files | {"scores.csv": scored})
    assert (row["verdict"], row["system"]) == ("partly", "encoder (all-MiniLM-L6-v2)")
    assert row["evidence"].startswith("measured on all-MiniLM-L6-v2, not on bert-base-uncased: ")


def test_a_claim_about_word_pieces_names_the_encoder_whose_pieces_were_counted(tmp_path: Path) -> None:
    scored = [*scores("all-MiniLM-L6-v2", encoder={1: 0.8}), *scores("all-mpnet-base-v2", large={1: 0.9})]
    files = corpus_value(5) | {"scores.csv": scored, "audit.json": {"encoder": {"name": "all-MiniLM-L6-v2"}}}
    for use, system in (("vocabulary", "encoder (all-MiniLM-L6-v2)"), ("comparable", "large (all-mpnet-base-v2)")):
        assert judged(tmp_path, entry_of(EQUALS, "5", more=f"    encoder: {use}\n"), files)["system"] == system


def test_the_evidence_says_how_sure_it_is(tmp_path: Path) -> None:
    row = judged(tmp_path, entry_of(TYPES), by_type((0.4, 0.3, 0.45), (0.9, 0.79, 0.95), (0.95, 0.9, 0.99)))
    assert "of 3 types, F1 is surely 0.8 or more for 1, surely less for 1, of which 1 surely below" in row["evidence"]
    assert "and open for 1; " in row["evidence"]
    assert "T0 0.4000 (0.3000 to 0.4500, 9 entities), T1 0.9000 (0.7900 to 0.9500" in row["evidence"]
    assert (row["measured"], row["low"], row["high"]) == ("0.400000", "0.300000", "0.450000")
    row = judged(tmp_path, entry_of(RECALL), gap(0.1, 0.05, 0.15))
    assert "unseen: 0.5000 (0.4000 to 0.6000) of 9; seen: 0.9000 (0.8000 to 1.0000) of 9" in row["evidence"]
    assert (row["measured"], row["low"], row["high"]) == ("0.100000", "0.050000", "0.150000")


def test_a_worse_verdict_is_not_lifted_by_the_cap(tmp_path: Path) -> None:
    files = corpus_value(9) | {"scores.csv": scores(OTHER, encoder={1: 0.9})}
    assert judged(tmp_path, entry_of(EQUALS, "5", more="    encoder: comparable\n"), files)["verdict"] == "contradicted"


def test_a_proxy_is_named_and_at_best_partly(tmp_path: Path) -> None:
    row = judged(tmp_path, entry_of(EQUALS, "5", more="    proxy: it stands in\n"), corpus_value(5))
    assert (row["verdict"], row["evidence"]) == ("partly", "corpus.json a.b is 5; it stands in")


def test_what_stands_beside_is_quoted_as_far_as_it_was_measured(tmp_path: Path) -> None:
    beside = '    beside: [{studies.csv: x where study=y}, {scores.csv: "entity_f1 where system={system}"}]\n'
    row = judged(tmp_path, entry_of(EQUALS, "5", more=beside), corpus_value(5))
    assert row["evidence"] == "corpus.json a.b is 5; beside: scores.csv entity_f1 where system=ours is 0.85"


@pytest.mark.parametrize(("rule", "files", "evidence"), [
    (BOUND, {}, "corpus.json has not been made yet; run make it"),
    (WHICH, {}, "intervals.csv has not been made yet; run make it"),
    ("bound, measured: {benchmarks.csv: 'seconds where task=train'}, direction: at most, value: 1, "
     "otherwise: not reproduced", {"benchmarks.csv": [{"task": "tag", "seconds": 1}]},
     "benchmarks.csv has no row with task=train yet; run make it"),
])  # fmt: skip
def test_what_has_not_been_measured_is_not_tested_and_names_the_command(
    tmp_path: Path, rule: str, files: Files, evidence: str
) -> None:
    row = judged(tmp_path, entry_of(rule, "0.9"), files)
    assert (row["verdict"], row["evidence"], row["measured"]) == ("not tested", evidence, "")


BROKEN = [
    # what is replaced in the entry, by what, the line, the message
    ("    kind: value", "    knid: value", 7, "unknown key 'knid'; the keys here are id, section"),
    ("    kind: value", "    kind: guess", 7, "kind must be one of count, arithmetic, .*, not 'guess'"),
    ('    section: "9"', "    section: 3.1", 5, r"section must be text \(in quotes, if .*\), not 3.1"),
    ("    claim: something", "    claim:", 6, "claim must be text .*, not nothing"),
    ("    command: make it\n", "", 4, "no command in this entry; add it"),
    ("    paper_value: 5", "    paper_value: {a: 1}", 8, r"paper_value must be a number, text .*, not \{a: 1\}"),
    ("rule: equals, ", "", 9, "judge names no rule; there are equals, bound"),
    ("rule: equals", "rule: equal", 9, "no rule is named 'equal'; there are equals, bound"),
    ("tolerance: 1", "tolerance: 'about 1'", 9, "tolerance must be a number, not 'about 1'"),
    ("tolerance: 1", "tolerence: 1", 9, "unknown key 'tolerence'; the keys here are rule, measured"),
    ("otherwise: contradicted", "otherwise: false claim", 9, "otherwise must be one of reproduced, partly"),
    (", otherwise: contradicted", "", 9, "no otherwise in this entry"),
    ("{corpus.json: a.b}", "{corpus.json: a.c}", 9, "corpus.json has no 'a.c': where 'c' should be there is b"),
    ("{corpus.json: a.b}", "{corpus.json: a.b.c}", 9, "where 'c' should be there is the value 5"),
    ("{corpus.json: a.b}", "{corps.json: a.b}", 9, "no result is named 'corps.json'; there are audit.json, "),
    ("{corpus.json: a.b}", "corpus.json", 9, "measured must be a file of results/ and a path into it"),
    ("{corpus.json: a.b}", "{scores.csv: f1 where system=crf}", 9, "scores.csv has no column 'f1'; it has system"),
    ("{corpus.json: a.b}", "{scores.csv: seed where system=hmm}", 9, "scores.csv has no row with system=hmm; mend"),
    ("{corpus.json: a.b}", "{scores.csv: system where seed=0}", 9, "scores.csv: no number in 'system where seed=0'"),
    ("{corpus.json: a.b}", "{scores.csv: system of crf}", 9, "'system of crf' names no cell of a table; write: column"),
    ("{corpus.json: a.b}", "[{corpus.json: a.b}]", 8, None),
    ("{corpus.json: a.b}", "[{corpus.json: a.b}, {corpus.json: a.b}]", 8, "2 sources are measured; give as many"),
    ("equals, ", "score_at_least, metric: f_one, ", 9, "metric must be one of token_micro_f1, .*, not 'f_one'"),
    (EQUALS, "arithmetic, formula: cube, arguments: [1]", 9, "no formula is named 'cube'; there are sum, ratio"),
    (EQUALS, "arithmetic, formula: sum, arguments: [1]", 9, "'sum' takes 2 arguments, not 1"),
    (EQUALS, "arithmetic, formula: sum, arguments: [1, {scores.csv: encoder}]", 9, "scores.csv: no number"),
    (EQUALS, "within_factor, measured: {corpus.json: a}, factor: 2", 9, "corpus.json a is .*, not a number"),
    (EQUALS, "recipe, settings: {epohcs: 4}", 9, "the runs have no setting 'epohcs'; they have epochs"),
    ("    command", "    encoder: any\n    command", 10, "encoder must be one of required, comparable, vocabulary"),
    ("    command", "    id: again\n    command", 10, "is not YAML"),
    ("    command: make it\n", "    command: make it\n  - id: X1\n    section: '1'\n    claim: a\n    kind: value\n"
     "    judge: {rule: few_published, at_most: 1}\n    command: b\n", 11, "id X1 is taken by line 4"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), BROKEN)
def test_what_is_wrong_in_the_file_stops_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str | None
) -> None:
    entry = entry_of(EQUALS, "5")
    assert old in entry
    files = corpus_value(5) | trained(epochs=4)
    if message is None:
        assert judged(tmp_path, entry.replace(old, new), files)["verdict"] == "reproduced"
        return
    with pytest.raises(BertNerError, match=message) as caught:
        judged(tmp_path, entry.replace(old, new), files)
    assert re.search(rf"claims\.yaml\"?, line {line}\b", str(caught.value)), str(caught.value)


@pytest.mark.parametrize(("content", "message"), [
    ("", r"claims.yaml, line 1: expected the keys corpus, encoder, claims, not nothing"),
    ("corpus: x\nencoder: y\nclaims: []\n", r"claims.yaml, line 3: claims must be a list of entries, not \[\]"),
    ("corpus: x\nencoder: y\nclaims:\n  - D1\n", r"claims.yaml, line 4: expected the keys id, section"),
    ("corpus: [\n", r"claims.yaml is not YAML: "),
])  # fmt: skip
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "claims.yaml").write_text(content)
    with pytest.raises(BertNerError, match=message):
        judge.judge_all(CORPUS, tmp_path / "claims.yaml", ROOT / "experiments" / "published.yaml", tmp_path)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("score: 0.9,", "score: 90.2,", r"published.yaml, line 2: score must be a fraction between 0 and 1, not 90.2"),
    ("reason: why, ", "", r"published.yaml, line 7: it is not comparable, but no reason says why"),
    ("comparable: true", "comparable: perhaps", r"published.yaml, line 3: comparable must be true or false"),
    (", source: x}", "}", r"published.yaml, line 2: no source in this entry; add it"),
])  # fmt: skip
def test_what_is_wrong_with_a_published_score_stops_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "published.yaml"
    path.write_text(PUBLISHED.replace(old, new, 1))
    with pytest.raises(BertNerError, match=message):
        read_published(path)


def test_the_real_claims_are_judged_on_the_committed_results() -> None:
    rows = judge.judge_all(CORPUS, judge.CLAIMS, judge.PUBLISHED, ROOT / "results")
    assert set(IDS) <= {row["id"] for row in rows}
    assert {row["verdict"] for row in rows} <= set(VERDICTS)
    assert all(row["evidence"] for row in rows)
    verdicts = {row["id"]: row["verdict"] for row in rows}
    assert (verdicts["D1"], verdicts["D2"], verdicts["D4"]) == ("contradicted", "reproduced", "contradicted")
    # As long as these are the results of another encoder than the paper's.
    of_encoder = {"comparable": {"partly", "not reproduced", "contradicted", "not tested"}, "required": {"not tested"}}
    _, _, entries = judge.read_claims(judge.CLAIMS, judge.KEYS)
    for claim in entries:
        assert verdicts[claim.entry["id"]] in of_encoder.get(claim.entry.get("encoder"), VERDICTS)


def test_on_another_corpus_the_table_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["judge.py", "--corpus", "sample"])
    judge.main()
    assert (tmp_path / "sample" / "claims.csv").read_text() == ",".join(judge.COLUMNS) + "\n"


def test_the_table_has_a_row_per_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"scores.csv": scores(encoder={1: 0.9})} | corpus_value(5))
    monkeypatch.setattr(judge, "RESULTS", tmp_path)
    monkeypatch.setattr(judge, "CLAIMS", claims_file(tmp_path, entry_of(EQUALS, "5")))
    monkeypatch.setattr("sys.argv", ["judge.py"])
    judge.main()
    lines = (tmp_path / CORPUS / "claims.csv").read_text().splitlines()
    assert lines == [",".join(judge.COLUMNS), "X1,9,something,value,5,5,,,reproduced,,corpus.json a.b is 5"]
