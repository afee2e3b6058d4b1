"""The gate as a command: references and results on disk, what it prints, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.dvc_runs import REPRO
from harness.params import Run
from harness.tables import write_table

import pytest

import check
from bert_ner.scoring import METRICS
from check import main
from gate import figure_blocks, short_runs
from gate.references import present

SEEDS = [13, 42, 87, 7, 101]
TOMORROW = date.today() + timedelta(days=1)
VALUES = [0.860, 0.861, 0.862, 0.863, 0.864]
SETTINGS: dict[str, dict[str, Any]] = {"crf": {"c1": [0.1]}, "minilm": {"epochs": 4}}

ENVIRONMENT = {"python": "3", "packages": {}, "processor": "A"}
REFERENCE = json.dumps(
    {"signature": "s", "settings": {}, "data": {}, "weights": None, "runs": [
        {"seed": 0, "scores": {"entity_f1": 0.5}, "environment": ENVIRONMENT}
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
            "system": system,
            "settings": SETTINGS[system] | settings.get(system, {}),
            "seconds": 1.0,
            "history": [],
            "cost": {},
            "environment": ENVIRONMENT,
            "predictions": "00",
        }
        for system, seed, _ in values
    }
    record = {"files": {"test.bio": "00"}, "evaluated": ENVIRONMENT, "runs": runs}
    (root / "results/provenance.json").write_text(json.dumps({"sample": record}))


def configure(monkeypatch: pytest.MonkeyPatch, seeds: list[int]) -> None:
    """Let params.yaml ask for a CRF and for these seeds of minilm."""
    runs = [Run("crf", 0), *(Run("minilm", seed) for seed in seeds)]
    params = SimpleNamespace(all_runs=lambda corpus: runs, corpora=["mit_movie_eng", "sample"])
    monkeypatch.setattr(check, "read_params", lambda: params)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run check.py in a folder where nothing is stale and scores need no predictions; return status and output."""
    monkeypatch.setattr(check, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(check, "REFERENCE", tmp_path / "results/reference")
    monkeypatch.setattr(check, "stale", lambda root: {})
    monkeypatch.setattr(check, "outdated", lambda results: {})
    monkeypatch.setattr(check, "inconsistent", lambda root: {})
    monkeypatch.setattr(check, "unfounded", lambda results: {})
    monkeypatch.setattr(check, "documents", lambda root: {})  # those of this checkout
    configure(monkeypatch, SEEDS)

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["check.py", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out + captured.err

    return call


def test_from_no_reference_to_one_and_to_a_failure(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    status, text = run()
    assert status == 1
    assert text.startswith("MISSING REFERENCE: sample crf entity_f1: new 85.00 (4 missing reference)\n")

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
    assert "| sample | minilm | entity_f1 | INCOMPLETE | no results of seed 7, 101 |" in text
    configure(monkeypatch, SEEDS[:3])
    status, text = run()
    assert status == 1
    assert text.startswith("FAIL: sample minilm entity_f1: reference 86.20, at least 85.88, new 85.20; 3 runs, ")
    assert "| sample | minilm | entity_f1 | FAIL | 3 runs, 5 in the reference | 86.20 | 85.88 | 85.20 |" in text
    assert "| sample | crf | entity_f1 | pass | equal to six digits |" in text
    # Three runs don't become a reference.
    assert run("--update")[1] == "sample/minilm: not changed; it has 3 runs, and a reference needs 5\n"
    # Failing rows come first.
    outcomes = [line.split("|")[4].strip() for line in text.splitlines() if line.startswith("| sample")]
    assert outcomes == ["FAIL", "FAIL", "pass", "pass"]

    configure(monkeypatch, SEEDS)
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
    bypass.write_text(f"- {{corpus: sample, system: minilm, reason: known, until: {TOMORROW}}}\n")
    status, text = run()
    assert status == 1
    assert f"| sample | minilm | entity_f1 | BYPASSED | fail, but known (until {TOMORROW}) |" in text
    assert "| sample | crf | entity_f1 | FAIL |" in text
    bypass.write_text(
        bypass.read_text() + f"- {{corpus: sample, system: crf, metric: entity_f1, reason: too, until: {TOMORROW}}}\n"
    )
    assert "| sample | crf | token_micro_f1 | FAIL |" in run()[1]
    bypass.write_text(bypass.read_text().replace("metric: entity_f1, ", ""))
    status, text = run()
    assert status == 0
    assert "bypassed: ACCEPTED" in text
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    status, text = run()
    assert status == 0
    assert "Bypasses of systems that do not fail, to be removed:\n\n- sample/minilm: known\n- sample/crf: too\n" in text


def test_a_bypass_ends(run: Any, tmp_path: Path) -> None:
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    run("--update")
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)), crf=0.8)
    yesterday = date.today() - timedelta(days=1)
    bypass = tmp_path / "results/reference/bypass.yaml"
    for until, expected in ((date.today(), 0), (yesterday, 1)):
        bypass.write_text(f"- {{corpus: sample, system: crf, reason: known, until: {until}}}\n")
        status, text = run()
        assert status == expected
    assert f"in the same environment; its bypass ended on {yesterday} |" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reference/bypass.yaml", "- {corpus: sample, system: crf}", "bypass.yaml, line 1: 0.reason is missing"),
        ("reference/bypass.yaml", "# one\n- {corpus: a, system: b, reason: c, until: 2099-01-01, metric: d}",
         "bypass.yaml, line 2: 0.metric must be 'entity_f1' or 'token_micro_f1', not 'd'"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: ''}", "line 1: 0.reason"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: '  ', until: 2099-01-01}", "line 1: 0.reason must"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: c, why: d}", "unknown key '0.why'"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: c}", "line 1: 0.until is missing"),
        ("reference/bypass.yaml", "- {corpus: a, system: b, reason: c, until: soon}", "0.until must be a valid date"),
        ("reference/bypass.yaml", "- [", "bypass.yaml is not YAML"),
        ("reference/bypass.yaml", "[" * 16000, "or than 40 levels"),
        ("reference/bypass.yaml", "- {corpus: &a a, system: *a, reason: b, until: 2099-01-01}",
         "bypass.yaml, line 1: no alias is allowed here; write out what *a stands for"),
        ("reference/bypass.yaml", "- &a {corpus: a, system: b, reason: c, until: 2099-01-01}\n- {<<: *a, system: c}",
         "bypass.yaml, line 2: no alias is allowed here"),
        ("reference/bypass.yaml", "- &a [*a]", "more than 10,000 values, aliases resolved"),
        ("reference/bypass.yaml", "# " * 40_000, "bypass.yaml has 80,000 bytes, more than the limit of 65,536"),
        ("reference/sample/crf.json", "{}", "crf.json: signature is missing; settings is missing"),
        ("reference/sample/crf.json", REFERENCE.replace('"processor"', '"other"'), "crf.json: runs.0.environment"),
        ("reference/sample/hmm.json", REFERENCE.replace('"seed": 0', '"seed": 1'), "hmm.json: 1 run, 5 needed"),
        ("reference/sample/crf.json", REFERENCE.replace("0.5", "NaN"), "crf.json: runs.0.scores.entity_f1"),
        ("reference/sample/crf.json", REFERENCE.replace("0.5", "Infinity"), "crf.json: runs.0.scores.entity_f1"),
        ("provenance.json", "{}", "run python experiments/evaluate.py --corpus sample"),
        ("provenance.json", "{", "provenance.json can't be read"),
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


