"""The commands on files, as their user meets them: check, score and convert."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from console import run

PROGRAM = [sys.executable, "-c", "from bert_ner.cli import main; main()"]
INPUTS = Path(__file__).parent / "corpus" / "inputs"


@pytest.fixture
def bio_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with a gold file and what two systems say."""
    (tmp_path / "gold.bio").write_text("O by\nB-P ada\nI-P brook\n\nO by\nB-P olaf\n")
    (tmp_path / "a.bio").write_text("by O\nada I-P\nbrook I-P\n\nby O\nolaf O\n")
    (tmp_path / "b.bio").write_text("O by\nB-P ada\nI-P brook\n\nO by\nB-P olaf\n")
    (tmp_path / "c.bio").write_text("O by\nI-P ada\nI-P brook\n\nO by\nB-P olaf\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["check", "-", "-"],
        ["score", "-", "-"],
        ["score", "gold.bio", "-", "-"],
        ["gate", "--gold", "-", "--new", "-", "--save", "reference.json"],
    ],
)
def test_standard_input_is_named_once(bio_files: Path, command: list[str]) -> None:
    with (bio_files / "gold.bio").open("rb") as gold:
        done = subprocess.run([*PROGRAM, *command], stdin=gold, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if command[0] == "gate" else 1)
    assert done.stderr == (
        "bert-ner: - is standard input, which can be read only once; name a file instead of the second -\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["tag", "--help"],
        ["check", "gold.bio"],
        ["score", "gold.bio", "b.bio"],
        ["convert", "gold.bio", "out.jsonl"],
        ["encoders"],
    ],
)
def test_what_needs_no_model_loads_no_heavy_library(bio_files: Path, command: list[str]) -> None:
    code = (
        "import sys\nfrom bert_ner.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "sys.exit(', '.join({'torch', 'transformers', 'pyarrow'} & set(sys.modules)) or None)"
    )
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=bio_files, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc")
@pytest.mark.parametrize("command", [["check"], ["score", "gold.bio"], ["tag"]])
def test_a_file_that_opens_but_cannot_be_read_is_named(bio_files: Path, command: list[str], crf_folder: Path) -> None:
    model = ["--model", str(crf_folder)] if command == ["tag"] else []
    done = subprocess.run(
        [*PROGRAM, *command, "/proc/self/mem", *model], cwd=bio_files, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "/proc/self/mem can't be read: Input/output error\n" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_score(bio_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert bio_files
    run(monkeypatch, "score", "gold.bio", "a.bio", "b.bio", "--json")
    record = json.loads(capsys.readouterr().out)
    # a finds one of two, the right one; b both.
    assert [system["scores"]["entity_f1"]["value"] for system in record["systems"]] == [pytest.approx(2 / 3), 1]
    assert {row["p_value"] for row in record["comparisons"]} == {None}  # two sentences are too few for a test
    run(monkeypatch, "score", "gold.bio", "a.bio")
    assert capsys.readouterr().out.startswith(
        "gold.bio: 2 sentences, 5 words, 2 entities of 1 type\na.bio: tags I-X that"
    )


def test_an_unknown_split_is_explained(
    bio_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bio_files
    run(monkeypatch, "score", "gold.bio", "a.bio")
    assert "\nSignatures; split:? is that of a file of no corpus here\n" in capsys.readouterr().out


def test_score_reads_standard_input(bio_files: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "score", "gold.bio", "-", "--json"],
        input=(bio_files / "a.bio").read_bytes(),
        capture_output=True,
        check=True,
        cwd=bio_files,
    )
    assert json.loads(done.stdout)["systems"][0]["file"] == "standard input"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gold.bio", "none.bio"], "none.bio can't be read: No such file or directory"),
        (["gold.bio", "."], ". can't be read: Is a directory"),
        (["c.bio", "gold.bio"], "c.bio:2: 'I-P' after 'O'; an entity opens with 'B-P'"),
        (["gold.bio", "other.bio"], "other.bio:1: 'of', where gold.bio:1 has 'by'"),
    ],
)
def test_what_can_t_be_scored(
    bio_files: Path, arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bio_files / "other.bio").write_text("O of\n")
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "score", *arguments)
    assert str(stopped.value.code).startswith(f"bert-ner: {complaint}")


