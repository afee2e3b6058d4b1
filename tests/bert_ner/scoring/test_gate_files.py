"""`bert-ner gate` on files of a toy system: outcomes, exit statuses, remarks, and wrong usage."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from gate_runs import Gate, runs, write
from installation import ROOT

from bert_ner import cli
from bert_ner.wording import as_flag


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
        (["--reference", "old/0.bio", "--new", "new/*.bio"], "no file matches new/*.bio"),
        (["--reference", "old/0.bio", "--new", "none.bio"], "none.bio can't be read: No such file"),
        (["--reference", "old/0.bio", "--new", "saved.json"], "saved.json is a saved reference; only --reference"),
        (["--gold", "saved.json", "--reference", "old/0.bio", "--new", "same/0.bio"], "saved.json is a saved ref"),
        (["--reference", "old/0.bio", "--new", "other.bio"], "other.bio:2: 'tune', where gold.bio:2 has 'song'"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--metric", "f1"], "no metric is named f1; the metrics"),
        (["--new", "same/0.bio"], "nothing to compare with"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--metric", "entity_f1,span_f1"], "with blanks between"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--metric", *["span_f1"] * 9], "span_f1 is named twice"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--runs", "0"], "new runs, 1 or more; it is 0"),
        (["--reference", "old/0.bio", "--new", "same/0.bio", "--runs", "-3"], "new runs, 1 or more; it is -3"),
    ],
)
def test_what_cannot_be_compared_is_named_with_status_2(
    gate: Gate, tmp_path: Path, arguments: list[str], message: str
) -> None:
    write(tmp_path / "copy.bio", 0.1, 11)
    write(tmp_path / "other.bio", 0, 0, song="tune")
    gate("--new", *runs("old"), "--save", "saved.json")
    status, text = gate(*arguments)
    assert status == 2
    assert message in text


def test_a_repeated_option_adds_files(gate: Gate) -> None:
    once = gate("--reference", *runs("old"), "--new", "worse/0.bio", "same/1.bio")
    twice = gate(
        "--reference", *runs("old", 3), "--new", "worse/0.bio", "--reference", *runs("old")[3:], "--new", "same/1.bio"
    )
    assert once == twice
    assert "2 runs, 5 in the reference" in once[1]
    status, text = gate("--gold", "gold.bio", "--gold", "old/0.bio", "--new", "same/0.bio", "--save", "reference.json")
    assert (status, text) == (2, "bert-ner: --gold names one file, not 2: gold.bio, old/0.bio\n")


def test_a_reference_that_is_saved_says_what_is_lower(gate: Gate) -> None:
    gate("--new", *runs("old"), "--save", "reference.json")
    lower = gate("--reference", "reference.json", "--new", *runs("old")[2:4], "--save", "reference.json")[1]
    assert "reference.json: 2 runs saved as a reference; 5 or more allow the t-test; entity_f1 is lower than" in lower
    better = gate("--reference", *runs("worse"), "--new", *runs("old"), "--save", "reference.json")[1]
    assert "reference.json: 5 runs saved as a reference\n" in better


def test_runs_that_are_lacking_fail(gate: Gate) -> None:
    status, text = gate("--reference", *runs("old"), "--new", *runs("same", 1), "--runs", "5")
    assert status == 1
    assert text.startswith("INCOMPLETE: gold.bio entity_f1: 1 new run, 5 needed (2 incomplete)")


def test_control_characters_do_not_reach_the_terminal(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "gold.bio").rename(tmp_path / "\x1b[2Jgold.bio")
    for arguments in (["--new", "same/0.bio"], ["--new", "none.bio"]):
        text = gate("--gold", "\x1b[2Jgold.bio", "--reference", *runs("old"), *arguments)[1]
        assert "\x1b" not in text


TWO_TYPES = "B-CITY\tparis\nO\tby\nB-NAME\tada\nI-NAME\tbrook\n\n" * 100


def without(kind: str, number: int, offset: int = 0) -> str:
    """Return TWO_TYPES without some entities of a type; with another offset, without others."""
    sentences = TWO_TYPES.split("\n\n")
    for i in range(offset, offset + number):
        sentences[i] = re.sub(rf"[BI]-{kind}\t", "O\t", sentences[i])
    return "\n\n".join(sentences)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([without("CITY", 40, i) for i in range(5)], "fell most: CITY from 98.99 to 75.00; 5 runs, 5 in the reference"),
        (
            [without("NAME", 30, i) for i in range(5)],
            "fell most: NAME from 100.00 to 82.35; 5 runs, 5 in the reference",
        ),
        ([TWO_TYPES.replace("-NAME", "-NOM")], "fell most: NAME from 100.00 to 0.00; 1 run, 5 in the reference"),
        ([TWO_TYPES.replace("O\tby", "B-NEW\tby")], "no type of the gold file fell; 1 run, 5 in the reference"),
        (  # CITY fell as well, from 98.99 to 97.96, which explains nothing
            [without("NAME", 30, i).replace("B-CITY", "O", 4) for i in range(5)],
            "fell most: NAME from 100.00 to 82.35; 5 runs, 5 in the reference",
        ),
    ],
)
def test_the_first_line_names_the_types_that_were_lost(
    gate: Gate, tmp_path: Path, new: list[str], expected: str
) -> None:
    old = [without("CITY", 2, i) for i in range(5)]
    files = {"gold.bio": TWO_TYPES, **{f"old{i}.bio": text for i, text in enumerate(old)}}
    files |= {f"new{i}.bio": text for i, text in enumerate(new)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    sides = ["--new", *(f"new{i}.bio" for i in range(len(new))), "--reference", *(f"old{i}.bio" for i in range(5))]
    for save in ([], ["--save", "reference.json"]):
        status, text = gate(*sides, *save)
        assert status == 1
        assert text.startswith("FAIL: gold.bio entity_f1: reference ")
        assert f"; {expected} (" in text.splitlines()[0]
    gate("--new", *sides[-5:], "--save", "reference.json")
    assert f"; {expected} (" in gate(*sides[:-6], "--reference", "reference.json")[1].splitlines()[0]
    assert f"; {expected} (" in gate(*sides, "--metric", "token_macro_f1")[1].splitlines()[0]


def test_names_in_markdown_are_text(gate: Gate, tmp_path: Path) -> None:
    name = "![](http:x)*<b>|.bio"
    (tmp_path / "gold.bio").rename(tmp_path / name)
    text = gate("--gold", name, "--reference", *runs("old"), "--new", *runs("worse"), "--markdown")[1]
    assert name not in text
    assert text.startswith("FAIL: !\\[\\](http:x)\\*&lt;b\\>\\|.bio entity_f1: ")


def test_a_rare_type_does_not_hide_a_frequent_one(gate: Gate, tmp_path: Path) -> None:
    rare = "".join(f"B-RARE{i}\tx\n\n" for i in range(4))
    for name, text in {
        "gold.bio": TWO_TYPES + rare,
        "old.bio": TWO_TYPES + rare,
        "new.bio": without("CITY", 60) + rare.replace("B-RARE0", "O").replace("B-RARE1", "O").replace("B-RARE2", "O"),
    }.items():
        (tmp_path / name).write_text(text)
    text = gate("--reference", "old.bio", "--new", "new.bio")[1]
    assert (
        "fell most: CITY from 100.00 to 57.14, RARE0 from 100.00 to 0.00, RARE1 from 100.00 to 0.00; 1 run, 1 in the"
        in text
    )


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"B-WORK\tsong": "I-WORK\tsong"}, "at the start of a sentence; an entity opens with 'B-WORK' (such tags in "),
        (
            {"B-WORK\tsong": "B-WROK\tsong"},
            "new.bio: types that gold.bio does not have, so their entities are all wrong",
        ),
    ],
)
def test_mistakes_of_a_tagger_are_reported_but_are_no_errors(
    gate: Gate, tmp_path: Path, changed: dict[str, str], remark: str
) -> None:
    text = (tmp_path / "old/0.bio").read_text().replace("O\tplay\n", "")
    for name in ("gold.bio", "old/0.bio"):
        path = tmp_path / name
        path.write_text(path.read_text().replace("O\tplay\n", ""))
    for old, new in changed.items():
        text = text.replace(old, new)
    (tmp_path / "new.bio").write_text(text)
    for markdown in ([], ["--markdown"]):
        found = gate("--reference", "old/0.bio", "--new", "new.bio", *markdown)[1]
        assert remark in found.split("\n\n")[-1]
        assert found.split("\n\n")[-1].startswith("- new.bio" if markdown else "new.bio")
    assert remark in gate("--new", "new.bio", "--save", "reference.json")[1]


def test_the_same_runs_on_both_sides_are_named(gate: Gate) -> None:
    status, text = gate("--reference", *runs("old"), "--new", *runs("old", 2), "same/1.bio")
    assert status == 0
    assert text.splitlines()[-1] == (
        "new runs that are the same as one of the reference: 2 of 3, for example old/0.bio and old/0.bio; "
        "is the tagger unchanged, or are these the same files?"
    )
    gate("--new", *runs("old"), "--save", "reference.json")
    text = gate("--reference", "reference.json", "--new", "old/3.bio")[1]
    assert "1 of 1, for example old/3.bio and reference.json: run 4 (3.bio); is" in text
    assert "the same" not in gate("--reference", *runs("old"), "--new", *runs("same"))[1]


def test_runs_without_an_error_may_be_the_gold_file(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "new.bio").write_text((tmp_path / "gold.bio").read_text())
    expected = (
        "new.bio: all tags are those of gold.bio; are these predictions, or a copy of the gold file? Or does "
        "--tag-column name the wrong column?"
    )
    status, text = gate("--reference", *runs("old"), "--new", "new.bio")
    assert (status, text.splitlines()[0], text.splitlines()[-1]) == (0, "pass: 2 improved; 1 remark below", expected)
    assert expected in gate("--reference", "new.bio", "--new", "old/0.bio")[1]
    assert expected in gate("--new", "new.bio", "--save", "reference.json")[1]
    assert "reference.json: run 1 (new.bio): all tags" in gate("--reference", "reference.json", "--new", "old/0.bio")[1]
    assert "all tags" not in gate("--reference", *runs("old"), "--new", *runs("same"))[1]


def test_a_reference_of_few_runs_says_what_it_can_not_know(gate: Gate) -> None:
    text = gate("--reference", *runs("old", 4), "--new", *runs("same"))[1]
    assert "(0.05 or less is a change)" in text
    assert text.splitlines()[-1] == (
        "the reference has 4 runs: a tagger that draws random numbers may fail because of its seed; with 5 runs or "
        "more, each from another seed, the gate allows for that"
    )
    one = gate("--reference", *runs("old", 4), "--new", *runs("same"), "--metric", "entity_f1")[1]
    assert "(0.1 or less is a change)" in one
    assert "random numbers" not in gate("--reference", *runs("old"), "--new", *runs("same"))[1]


def test_files_are_read_as_the_options_say(gate: Gate, tmp_path: Path) -> None:
    for name in ("gold.bio", "old/0.bio", "worse/0.bio"):
        rows = (line.split("\t") for line in (tmp_path / name).read_text().split("\n"))
        lines = [f"{row[1]} NN {row[0]}" if len(row) == 2 else "" for row in rows]
        (tmp_path / name).with_suffix(".txt").write_text("\n".join(["-DOCSTART- -X- O", "", "# one", *lines]))
    sides = ["--gold", "gold.txt", "--reference", "old/0.txt", "--new", "worse/0.txt"]
    status, text = gate(*sides)
    assert status == 2
    options = ["--word-column", "first", "--tag-column", "last", "--docstart", "--comments", "#"]
    assert all(option in options for option in re.findall(r"--[a-z-]+", text))
    expected = gate("--reference", "old/0.bio", "--new", "worse/0.bio")
    assert gate(*sides, *options) == (1, expected[1].replace(".bio", ".txt"))


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
READ_BY_ALL = ["corpus/columns.py", "corpus/formats.py", "corpus/records.py", "corpus/schemes.py", "corpus/bio.py"]


@pytest.mark.parametrize(
    ("commands", "modules"),
    [
        (("check", "convert", "score", "gate"), READ_BY_ALL),
        (("score", "gate"), ["scoring/counts.py"]),
        (("gate",), ["scoring/gate_files.py", "scoring/reference_file.py"]),
    ],
)
def test_a_message_names_only_options_that_the_command_has(
    commands: tuple[str, ...], modules: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = [ast.parse((ROOT / "bert_ner" / module).read_text(encoding="utf-8")) for module in modules]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    docstrings = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, DOCUMENTED)}
    texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant) and node.value not in docstrings]
    named = {option for text in texts for option in re.findall(r"(?<![\w-])--[a-z-]+", text)}
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="option"), args=[ast.Constant(value=name), *_]):
                named.add(as_flag(str(name), None))
    assert named
    for command in commands:
        monkeypatch.setattr("sys.argv", ["bert-ner", command, "--help"])
        with pytest.raises(SystemExit):
            cli.main()
        assert named <= {*re.findall(r"--[a-z-]+", capsys.readouterr().out)}