def test_no_reference_changes_if_the_figures_of_a_document_cannot_be_made(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8))
    monkeypatch.setattr(check, "documents", figure_blocks.documents)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    status, text = run("--update")
    assert status == 2
    assert text.startswith(f"check.py: {tmp_path}/README.md can't be read (")
    assert not (tmp_path / "results/reference").exists()


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
    assert run("--base", "HEAD", "--update")[0] == 2
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8))
    run("--update")
    monkeypatch.setattr(check, "stale", lambda root: {"crf in params.yaml is 1, and was 2": ["a", "b"]})
    status, text = run()
    assert status == 1
    assert text.startswith("STALE: crf in params.yaml is 1, and was 2: a, b\n")
    assert "For each stage run `dvc repro STAGE`:\n\n- crf in params.yaml is 1, and was 2: a, b\n" in text
    monkeypatch.setattr(check, "outdated", lambda results: {"results/x/report.md does not follow": ["report@x"]})
    assert "--single-item STAGES`:\n\n- results/x/report.md does not follow: report@x\n" in run()[1]


def test_full_trains_every_corpus_again_without_the_run_cache(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr(check, "run_pipeline", lambda *arguments: called.append(arguments[2]))
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8))
    run("--full")
    [command] = called
    assert command[: len(REPRO) + 2] == [*REPRO, "--force", "--no-run-cache"]
    assert {"pipeline/dvc.yaml:report@mit_movie_eng", "pipeline/dvc.yaml:report@sample", "domains"} <= {*command}