def test_check(bio_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "check", "gold.bio", "b.bio")
    out = capsys.readouterr().out.splitlines()
    assert [out[0], out[5]] == ["gold.bio: 2 sentences are right", "b.bio: 2 sentences are right"]
    assert out[10:] == ["b.bio: 2 of 2 sentences also in gold.bio, word for word"]
    (bio_files / "unclear.bio").write_text("O O\n")
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "check", "none.bio", "c.bio", "gold.bio", "unclear.bio")
    assert stopped.value.code == "bert-ner: 3 of 4 files fail; the lines above say why"
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [
        "none.bio can't be read: No such file or directory",
        "c.bio:2: 'I-P' after 'O'; an entity opens with 'B-P'",
        "c.bio: 1 of 2 sentences is right",
    ]
    assert out[-2].startswith(
        "unclear.bio: both columns look like tags; say which holds them with --order tag-first or --order word-first"
    )
    run(monkeypatch, "check", "unclear.bio", "--order", "word-first")


@pytest.mark.parametrize("arguments", [["check", "odd.bio"], ["score", "odd.bio", "a.bio"]])
def test_a_type_is_no_command_to_a_terminal(
    bio_files: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = (bio_files / "gold.bio").read_text()
    (bio_files / "odd.bio").write_text(gold.replace("-P", "-\x1b[2J"))
    run(monkeypatch, *arguments)
    out = capsys.readouterr().out
    assert r"\x1b[2J" in out
    assert "\x1b" not in out


def test_check_reads_what_tag_writes() -> None:
    record = b'{"line": 1, "text": "ada", "words": ["ada"], "tags": ["B-P"], "entities": []}\n'
    done = subprocess.run([*PROGRAM, "check", "-"], input=record * 2, capture_output=True, check=True)
    assert done.stdout.startswith(b"standard input: 2 sentences are right\n")


def test_check_reads_standard_input() -> None:
    done = subprocess.run([*PROGRAM, "check", "-"], input=b"a O\nb I-P\n\na B-P\n", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"standard input:2: 'I-P' after 'O'; an entity opens with 'B-P'\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", "gold.bio"],
        ["check"],
        ["check", "a", "--order", "both"],
        ["check", "a", "--tag-column", "0"],
        ["check", "a", "--word-column", "second"],
        ["convert", "a"],
        ["convert", "a", "b", "--scheme", "XYZ"],
        ["convert", "a", "b", "--to-format", "csv"],
    ],
)
def test_wrong_usage_of_the_commands_on_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, *arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: bert-ner")


CONLL = ["--tag-column", "last", "--docstart"]


def test_conll_2003_with_its_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(INPUTS)
    files = ["conll2003_gold.txt", "conll2003_predicted.txt"]
    run(monkeypatch, "score", *files, *CONLL, "--json")
    record = json.loads(capsys.readouterr().out)
    assert (record["gold"]["sentences"], record["gold"]["words"]) == (4, 16)
    assert record["gold"]["skipped"] == {"-DOCSTART-": 4}
    scores = record["systems"][0]["scores"]
    assert scores["entity_f1"]["value"] == pytest.approx(2 * 7 / (8 + 7))
    assert scores["token_micro_f1"]["value"] == 15 / 16
    run(monkeypatch, "score", *files, *CONLL)
    assert "conll2003_gold.txt: skipped 4 -DOCSTART- lines\n" in capsys.readouterr().out
    run(monkeypatch, "check", files[0], *CONLL)
    assert "  skipped: 4 -DOCSTART- lines\n" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="skip such lines with --docstart"):
        run(monkeypatch, "score", *files, "--tag-column", "last")


