"""Names that moved still work, with a warning."""

from __future__ import annotations

import importlib

import pytest

from bert_ner import errors, loading, model_folder, queries, stream
from bert_ner.corpus import bio, catalog, columns

MOVED = {
    "bert_ner.tagger:load_tagger": loading.load_tagger,
    "bert_ner.tagger:trained_folder": loading.trained_folder,
    "bert_ner.tagger:TaggerUnavailable": model_folder.TaggerUnavailable,
    "bert_ner.tagger:MANIFEST": model_folder.MANIFEST,
    "bert_ner.tagger:QUANTISED": model_folder.QUANTISED,
    "bert_ner.tagger:WEIGHTS": model_folder.WEIGHTS,
    "bert_ner.encoder.onnx:NotExportable": errors.NotExportable,
    "bert_ner.tagger:read_manifest": model_folder.read_manifest,
    "bert_ner.tagger:write_manifest": model_folder.write_manifest,
    "bert_ner.tagger:write_model": model_folder.write_model,
    "bert_ner.corpus.bio:Offence": columns.Problem,
    "bert_ner.corpus.bio:Passage": bio.ParsedSentence,
    "bert_ner.corpus.bio:refuse": columns.raise_problems,
    "bert_ner.stream:Record": stream.Answer,
    "bert_ner.stream:tag_lines": stream.tag_queries,
    "bert_ner.stream:tag_stream": stream.write_answers,
    "bert_ner.stream:words_of": queries.read_query,
}


@pytest.mark.parametrize("old", [*MOVED, "bert_ner.encoder.onnx:export", "bert_ner.encoder.onnx:OnnxTagger"])
def test_an_old_name_warns(old: str) -> None:
    module, _, name = old.partition(":")
    with pytest.warns(DeprecationWarning, match=rf"{module}\.{name} is now bert_ner\..*; the old name goes"):
        found = getattr(importlib.import_module(module), name)
    if old in MOVED:
        assert found is MOVED[old]
    assert found is not None


def test_a_table_that_is_now_a_function_keeps_its_content() -> None:
    with pytest.warns(DeprecationWarning, match=r"catalog\.CORPORA is now bert_ner\.corpus\.catalog\.all_corpora\(\);"):
        found = catalog.CORPORA
    assert found["sample"] == catalog.corpus_named("sample")


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'bert_ner\.tagger' has no attribute 'nothing'"):
        importlib.import_module("bert_ner.tagger").nothing  # noqa: B018