def test_control_characters_do_not_reach_the_terminal(run: Any, tmp_path: Path) -> None:
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8))
    run("--update")
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.7), minilm={"\x1b[2J": "\x1b[31m"})
    bypass = tmp_path / "results/reference/bypass.yaml"
    for reason in ("\\e[31m", "c\\e", "\\u009b2J"):
        bypass.write_text(f'- {{corpus: sample, system: minilm, reason: "{reason}", until: {TOMORROW}}}\n')
        text = run()[1]
        assert "but" in text
        assert not {"\x1b", "\x9b"} & {*text}


@pytest.fixture
def repository(run: Any, tmp_path: Path) -> Path:
    """Make a repository whose only commit has results with references."""
    write_results(tmp_path, dict(zip(SEEDS, VALUES, strict=True)))
    run("--update")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "base"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_references_of_the_base_decide(run: Any, repository: Path) -> None:
    assert run("--base", "HEAD")[0] == 0
    # Worse results that brought their own reference with them.
    write_results(repository, dict.fromkeys(SEEDS, 0.8), crf=0.8)
    run("--update")
    assert run()[0] == 0
    status, text = run("--base", "HEAD")
    assert status == 1
    assert "| sample | crf | entity_f1 | FAIL |" in text
    assert "References that differ from those of HEAD, which decide here:\n\n- sample/crf\n- sample/minilm\n" in text
    bypass = repository / "results/reference/bypass.yaml"
    bypass.write_text(f"- {{corpus: sample, system: crf, reason: on purpose, until: {TOMORROW}}}\n")
    status, text = run("--base", "HEAD")
    assert "Bypasses that HEAD does not have:\n\n- sample/crf: on purpose\n" in text
    assert "| sample | crf | entity_f1 | BYPASSED |" in text


def test_a_reference_that_the_base_has_is_missed(run: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(repository, dict.fromkeys(SEEDS[:1], 0.8))
    configure(monkeypatch, SEEDS[:1])
    (repository / "results/reference/sample/minilm.json").unlink()
    assert run("--update")[1].endswith("sample/minilm.json: no longer listed, because it is gone\n")
    assert run()[0] == 0
    status, text = run("--base", "HEAD")
    assert status == 1
    assert text.startswith("MISSING REFERENCE: sample minilm: HEAD has its reference (")
    assert run("--base", "--output=x")[0] == run("--base", "nothing")[0] == 2


def test_short_runs_have_references_of_their_own(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(tmp_path, dict.fromkeys(SEEDS, 0.8))
    [crf, _] = present(tmp_path / "results").values()
    monkeypatch.setattr(short_runs, "short_runs", lambda is_for_reference: {("sample", "crf"): crf})
    assert run("--fast", "--update")[0] == 0
    assert run("--fast")[1].startswith("pass: 2 pass\n")
    reference = tmp_path / "results/reference/fast/sample/crf.json"
    reference.write_text(reference.read_text().replace("0.85", "0.1"))
    assert run("--fast")[1].startswith("INVALID: sample crf: the reference fast/sample/crf.json is not the one in")
    reference.unlink()
    status, text = run("--fast")
    assert status == 1
    assert text.startswith("MISSING REFERENCE: sample crf: SHA256SUMS lists fast/sample/crf.json, but it is gone")
    assert "fast/sample" not in run()[1]