def test_document_marks_never_count_as_right_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mark = "-DOCSTART- -X- O\n\n"
    Path("gold.txt").write_text((mark + "a x O\n" * 8 + "b x B-X\n\n") * 20)
    Path("predicted.txt").write_text((mark + "a x O\n" * 8 + "b x O\n\n") * 20)
    run(monkeypatch, "score", "gold.txt", "predicted.txt", "--tag-column", "last", "--docstart", "--json")
    [system] = json.loads(capsys.readouterr().out)["systems"]
    assert system["scores"]["token_micro_f1"]["value"] == pytest.approx(8 / 9)  # 9 / 10 with the marks
    with pytest.raises(SystemExit, match=r"skip such lines with --docstart \(and 19 more like it\)"):
        run(monkeypatch, "score", "gold.txt", "predicted.txt", "--tag-column", "last")


def test_conlleval_s_three_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(INPUTS)
    for options in ([], ["--tag-column", "2"]):
        run(monkeypatch, "score", "conlleval_three.txt", "--predicted-column", "last", *options, "--json")
        record = json.loads(capsys.readouterr().out)
        scores = {metric: found["value"] for metric, found in record["systems"][0]["scores"].items()}
        assert (scores["entity_f1"], scores["span_f1"], scores["partial_f1"]) == (0, 0, 0.5)
        assert scores["token_micro_f1"] == pytest.approx(2 / 3)
        assert record["gold"]["entities"] == 1
    run(monkeypatch, "score", "conlleval_three.txt", "--predicted-column", "last")
    assert capsys.readouterr().out.startswith("conlleval_three.txt: 1 sentence, 3 words, 1 entity of 1 type\n")
    with pytest.raises(SystemExit, match="can't be in the same column"):
        run(monkeypatch, "score", "conlleval_three.txt", "--predicted-column", "first")
    with pytest.raises(SystemExit, match="--order is for two columns"):
        run(monkeypatch, "score", "conlleval_three.txt", "--predicted-column", "last", "--order", "tag-first")


@pytest.mark.parametrize("name", ["bioes.txt", "iob1.txt", "hf_names.jsonl", "hf_ids.json"])
def test_every_format_is_checked_converted_and_scored(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "check", str(INPUTS / name))
    assert "1 sentence is right" in capsys.readouterr().out
    target = str(tmp_path / "out.bio")
    run(monkeypatch, "convert", str(INPUTS / name), target)
    assert capsys.readouterr().out.startswith(f"{INPUTS / name}: 1 sentence, scheme ")
    signatures = set()
    for gold in (INPUTS / name, target):
        run(monkeypatch, "score", str(gold), target, "--json")
        found = json.loads(capsys.readouterr().out)["systems"][0]["scores"]["entity_f1"]
        assert found["value"] == 1
        signatures.add(found["signature"].rpartition("data:")[2])
    assert len(signatures) == 1  # the same sentences, in whatever format


