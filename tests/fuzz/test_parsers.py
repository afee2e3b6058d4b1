"""Every reader reads any file, or reports its problems.

HYPOTHESIS_PROFILE=nightly python -m pytest tests/fuzz
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import tables
from harness.artifacts import read_json, read_predictions
from harness.params import Params

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.export.tagger import OnnxTagger
from bert_ner.files import SUMS, check_sums
from bert_ner.loading import load_tagger
from bert_ner.model_folder import MANIFEST
from bert_ner.yaml_files import read_yaml
from claims.schema import read_claims, read_published
from reporting.errors_page import check_types

targets = runpy.run_path(str(Path(__file__).with_name("targets.py")))
# Text that gets into files by accident or on purpose.
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
extra_runs:
  rest: {corpora: [sample], systems: [crf], seeds: [0]}
split: {validation_fraction: 0.1, seed: 42}
label_audit: {system: crf, folds: 3, seed: 42}
crf: {c1: [0.1]}
minilm: &a
  kind: encoder
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
    judge: {rule: equals, measured: corpus.json a.b, tolerance: 1, otherwise: contradicted}
    command: make repro
"""
PUBLISHED = """\
systems:
  - {system: a, parameters: 1 M, score: 0.9, metric: entity_f1, corpus: b, test_set: c, comparable: true, source: d}
"""
MANIFEST_TEXT = json.dumps({
    "tagger": "onnx",
    "sha256": {"model.onnx": "0", "tokenizer.json": "1"},
    "labels": ["O", "B-X", "I-X"],
    "special": {"cls": 101, "sep": 102, "pad": 0},
    "limit": 48,
})  # fmt: skip
TABLE = "system,seed,type,support,precision,recall,f1\ncrf,0,ACTOR,5,1,0.5,0.667\nminilm,13,ACTOR,5,,0,\n"
TEST = [Sentence(("a", "b"), ("O", "B-X")), Sentence(("c",), ("O",))]
TAGS = "O B-X\nO\n"

edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)


def edited(text: str, changes: list[tuple[float, int, str]]) -> bytes:
    """Return the text with some characters replaced."""
    for place, removed, inserted in changes:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + removed :]
    return text.encode(errors="surrogatepass")


def load_onnx(path: Path) -> None:
    """Load an exported folder that has only a manifest."""
    try:
        OnnxTagger.load(path.parent)
    except BertNerError:
        raise
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises no narrower class
        assert "No such file" in str(error)  # the manifest is valid, so the tokenizer is read


def read_table(path: Path) -> None:
    tables._read.cache_clear()  # edits may come faster than the clock of the file system ticks
    tables.read_table(path.parents[1], path.parent.name, path.stem)


def read_tags(path: Path) -> None:
    check_types(path, read_predictions(path, TEST, "run make repro"), ["X"], "run make repro")


Reader = Callable[[Path], Any]
READERS: dict[str, tuple[str, Reader]] = {
    "params.yaml": (PARAMS, lambda path: read_yaml(path, Params)),
    "claims.yaml": (CLAIMS, read_claims),
    "published.yaml": (PUBLISHED, read_published),
    MANIFEST: (MANIFEST_TEXT, load_onnx),
    "run.json": (json.dumps({"settings": {}, "history": []}), read_json),
    "scores_by_type.csv": (TABLE, read_table),
    "crf-0.tags": (TAGS, read_tags),
    SUMS: ("0" * 64 + "  a\n" + "1" * 64 + "  b\n", lambda path: check_sums(path.parent, "make repro")),
}


def read(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        READERS[name][1](path)
    except BertNerError as error:
        assert str(folder) in str(error)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", [name for name in READERS if name != SUMS])
def test_the_unedited_file_is_valid(tmp_path: Path, name: str) -> None:
    text, reader = READERS[name]
    (tmp_path / name).write_text(text)
    reader(tmp_path / name)


@pytest.mark.parametrize("name", READERS)
@shared
@given(changes=edits)
def test_an_edited_file(tmp_path: Path, name: str, changes: list[tuple[float, int, str]]) -> None:
    read(tmp_path, name, edited(READERS[name][0], changes))


@pytest.mark.parametrize("name", READERS)
@shared
@example(content=b"+_")  # an IndexError in ruamel.yaml
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_anything(tmp_path: Path, name: str, content: bytes) -> None:
    read(tmp_path, name, content)


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith((".json", ".yaml"))])
@shared
@given(content=values)
def test_json_of_any_shape(tmp_path: Path, name: str, content: Any) -> None:
    """JSON is YAML, too."""
    read(tmp_path, name, json.dumps(content).encode())


@shared
@given(changes=edits)
def test_a_folder_with_an_edited_manifest_is_no_tagger(tmp_path: Path, changes: list[tuple[float, int, str]]) -> None:
    (tmp_path / MANIFEST).write_bytes(edited(MANIFEST_TEXT, changes))
    with pytest.raises(BertNerError):
        load_tagger(tmp_path)


@given(st.binary(max_size=200) | edits.map(lambda changes: edited("O\ta\nB-X\tb\nI-X\tc\n\nO\td\n", changes)))
def test_bio(data: bytes) -> None:
    targets["bio"](data)


JSON_LINES = '{"text": "by ada"}\n{"words": ["by", "ada"]}\n{"words": []}\n'


@given(st.binary(max_size=200) | edits.map(lambda changes: edited(JSON_LINES, changes)))
def test_lines(data: bytes) -> None:
    targets["lines"](data)
