"""Whatever a file holds, each reader reads it or says what is wrong with it.

HYPOTHESIS_PROFILE=nightly python -m pytest tests/fuzz
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import artifacts, params
from harness.tables import KINDS, read_table

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder import onnx
from bert_ner.errors import BertNerError
from bert_ner.files import SUMS, check_sums
from bert_ner.loading import load_tagger
from bert_ner.model_folder import MANIFEST, read_manifest
from claims.rules import KEYS
from claims.schema import read_claims, read_published
from reporting.errors_page import read_predictions

targets = runpy.run_path(str(Path(__file__).with_name("targets.py")))
# What a line of a file turns into by accident, or by intent.
SNIPPETS = [
    "", " ", "\t", "\n", "\r", "\x00", "\ufeff", "\u2028", "\u00e9", "\ud7ff", ":", ": ", "- ", "? ", "|", ">", "#",
    "&a ", "*a", "!!python/object/apply:os.system ", "!!binary ", "!!set ", "!!timestamp ", "<<: ", "---\n", "...\n",
    "[", "]", "{", "}", ",", "'", '"', "null", "~", "true", "NO", "0", "-1", "0x1", "1e400", ".nan", ".inf", "1_0", "%",
    "9" * 30, "2001-01-01", "2001-99-99", "B-X", "I-X", "O", "=", "/", "\\", "\\u0000", "<<<<<<< HEAD\n",
]  # fmt: skip
PARAMS = """\
corpora: [sample]
baselines: [crf]
encoders: [minilm]
seeds: [13, 42]
more:
  rest: {corpora: [sample], systems: [crf], seeds: [0]}
split: {validation_fraction: 0.1, seed: 42}
minilm: &a
  name: all-MiniLM-L6-v2
  learning_rate: 3e-5
other:
  <<: *a
"""
CLAIMS = """\
corpus: mit_movie_eng
encoder: bert-base-uncased
claims:
  - id: D1
    section: "4.1"
    claim: something
    kind: count
    paper_value: 5
    judge: {rule: equals, measured: {corpus.json: a.b}, tolerance: 1, otherwise: contradicted}
    command: make repro
"""
PUBLISHED = """\
systems:
  - {system: a, parameters: 1 M, score: 0.9, metric: entity_f1, corpus: b, test_set: c, comparable: true, source: d}
"""
MANIFEST_TEXT = json.dumps({
    "tagger": "bert_ner.export.export:OnnxTagger",
    "sha256": {"model.onnx": "0", "tokenizer.json": "1"},
    "labels": ["O", "B-X", "I-X"],
    "special": {"cls": 101, "sep": 102, "pad": 0},
    "limit": 48,
})  # fmt: skip
TABLE = "system,type,seed,support,f1\ncrf,ACTOR,0,5,0.5\nminilm,ACTOR,13,5,\n"
TEST = [Sentence(("a", "b"), ("O", "B-X")), Sentence(("c",), ("O",))]
TAGS = "O B-X\nO\n"

edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)


def edited(text: str, changes: list[tuple[float, int, str]]) -> bytes:
    """The text with some characters replaced here and there."""
    for place, removed, inserted in changes:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + removed :]
    return text.encode(errors="surrogatepass")


Reader = Callable[[Path], Any]
READERS: dict[str, tuple[str, Reader]] = {
    "params.yaml": (PARAMS, lambda _: params.read_params()),
    "claims.yaml": (CLAIMS, lambda path: read_claims(path, KEYS)),
    "published.yaml": (PUBLISHED, read_published),
    MANIFEST: (MANIFEST_TEXT, lambda path: onnx._check(path, read_manifest(path.parent))),
    "run.json": (json.dumps({"settings": {}, "history": []}), artifacts.read_json),
    "scores_by_type.csv": (TABLE, lambda path: read_table(path, KINDS["scores_by_type"], "make repro")),
    "crf-0.tags": (TAGS, lambda path: read_predictions(path, TEST, ["X"], "make repro")),
    SUMS: ("0" * 64 + "  a\n" + "1" * 64 + "  b\n", lambda path: check_sums(path.parent, "make repro")),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(params, "ROOT", tmp_path)
    return tmp_path


def read(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        READERS[name][1](path)
    except BertNerError as error:
        assert str(folder) in str(error)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", READERS)
@shared
@given(changes=edits)
def test_an_edited_file(folder: Path, name: str, changes: list[tuple[float, int, str]]) -> None:
    read(folder, name, edited(READERS[name][0], changes))


@pytest.mark.parametrize("name", READERS)
@shared
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_anything(folder: Path, name: str, content: bytes) -> None:
    read(folder, name, content)


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith((".json", ".yaml"))])
@shared
@given(content=values)
def test_json_of_any_shape(folder: Path, name: str, content: Any) -> None:
    """YAML, too, is a way to write it."""
    read(folder, name, json.dumps(content).encode())


@shared
@given(changes=edits)
def test_a_folder_with_an_edited_manifest_is_no_tagger(folder: Path, changes: list[tuple[float, int, str]]) -> None:
    (folder / MANIFEST).write_bytes(edited(MANIFEST_TEXT, changes))
    with pytest.raises(BertNerError):
        load_tagger(folder)


@given(st.binary(max_size=200) | edits.map(lambda changes: edited("O\ta\nB-X\tb\nI-X\tc\n\nO\td\n", changes)))
def test_bio(data: bytes) -> None:
    targets["bio"](data)


JSON_LINES = '{"text": "by ada"}\n{"words": ["by", "ada"]}\n{"words": []}\n'


@given(st.binary(max_size=200) | edits.map(lambda changes: edited(JSON_LINES, changes)))
def test_lines(data: bytes) -> None:
    targets["lines"](data)
