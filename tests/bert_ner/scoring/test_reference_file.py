"""The reference that `bert-ner gate --save` writes: what is in it, and which gold file it belongs to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate_runs import Gate, runs, write

from bert_ner.corpus.convert import convert
from bert_ner.corpus.formats import Reading

Change = Callable[[dict[str, Any]], object]


def change_saved(path: Path, change: Change) -> None:
    """Change a saved reference by hand."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_saved_reference_compares_as_its_files_do_and_has_no_words(gate: Gate, tmp_path: Path) -> None:
    assert gate("--new", *runs("old"), "--save", "reference.json") == (
        0,
        "reference.json: 5 runs saved as a reference\n",
    )
    assert "song" not in (tmp_path / "reference.json").read_text()
    by_files = gate("--reference", *runs("old"), "--new", *runs("worse"))
    assert gate("--reference", "reference.json", "--new", *runs("worse")) == by_files
    change_saved(tmp_path / "reference.json", lambda saved: saved["runs"][0]["scores"].update(entity_f1=0.1))
    assert gate("--reference", "reference.json", "--new", *runs("worse")) == by_files  # scores are computed again
    write(tmp_path / "gold.bio", 0, 0, song="tune")
    write(tmp_path / "new.bio", 0, 0, song="tune")
    status, text = gate("--reference", "reference.json", "--new", "new.bio")
    assert status == 1
    first = (
        "NOT COMPARABLE: gold.bio entity_f1: reference.json was made with another gold file, or with other options to "
        "read it; check --gold, or save it again ("
    )
    assert text.startswith(first)


@pytest.mark.parametrize("scheme", ["IOB2", "BIOES"])
@pytest.mark.parametrize("name", ["gold.bio", "gold.jsonl", "gold.json", "gold.txt", "crlf.bio"])
def test_the_same_sentences_in_another_format_are_the_same_gold_file(
    gate: Gate, tmp_path: Path, name: str, scheme: Any
) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    expected = gate("--reference", "reference.json", "--new", *runs("same"))
    convert((tmp_path / "gold.bio").read_bytes(), "gold.bio", Reading(), tmp_path / name, scheme)
    if name == "crlf.bio":
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"\n", b"\r\n"))
    status, text = gate("--gold", name, "--reference", "reference.json", "--new", *runs("same"))
    assert (status, text.split()) == (0, expected[1].replace("gold.bio", name).split())


NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda saved: saved.update(runs=[]), "is no saved reference: runs"),
        (lambda saved: saved.update(format="bert-ner reference 9"), "is no saved reference: format"),
        (lambda saved: saved.update(runs=[{"file": "a"}]), "runs.0.tags is missing; runs.0.scores is missing"),
        (lambda saved: saved["runs"][0].update(tags=["O"]), "gold has 200 sentences, the prediction has 1"),
        (lambda saved: saved["runs"][0].update(tags=["O O"] * 200), "sentence 1 has 4 words, but 2 predicted tags"),
        (lambda saved: saved["runs"][0].update(tags=["O X"]), "is no saved reference: runs.0.tags.0"),
        (lambda saved: saved["runs"][0].update(scores={"f1": NAN}), "is no saved reference: runs.0.scores.f1"),
        (lambda saved: saved["runs"][0].update(scores={"f1": 94.47}), "is no saved reference: runs.0.scores.f1"),
        (lambda saved: saved.update(runs=saved["runs"] * 4), "run 1 (0.bio) and reference.json: run 6 (0.bio) have"),
    ],
)
def test_a_saved_reference_that_was_broken_by_hand(gate: Gate, tmp_path: Path, change: Change, message: str) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    change_saved(tmp_path / "reference.json", change)
    status, text = gate("--reference", "reference.json", "--new", "same/0.bio")
    assert status == 2
    assert text.startswith("bert-ner: reference.json")
    assert message in text


@pytest.mark.parametrize("nesting", [40, 200_000])
def test_a_saved_reference_that_is_not_json(gate: Gate, tmp_path: Path, nesting: int) -> None:
    (tmp_path / "reference.json").write_text('{"format": "bert-ner reference 2", "gold": ' + "[" * nesting)
    status, text = gate("--reference", "reference.json", "--new", "same/0.bio")
    assert status == 2
    assert text.startswith("bert-ner: reference.json is no saved reference: not JSON: ")
    assert len(text) < 300


def test_a_link_stays_a_link(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("reference.json")
    gate("--new", *runs("old"), "--save", "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert gate("--reference", "reference.json", "--new", *runs("same"))[0] == 0


def test_a_saved_reference_is_given_alone(gate: Gate) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    status, text = gate("--reference", "reference.json", "old/0.bio", "--new", "same/0.bio")
    assert status == 2
    assert "(reference.json, old/0.bio); give it alone" in text


def test_a_bad_run_replaces_no_reference(gate: Gate, tmp_path: Path) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    before = (tmp_path / "reference.json").read_bytes()
    old = ["--reference", "reference.json", "--save", "reference.json"]
    for new in (runs("worse"), [*runs("same", 1), "--runs", "5"]):
        status, text = gate(*old, "--new", *new)
        assert status == 1
        assert text.endswith("\n\nreference.json: not saved, because the new runs do not pass\n")
        assert (tmp_path / "reference.json").read_bytes() == before
    status, text = gate(*old, "--new", *runs("same", 4))
    assert status == 0
    assert text.endswith("reference.json: 4 runs saved as a reference; 5 or more allow the t-test\n")
    assert (tmp_path / "reference.json").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--new", "old/0.bio", "--save", "gold.bio"], "gold.bio exists, and is no saved reference"),
        (["--new", "old/0.bio", "--save", "gold.bio/x.json"], "gold.bio/x.json can't be written"),
        (["--new", "old/0.bio", "--save", "old"], "old exists, and is no saved reference"),
        (["--new", "old/0.bio", "--save", "pipe"], "pipe exists, and is no saved reference"),
        (["--new", "old/0.bio", "--runs", "5", "--save", "new.json"], "1 new run, 5 needed; name all of them"),
    ],
)
def test_what_cannot_be_saved_is_named(gate: Gate, arguments: list[str], message: str, tmp_path: Path) -> None:
    before = (tmp_path / "gold.bio").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    status, text = gate(*arguments)
    assert status == 2
    assert (tmp_path / "pipe").is_fifo()
    assert message in text
    assert (tmp_path / "gold.bio").read_bytes() == before
    assert not (tmp_path / "new.json").exists()