def test_gold_and_predictions_have_schemes_of_their_own(
    bio_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (bio_files / "bioes.bio").write_text("O by\nB-P ada\nE-P brook\n\nO by\nS-P olaf\n")
    (bio_files / "iob1.bio").write_text("O by\nI-P ada\nI-P brook\n\nO by\nI-P olaf\n")

    def scored(*arguments: str) -> tuple[str, list[float]]:
        run(monkeypatch, "score", *arguments, "--json")
        [system] = json.loads(capsys.readouterr().out)["systems"]
        names = ("entity_f1", "entity_f1_strict", "token_micro_f1")
        return system["scheme"], [system["scores"][name]["value"] for name in names]

    assert scored("gold.bio", "bioes.bio") == ("BIOES", [1, 1, 1])
    assert scored("bioes.bio", "gold.bio", "--scheme", "BIOES") == ("IOB2", [1, 1, 1])
    assert scored("bioes.bio", "iob1.bio") == ("IO", [1, 1, 1])
    # With a gold file in IOB2, these are mistakes, unless the scheme is named.
    assert scored("gold.bio", "iob1.bio") == ("IOB2", [1, 0, pytest.approx(3 / 5)])
    assert scored("gold.bio", "iob1.bio", "--predicted-scheme", "IOB1") == ("IOB1", [1, 1, 1])
    run(monkeypatch, "score", "gold.bio", "bioes.bio")
    assert "bioes.bio: scheme BIOES, converted to IOB2\n" in capsys.readouterr().out
    (bio_files / "mixed.bio").write_text("O by\nB-P ada\nI-P brook\n\nO by\nU-P olaf\n")
    with pytest.raises(SystemExit, match="name it with --predicted-scheme BILOU"):
        run(monkeypatch, "score", "gold.bio", "mixed.bio")
    (bio_files / "wrong.bio").write_text("O by\nB-P ada\nI-P brook\n\nO by\nS-P olaf\n")
    run(monkeypatch, "score", "bioes.bio", "wrong.bio")
    assert "wrong.bio: tags that BIOES would not have there: 1, the first in line 3;" in capsys.readouterr().out


def test_ids_take_their_names_from_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text('{"tokens": ["Dana", "sings"], "ner_tags": [1, 0]}\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "convert", "a.jsonl", "a.bio")
    assert "name the tags in their order, as in --names O,B-PER,I-PER" in str(stopped.value.code)
    run(monkeypatch, "convert", "a.jsonl", "a.bio", "--names", "O,U-PER")
    assert capsys.readouterr().out == "a.jsonl: 1 sentence, scheme BILOU -> a.bio: IOB2\n"
    assert (tmp_path / "a.bio").read_text() == "Dana\tB-PER\nsings\tO\n\n"


def test_a_single_sentence_has_scores_but_no_intervals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(INPUTS)
    files = ["one_sentence_gold.bio", "one_sentence_predicted.bio"]
    run(monkeypatch, "score", *files, files[0])
    out = capsys.readouterr().out
    assert "no intervals and no p-values: they take at least 6 sentences; this file has 1\n" in out
    assert not re.search(r"\d to |interval over", out)
    run(monkeypatch, "score", *files, "--json")
    record = json.loads(capsys.readouterr().out)
    found = record["systems"][0]["scores"]["entity_f1"]
    assert found["value"] == pytest.approx(2 * 18 / (20 + 18))
    assert (found["low"], found["high"]) == (None, None)
    assert record["remark"].startswith("no intervals")


def test_a_test_sentence_that_stands_in_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(INPUTS)
    run(monkeypatch, "check", "overlap_train.bio", "overlap_test.bio")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "overlap_test.bio: 1 of 1 sentence also in overlap_train.bio, word for word"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_output_survives_every_encoding_and_tables_stay_aligned(tmp_path: Path, encoding: str) -> None:
    name = "caf\u00e9\u4e2d.bio"
    (tmp_path / name).write_text("a B-\u0410\u00e9\nb O\n\n" * 6, encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def out(*arguments: str) -> str:
        command = [*PROGRAM, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert b"Traceback" not in done.stderr
        return (done.stdout + done.stderr).decode(encoding)

    for command in (
        ["score", name, name],
        ["score", name, name, "--json"],
        ["check", name],
        ["convert", name, "o.bio"],
    ):
        assert "sentence" in out(*command)
    lines = out("score", name, name).splitlines()
    header, row = (lines[lines.index("Entity F1 by type") + i] for i in (2, 3))
    assert len(header) == len(row)
    _, table, _ = out("gate", "--gold", name, "--reference", name, "--new", name).split("\n\n")
    header, row, _ = table.splitlines()
    assert len(header) == len(row)
    (tmp_path / "other.bio").write_text("e\u0301 O\nb O\n\n" * 6, encoding="utf-8")
    (tmp_path / "third.bio").write_text("\u00e9 O\nb O\n\n" * 6, encoding="utf-8")
    complaint = out("score", "other.bio", "third.bio")
    assert "(character 1 is U+00E9 LATIN SMALL LETTER E WITH ACUTE, not U+0065 LATIN SMALL LETTER E)" in complaint
