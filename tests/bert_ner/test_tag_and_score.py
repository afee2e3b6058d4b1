"""`bert-ner tag GOLD --output bio | bert-ner score GOLD -` for every kind of file that tag reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bert_ner import cli
from bert_ner.corpus.convert import convert
from bert_ner.corpus.formats import Reading

RECORDS = [
    {"tokens": ["by", "ada", "brook"], "ner_tags": ["O", "B-PERSON", "I-PERSON"]},
    {"tokens": [], "ner_tags": []},
    {"tokens": ["westerns"], "ner_tags": ["B-GENRE"]},
]
MARK = {"tokens": ["-DOCSTART-"], "ner_tags": ["O"]}
BIO = "by\tO\nada\tB-PERSON\nbrook\tI-PERSON\n\nwesterns\tB-GENRE\n"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("g.bio", BIO, []),
        ("g.txt", BIO, ["--format", "columns"]),
        ("g.txt", "O by\nB-PERSON ada\nI-PERSON brook\n\nB-GENRE westerns\n", ["--order", "tag-first"]),
        ("g.bioes", "by O\nada B-PERSON\nbrook E-PERSON\n\nwesterns S-GENRE\n", []),
        ("g.iob1", "by O\nada I-PERSON\nbrook I-PERSON\n\nwesterns I-GENRE\n", ["--scheme", "IOB1"]),
        (
            "g.conllu",
            "# one\n1 by O x\n2 ada B-PERSON x\n3 brook I-PERSON x\n\n1 westerns B-GENRE x\n",
            ["--comments", "#", "--word-column", "2", "--tag-column", "3"],
        ),
        (
            "g.txt",
            "-DOCSTART- -X- O\n\nby IN O\nada NN B-PERSON\nbrook NN I-PERSON\n\nwesterns NN B-GENRE\n",
            ["--word-column", "first", "--tag-column", "last", "--docstart"],
        ),
        ("g.json", json.dumps(RECORDS), []),
        ("g.json", json.dumps({"data": RECORDS}), ["--format", "json"]),
        ("g.jsonl", "".join(f"{json.dumps(record)}\n" for record in (MARK, *RECORDS)), ["--docstart"]),
        ("g.parquet", None, []),
        ("g", None, ["--format", "parquet"]),
    ],
)
def test_tag_and_score(
    name: str,
    content: str | None,
    options: list[str],
    trained: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    gold = tmp_path / name
    if content is None:
        pytest.importorskip("pyarrow")
        convert(json.dumps(RECORDS).encode(), "r.json", Reading(), gold, form="parquet")
    else:
        gold.write_text(content, encoding="utf-8")
    of_tags = options.index("--scheme") if "--scheme" in options else len(options)  # which do not matter to `tag`
    layout = [*options[:of_tags], *options[of_tags + 2 :]]
    monkeypatch.setattr(
        sys, "argv", ["bert-ner", "tag", str(gold), "--output", "bio", "--model", str(trained.folder), *layout]
    )
    cli.main()
    score = [sys.executable, "-m", "bert_ner", "score", str(gold), "-", "--json", *options]
    done = subprocess.run(score, input=capfd.readouterr().out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["gold"]["sentences"] == (3 if "json" in name or content is None else 2)
    assert record["systems"][0]["scores"]["entity_f1"]["value"] == 1
