"""`bert-ner gate` on files of a toy system: outcomes, exit statuses, a saved reference, and wrong usage."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_ner import cli

SENTENCES = [[("play", "O"), ("song", "B-WORK"), (str(i), "I-WORK"), ("now", "O")] for i in range(200)]

Gate = Callable[..., tuple[int, str]]


def write(path: Path, share_wrong: float, seed: int, **replaced: str) -> str:
    """Write the tags of a system that misses a share of the entities."""
    draw = random.Random(seed)
    path.parent.mkdir(exist_ok=True)
    rows = []
    for sentence in SENTENCES:
        is_missed = draw.random() < share_wrong
        rows += [f"{'O' if is_missed else tag}\t{replaced.get(word, word)}\n" for word, tag in sentence] + ["\n"]
    path.write_text("".join(rows), encoding="utf-8")
    return path.name


ENOUGH = "five or more allow the test over runs"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Return the command, run in a folder with a gold file, five runs as good as each other and five worse ones."""
    monkeypatch.chdir(tmp_path)
    write(Path("gold.bio"), 0, 0)
    for seed in range(5):
        write(Path(f"old/{seed}.bio"), 0.1, seed)
        write(Path(f"same/{seed}.bio"), 0.1, seed + 10)
        write(Path(f"worse/{seed}.bio"), 0.3, seed + 20)

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["bert-ner", "gate", "--gold", "gold.bio", *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return call


def runs(folder: str, number: int = 5) -> list[str]:
    return [f"{folder}/{seed}.bio" for seed in range(number)]


@pytest.mark.parametrize(
    ("old", "new", "status", "first_line"),
    [
        (runs("old"), runs("same", 3), 0, "pass: 2 pass"),
        (runs("old"), runs("worse", 1), 1, "FAIL: gold.bio entity_f1: reference 9"),
        (runs("worse"), runs("same"), 0, "pass: 2 improved"),
        (runs("old", 1), runs("same", 1), 0, "pass: 2 pass"),
        (runs("old", 1), runs("worse", 1), 1, "FAIL: gold.bio entity_f1: reference 9"),
        (runs("worse", 2), runs("same", 2), 0, "pass: 2 improved"),
    ],
)
def test_the_first_line_names_the_worst(
    gate: Gate, old: list[str], new: list[str], status: int, first_line: str
) -> None:
    found, text = gate("--reference", *old, "--new", *new)
    assert found == status, text
    assert text.startswith(first_line)
    assert "entity_f1" in text.splitlines()[3]
    how = "5 in the reference" if len(old) == 5 else "over sentences, p = 0."
    assert how in text


def test_the_bound_is_that_of_the_metrics_asked_for(gate: Gate) -> None:
    both = gate("--reference", *runs("old"), "--new", *runs("same"))[1]
    one = gate("--reference", *runs("old"), "--new", *runs("same"), "--metric", "entity_f1", "--markdown")[1]
    assert "| gold.bio | entity_f1 | pass | 5 runs, 5 in the reference |" in one
    assert float(one.split("|")[-3]) > float(both.splitlines()[3].split()[-2])  # 5 % instead of 2.5 %


def test_a_saved_reference_compares_as_its_files_do_and_has_no_words(gate: Gate, tmp_path: Path) -> None:
    status, text = gate("--new", *runs("old"), "--save", "reference.json")
    assert (status, text.splitlines()) == (0, [f"reference.json: 5 run(s) saved as a reference; {ENOUGH}"])
    assert "song" not in (tmp_path / "reference.json").read_text()
    assert gate("--reference", "reference.json", "--new", *runs("worse")) == gate(
        "--reference", *runs("old"), "--new", *runs("worse")
    )
    write(tmp_path / "gold.bio", 0, 0, song="tune")
    write(tmp_path / "new.bio", 0, 0, song="tune")
    status, text = gate("--reference", "reference.json", "--new", "new.bio")
    assert status == 1
    assert text.startswith("NOT COMPARABLE: gold.bio entity_f1: reference.json was made with another gold file")


def test_predictions_may_be_json(gate: Gate, tmp_path: Path) -> None:
    for name in ("old", "worse"):
        lines = []
        for sentence in (tmp_path / name / "0.bio").read_text().split("\n\n")[:-1]:
            tags, words = zip(*(line.split("\t") for line in sentence.splitlines()), strict=True)
            lines.append(json.dumps({"tokens": words, "ner_tags": tags}) + "\n")
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    found = gate("--reference", "old.jsonl", "--new", "worse.jsonl")
    assert found == gate("--reference", "old/0.bio", "--new", "worse/0.bio")
    assert found[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reference", "old/0.bio", "old/0.bio", "--new", "same/0.bio"], "have the same tags: a run counts once"),
        (["--reference", "old/0.bio", "--new", "copy.bio", "same/1.bio"], "copy.bio and same/1.bio have the same tags"),
        (["--reference", "old/0.bio", "--new", "new/*.bio"], "new/*.bio can't be read: No such file"),
        (["--reference", "old/0.bio", "--new", "other.bio"], "other.bio:2: 'tune', where gold.bio:2 has 'song'"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--metric", "f1"], "no metric is named f1; the metrics"),
        (["--new", "same/0.bio"], "nothing to compare with"),
        (["--reference", "bad.json", "--new", "same/0.bio"], "runs.0.tags is missing; runs.0.scores is missing"),
        (
            ["--reference", "short.json", "--new", "same/0.bio"],
            "short.json: gold has 200 sentences, the prediction has 1",
        ),
        (["--reference", "short.json", "old/0.bio", "--new", "same/0.bio"], "(short.json, old/0.bio); give it alone"),
        (["--new", "same/0.bio", "--save", "gold.bio/x.json"], "gold.bio/x.json can't be written"),
    ],
)
def test_what_cannot_be_compared_is_named_with_status_2(
    gate: Gate, tmp_path: Path, arguments: list[str], message: str
) -> None:
    write(tmp_path / "copy.bio", 0.1, 11)
    write(tmp_path / "other.bio", 0, 0, song="tune")
    gate("--new", "old/0.bio", "--save", "short.json")
    saved = json.loads((tmp_path / "short.json").read_text())
    saved["runs"][0]["tags"] = ["O"]
    (tmp_path / "short.json").write_text(json.dumps(saved))
    saved["runs"] = [{"file": "a"}]
    (tmp_path / "bad.json").write_text(json.dumps(saved))
    status, text = gate(*arguments)
    assert status == 2
    assert message in text


def test_a_bad_run_replaces_no_reference(gate: Gate, tmp_path: Path) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    before = (tmp_path / "reference.json").read_bytes()
    old = ["--reference", "reference.json", "--save", "reference.json"]
    for new in (runs("worse"), [*runs("same", 1), "--runs", "5"]):
        assert gate(*old, "--new", *new)[0] == 1
        assert (tmp_path / "reference.json").read_bytes() == before
    assert gate(*old, "--new", *runs("same"))[0] == 0
    assert (tmp_path / "reference.json").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--new", "old/0.bio", "--save", "gold.bio"], "gold.bio exists, and is no saved reference"),
        (["--new", "old/0.bio", "--runs", "5", "--save", "new.json"], "1 new runs, 5 needed; name all of them"),
    ],
)
def test_what_cannot_be_saved_is_named(gate: Gate, arguments: list[str], message: str, tmp_path: Path) -> None:
    before = (tmp_path / "gold.bio").read_bytes()
    status, text = gate(*arguments)
    assert status == 2
    assert message in text
    assert (tmp_path / "gold.bio").read_bytes() == before
    assert not (tmp_path / "new.json").exists()


def test_runs_that_are_lacking_fail(gate: Gate) -> None:
    status, text = gate("--reference", *runs("old"), "--new", *runs("same", 1), "--runs", "5")
    assert status == 1
    assert text.startswith("INCOMPLETE: gold.bio entity_f1: 1 new runs, 5 needed (2 incomplete)")


def test_control_characters_do_not_reach_the_terminal(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "gold.bio").rename(tmp_path / "\x1b[2Jgold.bio")
    for arguments in (["--new", "same/0.bio"], ["--new", "none.bio"]):
        text = gate("--gold", "\x1b[2Jgold.bio", "--reference", *runs("old"), *arguments)[1]
        assert "\x1b" not in text
