"""The gate as a command: references and results on disk, what it prints, and its exit status."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.tables import write_table

import pytest

import check
from bert_ner.scoring import METRICS
from check import main

SEEDS = [13, 42, 87, 7, 101]
VALUES = [0.860, 0.861, 0.862, 0.863, 0.864]
SETTINGS: dict[str, dict[str, Any]] = {"crf": {"c1": [0.1]}, "minilm": {"epochs": 4}}


REFERENCE = json.dumps(
    {"signature": "s", "settings": {}, "data": {}, "weights": None, "runs": [
        {"seed": 0, "scores": {"entity_f1": 0.5}, "environment": {"python": "3", "packages": {}, "processor": "A"}}
    ]}
)  # fmt: skip


def write_results(root: Path, by_seed: dict[int, float], crf: float = 0.85, **settings: Any) -> None:
    """Results of both systems on one corpus, with the same value of every metric."""
    values = [("crf", 0, crf), *(("minilm", seed, value) for seed, value in by_seed.items())]
    rows = [
        {"corpus": "sample", "system": system, "encoder": "", "seed": seed, "split": "test", "n_sentences": 9,
         **dict.fromkeys(METRICS, value), "signature": "sig"}
        for system, seed, value in values
    ]  # fmt: skip
    write_table(root / "results", "sample", "scores", rows)
    runs = {
        f"{system}-{seed}": {
            "settings": SETTINGS[system] | settings.get(system, {}),
            "environment": {"python": "3", "packages": {}, "processor": "A"},
        }
        for system, seed, _ in values
    }
    (root / "results/provenance.json").write_text(json.dumps({"sample": {"files": {"test.bio": "00"}, "runs": runs}}))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run check.py in a folder where nothing is stale; return its exit status and its output."""
    monkeypatch.setattr(check, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(check, "REFERENCE", tmp_path / "results/reference")
    monkeypatch.setattr(check, "stale", lambda root: {})
    monkeypatch.setattr(check, "outdated", lambda results: {})

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["check.py", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out + captured.err

    return call


def test_from_no_reference_to_one_and_to_a_failure(run: Any, tmp_path: Path) -> None:
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    status, text = run()
    assert status == 0
    assert "4 no reference" in text

    assert run("--update") == (0, "sample/crf: new, runs: 1\nsample/minilm: new, runs: 5\n")
    reference = json.loads((tmp_path / "results/reference/sample/minilm.json").read_text())
    assert [run["seed"] for run in reference["runs"]] == SEEDS
    assert reference["runs"][1]["scores"] == dict.fromkeys(METRICS, 0.861)
    status, text = run()
    assert status == 0
    assert "| sample | minilm | entity_f1 | pass | 5 runs, 5 in the reference | 86.20 | 85.92 | 86.20 |" in text

    write_results(tmp_path, dict.fromkeys(SEEDS[:3], 0.852))
    status, text = run()
    assert status == 1
    assert "| sample | minilm | entity_f1 | FAIL | 3 runs, 5 in the reference | 86.20 | 85.88 | 85.20 |" in text
    assert "| sample | crf | entity_f1 | pass | equal to six digits |" in text
    # Three runs don't become a reference.
    assert run("--update")[1] == "sample/minilm: not changed; it has 3 runs, and a reference needs 5\n"
    # Failing rows come first.
    outcomes = [line.split("|")[4].strip() for line in text.splitlines() if line.startswith("| sample")]
    assert outcomes == ["FAIL", "FAIL", "pass", "pass"]

    write_results(tmp_path, dict.fromkeys(SEEDS, 0.872), minilm={"epochs": 5})
    status, text = run()
    assert status == 1
    assert "| NOT COMPARABLE | settings.epochs: was 4, is 5 |" in text
    changes = "entity_f1 0.8620 -> 0.8720; token_micro_f1 0.8620 -> 0.8720; settings.epochs: was 4, is 5"
    assert run("--update")[1] == f"sample/minilm: {changes}\n"
    assert run()[0] == 0


def test_a_failure_that_is_listed_passes_loudly(run: Any, tmp_path: Path) -> None:
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    run("--update")
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8), crf=0.8)
    bypass = tmp_path / "results/reference/bypass.yaml"
    bypass.write_text("- {corpus: sample, system: minilm, reason: known}\n")
    status, text = run()
    assert status == 1
    assert "| sample | minilm | entity_f1 | BYPASSED | fail, but known |" in text
    assert "| sample | crf | entity_f1 | FAIL |" in text
    bypass.write_text(bypass.read_text() + "- {corpus: sample, system: crf, metric: entity_f1, reason: too}\n")
    assert "| sample | crf | token_micro_f1 | FAIL |" in run()[1]
    bypass.write_text(bypass.read_text().replace("metric: entity_f1, ", ""))
    status, text = run()
    assert status == 0
    assert "bypassed: ACCEPTED" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reference/bypass.yaml", "- {corpus: sample, system: crf}", "bypass.yaml, line 1: 0.reason is missing"),
        ("reference/bypass.yaml", "# one\n- {corpus: a, system: b, reason: c, metric: d}",
         "bypass.yaml, line 2: 0.metric must be 'entity_f1' or 'token_micro_f1', not 'd'"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: ''}", "line 1: 0.reason"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: c, why: d}", "unknown key '0.why'"),
        ("reference/bypass.yaml", "- [", "bypass.yaml is not YAML"),
        ("reference/sample/crf.json", "{}", "crf.json: signature is missing; settings is missing"),
        ("reference/sample/crf.json", REFERENCE.replace('"processor"', '"other"'), "crf.json: runs.0.environment"),
        ("reference/sample/hmm.json", REFERENCE.replace('"seed": 0', '"seed": 1'), "hmm.json: 1 runs, 5 needed"),
        ("provenance.json", "{}", "run python experiments/evaluate.py --corpus sample"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_status_2(
    run: Any, tmp_path: Path, name: str, content: str, message: str
) -> None:
    write_results(tmp_path, {13: 0.8})
    (tmp_path / "results" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "results" / name).write_text(content)
    status, text = run()
    assert status == 2
    assert message in text


def test_another_machine_informs_and_fails_nothing(run: Any, tmp_path: Path) -> None:
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    run("--update")
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)), crf=0.8485)
    record = tmp_path / "results/provenance.json"
    record.write_text(record.read_text().replace('"processor": "A"', '"processor": "B", "time": "later"'))
    status, text = run()
    assert status == 0
    assert (
        "| crf | entity_f1 | pass | not in the same environment, so 0.002 is allowed (processor: was A, is B)" in text
    )
    assert "- processor: was A, is B (2 systems)\n" in text
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)), crf=0.8485)
    assert run()[0] == 1


def test_wrong_usage_and_stale_results(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--fast", "--full")[0] == 2
    write_results(tmp_path, {13: 0.8})
    monkeypatch.setattr(check, "stale", lambda root: {"crf in params.yaml is 1, and was 2": ["a", "b"]})
    status, text = run()
    assert status == 1
    assert "For each stage run `dvc repro STAGE`:\n\n- crf in params.yaml is 1, and was 2: a, b\n" in text
    monkeypatch.setattr(check, "outdated", lambda results: {"results/x/report.md does not follow": ["report@x"]})
    assert "--single-item STAGES`:\n\n- results/x/report.md does not follow: report@x\n" in run()[1]


def test_full_trains_every_corpus_again_without_the_run_cache(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr(check, "run_pipeline", lambda *arguments: called.append(arguments[2]))
    write_results(tmp_path, {13: 0.8})
    assert run("--full")[0] == 0
    [command] = called
    assert command[:2] == ["--force", "--no-run-cache"]
    assert {"pipeline/dvc.yaml:report@mit_movie_eng", "pipeline/dvc.yaml:report@sample", "domains"} <= {*command}
