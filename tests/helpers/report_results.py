"""Result files of one corpus with hostile text in them, made by hand for tests of the report."""

from __future__ import annotations

import json
from pathlib import Path

from harness.tables import TABLES

import pandas as pd
import pytest

import report

HOSTILE = "<script>alert(1)</script>"
IMAGE = '"><img/src=x/onerror=alert(1)>'
BY_TYPE = "system,seed,type,support,precision,recall,f1\n"
TYPES = ("ACTOR", HOSTILE)
RUNS = (("crf", "", 0, 0.85), ("encoder", "tiny", 1, 0.8), ("encoder", "tiny", 2, 0.9))
GOLD = [["B-ACTOR", "I-ACTOR", "O"], [f"B-{HOSTILE}", "O"], ["O"]]
WORDS = [["mel", IMAGE, HOSTILE], ["&amp;", "x"], ["right"]]
TAGS = {
    "crf-0": [["B-ACTOR", "O", "O"], ["O", "O"], ["O"]],
    "encoder-1": [["B-ACTOR", "I-ACTOR", "O"], [f"B-{HOSTILE}", "I-ACTOR"], ["O"]],
}


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows with every column of the table; absent cells are empty."""
    pd.DataFrame(rows).reindex(columns=list(TABLES[path.stem].columns)).to_csv(path, index=False)


def write_results(root: Path, corpus: str) -> Path:
    """Write the files of evaluate.py and prepare.py, without which there is no report."""
    folder = root / corpus
    folder.mkdir(parents=True)
    signature = f"entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test|corpus:{corpus}|data:0|v:0"
    values = {"token_micro_f1": 0.94, "token_micro_f1_no_o": 0.8, "token_macro_f1": 0.7, "entity_precision": 0.6}
    write_table(folder / "scores.csv", [
        {"corpus": corpus, "system": system, "encoder": encoder, "seed": seed, "split": "test", "n_sentences": 3,
         **values, "entity_recall": 0.5, "entity_f1": f1, "entity_f1_strict": f1, "signature": signature}
        for system, encoder, seed, f1 in RUNS
    ])  # fmt: skip
    write_table(folder / "scores_by_type.csv", [
        {"system": system, "seed": seed, "type": name, "support": n, "precision": 1, "recall": 1, "f1": f1}
        for system, _, seed, f1 in RUNS
        for name, n in zip(TYPES, (3, 30), strict=True)
    ])  # fmt: skip
    write_table(folder / "confusion.csv", [
        {"system": system, "seed": seed, "gold": "ACTOR", "predicted": predicted, "words": 4}
        for system, _, seed, _ in RUNS
        for predicted in ("O", HOSTILE)
    ])  # fmt: skip
    write_table(folder / "history.csv", [
        {"system": system, "encoder": "tiny", "seed": seed, "epoch": epoch, "train_loss": loss / epoch,
         "validation_loss": 0.5, "validation_entity_f1": 0.5, "seconds": 1}
        for system, loss in (("bilstm", 2), ("encoder", 1))
        for seed in (1, 2)
        for epoch in (1, 2)
    ])  # fmt: skip
    part = {"sentences": 1234}
    facts = {"train": part, "validation": part, "test": part, "types": 2, "tags": 5}
    (folder / "corpus.json").write_text(json.dumps(facts))
    return folder


def write_more(root: Path, corpus: str) -> None:
    """Write the files of the other stages."""
    folder = root / corpus
    write_table(folder / "intervals.csv", [
        {"system": system, "metric": "entity_f1", "source": source, "value": 0.85, "low": 0.84, "high": 0.86, "n": 3,
         "level": 0.95, "method": source + " method", "signature": "s", "sd": sd}
        for system, source, sd in (("crf", "sentences", ""), ("encoder", "sentences", ""), ("encoder", "seeds", 0.07))
    ])  # fmt: skip
    write_table(folder / "comparisons.csv", [
        {"system_a": "encoder", "system_b": "crf", "metric": "entity_f1", "a": 0.85, "b": 0.8, "difference": -0.05,
         "low": -0.06, "high": -0.04, "p_value": 0.0002, "p_holm": 0.04, "test": "paired test", "n": 3}
    ])  # fmt: skip
    write_table(folder / "intervals_by_group.csv", [
        {"system": system, "by": "type", "group": name, "than": "", "metric": "f1", "support": 3, "value": 0.85,
         "low": 0.7, "high": 0.9, "n": 3, "level": 0.95}
        for system in ("crf", "encoder") for name in TYPES
    ])  # fmt: skip
    write_table(folder / "comparisons_by_type.csv", [
        {"system_a": system, "system_b": "crf", "type": name, "a": 0.9, "b": 0.8, "difference": gap, "low": gap - 0.01,
         "high": gap + 0.01, "p_value": p, "p_holm": p, "n": 3}
        for system, gap, p in (("bilstm", 0.5, 0.001), ("encoder", -0.1234, 0.01))
        for name, gap, p in ((TYPES[0], gap, p), (HOSTILE, 0.1, 0.06))
    ])  # fmt: skip
    write_table(folder / "costs.csv", [
        {"system": system, "encoder": encoder, "seed": seed, "parameters": 22_600_000, "train_seconds": 100 + seed,
         "words_per_second": 7000, "model_bytes": 91_000_000, "machine": "a processor"}
        for system, encoder, seed, _ in RUNS
    ])  # fmt: skip
    write_table(folder / "not_run.csv", [
        {"system": system, "encoder": encoder, "seed": seed, "reason": IMAGE if system == "bert" else "not trained"}
        for system, encoder in (("bert", "bert-base-uncased"), ("encoder", "tiny")) for seed in (7, 101)
    ])  # fmt: skip
    write_table(folder / "claims.csv", [
        {"id": name, "section": "5", "claim": claim, "kind": "value", "paper_value": 0.9447, "measured": measured,
         "low": "", "high": "", "verdict": verdict, "system": "encoder", "evidence": evidence}
        for name, claim, measured, verdict, evidence in (
            ("R1", "micro-F1 94.47 %", 0.9373, "partly", "measured on a smaller encoder"),
            ("D1", HOSTILE, 8797, "reproduced", "counted | so"),
            ("R4", "state of the art", "", "not tested", IMAGE + " evidence" * 30 + HOSTILE),
        )
    ])  # fmt: skip
    write_table(folder / "error_kinds.csv", [
        {"system": system, "seed": seed, "kind": kind, "type": name, "count": 6}
        for system, _, seed, _ in RUNS for kind in ("boundary", "missed") for name in TYPES
    ])  # fmt: skip
    write_table(folder / "recall.csv", [
        {"system": system, "seed": seed, "by": by, "group": group, "support": 20, "found": 10, "recall": 0.5}
        for system, _, seed, _ in RUNS for by, group in (("seen", "unseen"), ("length", "4+"), ("type", HOSTILE))
    ])  # fmt: skip
    write_table(folder / "studies.csv", [
        {"study": study, "variant": "v", "system": "encoder", "encoder": "tiny", "seed": 1, "fraction": 0.1,
         "sentences": 123, "epoch": epoch, "train_loss": 1, "validation_loss": 1, "validation_entity_f1": 0.5,
         "test_token_micro_f1": test, "test_entity_f1": test, "seconds": 1}
        for study in ("learning_curve", "warmup", "epochs_8", "float32") for epoch, test in ((1, ""), (2, 0.4321))
    ] + [
        {"study": "few_shot", "variant": f"c1=[1], c2=[2], per_type={n}", "system": "crf", "encoder": "", "seed": seed,
         "per_type": n, "sentences": 10 * n, "chosen": "c1=[9.0]", "test_token_micro_f1": 0.5, "test_entity_f1": f1}
        for n, f1s in ((5, (0.31, 0.33)), (20, (0.41, 0.43))) for seed, f1 in enumerate(f1s)
    ])  # fmt: skip
    write_table(folder / "study_comparisons.csv", [
        {"study": study, "fraction": fraction, "per_type": per_type, "system_a": a, "system_b": "encoder", "part": part,
         "against": "study" if a == "crf" else "usual", "metric": "entity_f1", "a": 0.5, "b": 0.6, "difference": -0.1,
         "low": -0.2, "high": 0.05, "p_value": 0.25, "test": "paired", "n": 4, "runs": 3, "runs_low": -0.3,
         "runs_high": 0.4}
        for study, fraction, per_type, a in (("learning_curve", 0.1, "", "crf"), ("few_shot", "", 5, "crf"),
                                             ("few_shot", "", 20, "crf"), ("warmup", 1, "", "encoder"))
        for part in ("all", "1")
    ])  # fmt: skip
    write_table(root / "benchmarks.csv", [
        {"task": "tag", "system": "crf", "setting": "", "sentences": 3, "tokens": 6, "seconds": 0.5,
         "tokens_per_second": 12, "peak_memory_mb": "", "ratio_to": "", "ratio": "", "machine": "a machine"}
    ])  # fmt: skip
    evaluated = {"revision": "abc123", "processor": "a machine"}
    (root / "provenance.json").write_text(json.dumps({corpus: {"evaluated": evaluated}}))


def write_corpus(data: Path, folder: Path, corpus: str) -> None:
    """Write the test sentences and the predictions of two systems."""
    prepared = data / "prepared" / corpus
    prepared.mkdir(parents=True)
    (prepared / "labels.txt").write_text("\n".join(["O", *(f"{b}-{name}" for name in TYPES for b in "BI")]))
    sentences = [zip(tags, words, strict=True) for tags, words in zip(GOLD, WORDS, strict=True)]
    (prepared / "test.bio").write_text(
        "".join("".join(f"{tag}\t{word}\n" for tag, word in sentence) + "\n" for sentence in sentences)
    )
    (folder / "predictions").mkdir()
    for run, lines in TAGS.items():
        (folder / "predictions" / f"{run}.tags").write_text("".join(" ".join(tags) + "\n" for tags in lines))


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[str, str]:
    """Run report.py, on the paper's corpus by default, and return the two renderings."""
    monkeypatch.setattr("sys.argv", ["report.py", *options])
    report.main()
    folder = report.RESULTS / (options[-1].removeprefix("--") if options else "mit_movie_eng")
    return (folder / "report.md").read_text(), (folder / "report.html").read_text()
