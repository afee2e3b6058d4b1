"""Conversion between formats and schemes: without loss, or an error with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_ner.corpus.bio import BioError, Sentence, Span, tags_of
from bert_ner.corpus.columns import Layout
from bert_ner.corpus.convert import convert
from bert_ner.corpus.formats import Reading, read_sentences
from bert_ner.corpus.schemes import SCHEMES
from bert_ner.errors import BertNerError

INPUTS = Path(__file__).parent / "inputs"


def converted(name: str, target: Path, reading: Reading | None = None, **options: Any) -> tuple[str, str]:
    """Return what was said, without folders, and the content of the target."""
    said = convert((INPUTS / name).read_bytes(), name, reading or Reading(), target, **options)
    return said.replace(f"{target.parent}/", ""), target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "target", "options", "said", "content"),
    [
        (
            "bioes.txt",
            "out.bio",
            {},
            "bioes.txt: 1 sentence, scheme BIOES -> out.bio: IOB2",
            "watch\tO\nthe\tB-TITLE\nlost\tI-TITLE\nisland\tI-TITLE\nwith\tO\nDana\tB-ACTOR\n\n",
        ),
        (
            "bioes.txt",
            "out.txt",
            {"scheme": "BILOU"},
            "bioes.txt: 1 sentence, scheme BIOES -> out.txt: BILOU",
            "watch\tO\nthe\tB-TITLE\nlost\tI-TITLE\nisland\tL-TITLE\nwith\tO\nDana\tU-ACTOR\n\n",
        ),
        (
            "iob1.txt",
            "out.conll",
            {},
            "iob1.txt: 1 sentence, scheme IOB1 -> out.conll: IOB2",
            "Dana\tB-PER\nOslo\tB-LOC\nBergen\tB-LOC\nsings\tO\n\n",
        ),
        (
            "comments.conllu.txt",
            "out",
            {"reading": Reading(Layout(word_column=1, comments="#"))},
            "comments.conllu.txt: 2 sentences, scheme IOB2 -> out: IOB2; left out 2 comment lines",
            "Dana\tB-PER\nsings\tO\n\nOslo\tB-LOC\n\n",
        ),
        (
            "hf_names.jsonl",
            "out.txt",
            {},
            "hf_names.jsonl: 1 sentence, scheme IOB2 -> out.txt: IOB2; left out id, lang, which .jsonl keeps",
            "Dana\tB-PER\nsings\tO\n\n",
        ),
        (
            "hf_names.jsonl",
            "out.jsonl",
            {"scheme": "IO"},
            "hf_names.jsonl: 1 sentence, scheme IOB2 -> out.jsonl: IO",
            '{"id": "7", "lang": "en", "tokens": ["Dana", "sings"], "ner_tags": ["I-PER", "O"]}\n',
        ),
        (
            "hf_ids.json",
            "out.txt",
            {"form": "jsonl"},
            "hf_ids.json: 1 sentence, scheme IOB2 -> out.txt: IOB2",
            '{"tokens": ["Dana", "Lee", "sings"], "ner_tags": ["B-PER", "I-PER", "O"]}\n',
        ),
    ],
)
def test_conversion(tmp_path: Path, name: str, target: str, options: dict[str, Any], said: str, content: str) -> None:
    assert converted(name, tmp_path / target, **options) == (said, content)


@pytest.mark.parametrize(
    ("content", "name", "options", "message"),
    [
        ("a B-X\nb B-X\n", "a.bio", {"scheme": "IO"}, "a.bio:2: IO can't separate two entities of type X that touch"),
        ("a O\nb I-X\nc B-X\n\nd B-X\n", "a.bio", {}, "a.bio:2: 'I-X' after 'O'; an entity opens with 'B-X'"),
        ("a O\nb Z-X\n", "a.bio", {}, "a.bio:2: 'Z-X' is not a tag"),
        ('{"tokens": ["a b"], "ner_tags": ["O"]}', "a.jsonl", {}, "a.jsonl:1: 'a b' is empty, or has a space"),
        (
            '{"tokens": ["\\ufeffa"], "ner_tags": ["O"]}',
            "a.jsonl",
            {},
            "a.jsonl:1: '\\ufeffa' is empty, or has a space",
        ),
        (
            '[{"tokens": ["a"], "ner_tags": ["O"]}, {"tokens": [], "ner_tags": []}]',
            "a.json",
            {},
            "a.json: sentence 2 has no words; text can't express that, .jsonl can",
        ),
    ],
)
def test_a_target_without_room_for_something_is_an_error(
    tmp_path: Path, content: str, name: str, options: dict[str, Any], message: str
) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(BioError) as caught:
        convert(content.encode(), name, Reading(), target, **options)
    assert str(caught.value).startswith(message)
    assert target.read_text() == "old"
    for folder in (tmp_path, "."):
        with pytest.raises(BioError, match=r"can't be written: (Is a directory|Device or resource busy)"):
            convert(b"a O\n", "a.bio", Reading(), folder)


def test_standard_output_is_no_target() -> None:
    content = b"O\ta\n"
    with pytest.raises(BertNerError, match=r"^- stands for standard input"):
        convert(content, "in", Reading(), "-")


TAGGED = {
    "line": 1,
    "text": "Dana sings",
    "words": ["Dana", "sings"],
    "tags": ["B-PER", "O"],
    "entities": [{"text": "Dana", "type": "PER", "start": 0, "end": 4, "score": 0.9}],
}


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({}, ""),  # as `bert-ner tag` writes it: words and tags give the rest
        ({"id": 7}, "; left out id, which .jsonl keeps"),
        ({"line": 2}, "; left out line, which .jsonl keeps"),
        ({"text": "Dana  sings"}, "; left out text, which .jsonl keeps"),
        ({"entities": []}, "; left out entities, which .jsonl keeps"),
        ({"entities": [{"type": "PER", "wikidata": "Q1"}]}, "; left out entities, which .jsonl keeps"),
        ({"entities": None}, "; left out entities, which .jsonl keeps"),
    ],
)
def test_a_key_is_lost_only_if_words_and_tags_can_t_give_it(change: dict[str, Any], lost: str, tmp_path: Path) -> None:
    done = convert(json.dumps(TAGGED | change).encode(), "a.jsonl", Reading(), tmp_path / "a.bio")
    assert done == f"a.jsonl: 1 sentence, scheme IOB2 -> {tmp_path / 'a.bio'}: IOB2{lost}"


def test_other_keys_survive_in_records(tmp_path: Path) -> None:
    record = {"id": 1, "words": ["a"], "tags": ["S-X"], "entities": [{"type": "X"}], "line": 5}
    kept = {"id": 1, "entities": [{"type": "X"}], "line": 5, "tokens": ["a"], "ner_tags": ["B-X"]}
    for suffix in ("jsonl", "json"):
        target = tmp_path / f"out.{suffix}"
        convert(json.dumps(record).encode(), "a.jsonl", Reading(), target)
        found = json.loads(target.read_text())
        assert found == (kept if suffix == "jsonl" else [kept])


def test_parquet_and_back(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    converted_to = tmp_path / "out.parquet"
    convert((INPUTS / "hf_names.jsonl").read_bytes(), "a.jsonl", Reading(), converted_to, "BIOES")
    said = convert(converted_to.read_bytes(), "out.parquet", Reading(), tmp_path / "out.jsonl")
    assert said.startswith("out.parquet: 1 sentence, scheme BIOES -> ")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == json.loads((INPUTS / "hf_names.jsonl").read_text())
    mixed = '{"x": 1, "tokens": ["a"], "ner_tags": ["O"]}\n{"x": "b", "tokens": ["a"], "ner_tags": ["O"]}\n'
    with pytest.raises(BioError, match=r"the records don't fit into Parquet: .*; \.jsonl takes them"):
        convert(mixed.encode(), "a.jsonl", Reading(), converted_to)


words = st.text(st.sampled_from("ab#\u00e9\u200b\ufeff-O"), min_size=1, max_size=3).filter(
    lambda word: word[0] != "\ufeff"
)
parts = st.tuples(st.integers(1, 3), st.sampled_from(["", "X", "Y"]))


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    spans, length = [], 0
    for size, kind in draw(st.lists(parts, min_size=1, max_size=5)):
        if kind:
            spans.append(Span(kind, length, length + size))
        length += size
    return Sentence(tuple(draw(words) for _ in range(length)), tuple(tags_of(spans, length)))


@settings(deadline=None)
@given(
    corpus=st.lists(sentences(), min_size=1, max_size=4),
    scheme=st.sampled_from([each for each in SCHEMES if each != "IO"]),
    suffix=st.sampled_from(["txt", "json", "jsonl"]),
)
def test_there_and_back(
    corpus: list[Sentence], scheme: Any, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("convert")
    source = "".join("".join(f"{word}\t{tag}\n" for word, tag in zip(*each, strict=True)) + "\n" for each in corpus)
    there, back = folder / f"there.{suffix}", folder / "back.bio"
    word_first = Reading(Layout("word-first"))
    convert(source.encode(), "a.bio", word_first, there, scheme)
    assert read_sentences(there, word_first) == corpus
    convert(there.read_bytes(), str(there), word_first, back)
    assert back.read_text(encoding="utf-8") == source
