"""Reading files of others: columns, marker lines, JSON, Parquet, and tag schemes."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_ner.corpus import Layout, Reading, read_sentences
from bert_ner.corpus.bio import BioError, Sentence
from bert_ner.corpus.formats import parse_file
from bert_ner.errors import BertNerError
from bert_ner.scoring.files import File, score_files

INPUTS = Path(__file__).parent / "inputs"
DANA = Sentence(("Dana", "Lee", "sings"), ("B-PER", "I-PER", "O"))
CONLL = Sentence(("Dana", "visited", "Oslo", "."), ("B-PER", "O", "B-LOC", "O"))


@pytest.mark.parametrize(
    ("name", "reading", "sentences"),
    [
        (
            "two_line_ends.bio",
            Reading(),
            [DANA, Sentence(("Oslo",), ("B-LOC",))],
        ),
        ("conll2003_gold.txt", Reading(Layout(word_column=0, docstart=True)), [CONLL] * 4),
        ("conll2003_gold.txt", Reading(Layout(tag_column=3, docstart=True)), [CONLL] * 4),
        (
            "bioes.txt",
            Reading(),
            [
                Sentence(
                    ("watch", "the", "lost", "island", "with", "Dana"),
                    ("O", "B-TITLE", "I-TITLE", "I-TITLE", "O", "B-ACTOR"),
                )
            ],
        ),
        ("iob1.txt", Reading(), [Sentence(("Dana", "Oslo", "Bergen", "sings"), ("B-PER", "B-LOC", "B-LOC", "O"))]),
        ("conlleval_three.txt", Reading(Layout(tag_column=1)), [DANA]),
        (
            "conlleval_three.txt",
            Reading(Layout(tag_column=-1)),
            [Sentence(DANA.words, ("B-PER", "O", "O"))],
        ),
        (
            "comments.conllu.txt",
            Reading(Layout(word_column=1, comments="#")),
            [Sentence(("Dana", "sings"), ("B-PER", "O")), Sentence(("Oslo",), ("B-LOC",))],
        ),
        ("hf_names.jsonl", Reading(), [Sentence(("Dana", "sings"), ("B-PER", "O"))]),
        ("hf_ids.json", Reading(), [DANA]),
        ("hf_ids.json", Reading(names=("O", "B-X", "I-X")), [Sentence(DANA.words, ("B-X", "I-X", "O"))]),
    ],
)
def test_files_of_others(name: str, reading: Reading, sentences: list[Sentence]) -> None:
    assert read_sentences(INPUTS / name, reading) == sentences


@pytest.mark.parametrize(
    ("name", "reading", "message"),
    [
        (
            "conll2003_gold.txt",
            Reading(),
            ":1: -DOCSTART- begins a document and is no word; skip such lines with docstart=True (and 3 more",
        ),
        ("conll2003_gold.txt", Reading(Layout(tag_column=-1)), ":1: -DOCSTART- begins a document"),
        (
            "conll2003_gold.txt",
            Reading(Layout(docstart=True)),
            "; name the right columns with word_column and tag_column",
        ),
        ("comments.conllu.txt", Reading(), "'# id 7 domain=film'; skip comments with comments='#' (and 1 more"),
        (
            "comments.conllu.txt",
            Reading(Layout(comments="#")),
            "; name the right columns with word_column and tag_column",
        ),
        (
            "comments.conllu.txt",
            Reading(Layout(tag_column=-1)),
            "'# id 7 domain=film'; skip comments with comments='#'",
        ),
        ("conlleval_three.txt", Reading(Layout(tag_column=3)), ":1: 3 columns of at least 4: 'Dana B-PER B-PER'"),
        (
            "hf_ids.json",
            Reading(names=("O",)),
            'record 1: "ner_tags" has the number 1, but the names of tags are 1, from 0 on',
        ),
        ("none.bio", Reading(), "none.bio can't be read: No such file or directory"),
    ],
)
def test_without_the_right_option_the_error_names_it(name: str, reading: Reading, message: str) -> None:
    with pytest.raises(BioError) as caught:
        read_sentences(INPUTS / name, reading)
    assert message in str(caught.value)


def read(content: str | bytes, name: str = "a.txt", **options: Any) -> list[tuple[list[str], list[str]]]:
    """Return the words and the IOB2 tags of each sentence; raise BioError if there is a problem."""
    parsed = parse_file(content.encode() if isinstance(content, str) else content, name, Reading(**options))
    parsed.raise_problems()
    return [(list(each.sentence.words), list(tags)) for each, tags in zip(parsed.sentences, parsed.iob2, strict=True)]


def test_a_docstart_line_ends_a_sentence_and_a_comment_does_not() -> None:
    content = "a O\n-DOCSTART- O\nb O\n# c\nd O\n"
    assert read(content, layout=Layout(docstart=True, comments="#")) == [(["a"], ["O"]), (["b", "d"], ["O", "O"])]


def test_docstart_records() -> None:
    content = '{"tokens": ["-DOCSTART-"], "ner_tags": ["O"]}\n{"id": 1, "tokens": ["a"], "ner_tags": ["O"]}\n'
    with pytest.raises(BioError, match=r"a\.jsonl:1: -DOCSTART- begins a document and is no word"):
        read(content, "a.jsonl")
    parsed = parse_file(content.encode(), "a.jsonl", Reading(Layout(docstart=True)))
    assert (len(parsed.sentences), parsed.others, parsed.skipped) == (1, [{"id": 1}], {"-DOCSTART-": 1})
    with pytest.raises(BioError, match=r"a\.jsonl: no sentence in it but -DOCSTART-"):
        read(content.partition("\n")[0], "a.jsonl", layout=Layout(docstart=True))
    mixed = '{"tokens": ["-DOCSTART-", "a"], "ner_tags": ["O", "O"]}'  # whose words must not be lost
    with pytest.raises(BioError, match=r"a\.jsonl:1: -DOCSTART- begins a document"):
        read(mixed, "a.jsonl", layout=Layout(docstart=True))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"tokens": ["a"], "ner_tags": ["O"]}\n\n{"words": ["b"], "tags": ["B-X"]}', [["a"], ["b"]]),
        ('\ufeff{"tokens": ["a"], "ner_tags": ["O"]}\r\r\n\ufeff{"tokens": [], "ner_tags": []}', [["a"], []]),
        ('{"words": ["a", "b"], "entities": [{"type": "X", "start": 0, "end": 2, "score": 1}]}', [["a", "b"]]),
    ],
)
def test_json_lines(content: str, words: list[list[str]]) -> None:
    assert [found for found, _ in read(content, "a.jsonl")] == words
    assert read(content, "-", format="jsonl") == read(content, "a.jsonl")
    if content.count("{") > 1:
        assert read(content, "a.json") == read(content, "a.jsonl")  # as `datasets` names them


RECORD = '{"tokens": ["a"], "ner_tags": ["B-X"]}'


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (f"{RECORD}\n{RECORD}\n", "jsonl"),
        (f"\ufeff\n {RECORD}\n\n{RECORD}", "jsonl"),
        (RECORD, "json"),
        (f"[\n {RECORD}]", "json"),
        (f'{{\n "data": [{RECORD}]}}', "json"),
        ("{ O\n[ B-X\n", "columns"),
        ('{"a" O\n[{ O\n', "columns"),
    ],
)
def test_what_no_suffix_names_is_recognised_by_its_content(content: str, form: str) -> None:
    for name in ("standard input", "a.out"):
        assert parse_file(content.encode(), name, Reading()).format == form


def test_parquet_is_recognised_by_its_content(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(
        arrow.table({"tokens": [["a"]], "ner_tags": [["O"]]}), tmp_path / "a.data"
    )
    assert read_sentences(tmp_path / "a.data") == [Sentence(("a",), ("O",))]


@pytest.mark.parametrize(
    "content",
    [
        '[{"tokens": ["a"], "ner_tags": ["B-X"]}]',
        '\ufeff{"tokens": ["a"], "ner_tags": ["B-X"]}',
        '{"data": [{"tokens": ["a"], "ner_tags": ["B-X"]}], "version": 1}',
        '{"names": ["O", "B-X"], "data": [{"tokens": ["a"], "ner_tags": [1]}]}',
    ],
)
def test_json(content: str) -> None:
    assert read(content, "a.json") == [(["a"], ["B-X"])]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not JSON: "),
        ("[1]", 'not an object with "tokens" (or "words"), and "ner_tags" (or "tags" or "entities"): [1]'),
        ('{"text": "a"}', "this one has 'text'"),
        ('{"tokens": ["a"]}', "this one has 'tokens'"),
        ('{"tokens": "ab", "ner_tags": ["O", "O"]}', "\"tokens\" must be a list of strings, not 'ab'"),
        ('{"tokens": ["a", 1], "ner_tags": ["O", "O"]}', "\"tokens\" must be a list of strings, not ['a', 1]"),
        ('{"tokens": ["a"], "ner_tags": "O"}', "must be a list with a tag for each of 1 word, not 'O'"),
        ('{"tokens": ["a"], "ner_tags": ["O", "O"]}', "must be a list with a tag for each of 1 word, not 2"),
        (
            '{"tokens": ["a"], "ner_tags": [0]}',
            "has numbers; name the tags in their order, as in names=('O', 'B-PER', 'I-PER')",
        ),
        ('{"tokens": ["a"], "ner_tags": [true]}', "must hold names or numbers, not True"),
        ('{"tokens": ["a"], "ner_tags": ["X-A"]}', "'X-A' is not a tag"),
        ('{"tokens": ["a"], "entities": [{"type": "A"}]}', "must be a list of objects"),
        ('{"tokens": ["a"], "entities": [{"type": "A", "start": "0", "end": "1"}]}', "must be a list of objects"),
        ('{"tokens": ["a"], "entities": [{"type": "A", "start": 0, "end": 2}]}', "does not fit into a sentence of 1"),
        (
            '{"tokens": ["a", "b"], "entities": [{"type": "A", "start": 0, "end": 2}, '
            '{"type": "B", "start": 1, "end": 2}]}',
            "overlaps another entity; BIO tags can't express that",
        ),
    ],
)
def test_a_broken_record_is_named_by_its_line(record: str, message: str) -> None:
    with pytest.raises(BioError) as caught:
        read('{"tokens": ["a"], "ner_tags": ["O"]}\n' + record + "\n", "a.jsonl")
    assert str(caught.value).startswith("a.jsonl:2: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.json:1: not JSON: Expecting value"),
        ('{\n"data": [}', "a.json:2: not JSON: Expecting value"),
        ("[" * 100_000, "a.json: not JSON: "),
        ("[]", "a.json: no record in it"),
        ('{"data": {}}', 'a.json: "data" must be a list of records'),
        (
            '{"names": "O", "data": [{"tokens": ["a"], "ner_tags": [0]}]}',
            "a.json: \"names\" must be a list of tags, not 'O'",
        ),
        ('[{"tokens": ["a"], "ner_tags": ["O"]}, 5]', "a.json: record 2: not an object with"),
        (b"\xff", "a.json: not JSON: "),
        (gzip.compress(b"[]", mtime=0), "a.json: not JSON: compressed by gzip, not text; decompress it first"),
    ],
)
def test_broken_json(content: str | bytes, message: str) -> None:
    with pytest.raises(BioError) as caught:
        read(content, "a.json")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.gz", "a.conll"])
def test_what_is_no_text_is_named_with_its_remedy(name: str) -> None:
    record = b'{"tokens": ["a"], "ner_tags": ["O"]}\n'
    with pytest.raises(BioError, match=f"^{name} is compressed by gzip, not text; decompress it first, with gzip -d$"):
        read(gzip.compress(record), name)
    with pytest.raises(BioError, match=f"^{name} is UTF-16, not text; convert it with iconv -f utf-16 -t utf-8$"):
        read(record.decode().encode("utf-16"), name)


def test_parquet_with_the_names_that_datasets_writes(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    table = arrow.table({"tokens": [["Dana", "Lee", "sings"]], "ner_tags": [[1, 2, 0]]})
    parquet.write_table(table, path)
    with pytest.raises(BioError, match=r'a\.parquet: record 1: "ner_tags" has numbers'):
        read_sentences(path)
    assert read_sentences(path, Reading(names=("O", "B-PER", "I-PER"))) == [DANA]
    label = {"names": ["O", "B-PER", "I-PER"], "_type": "ClassLabel"}
    features = {"info": {"features": {"ner_tags": {"feature": label, "_type": "Sequence"}}}}
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), path)
    assert read_sentences(path) == [DANA]
    path.write_bytes(b"PAR1")
    with pytest.raises(BioError, match=r"a\.parquet: not Parquet: "):
        read_sentences(path)


def test_parquet_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        BertNerError, match=r"^a\.parquet: Parquet takes pyarrow; install it with: pip install 'bert-ner\[parquet\]'$"
    ):
        read(b"", "a.parquet")


# Schemes


@pytest.mark.parametrize(
    ("tags", "scheme", "expected"),
    [
        ("B-A I-A", None, "B-A I-A"),
        ("S-A B-B E-B", None, "B-A B-B I-B"),
        ("I-A I-A", None, "B-A I-A"),
        ("I-A B-A", None, "B-A B-A"),
        ("B-A B-A", "IOB1", ":1: 'B-A', where IOB1 has 'I-A'"),
        ("B-A O I-A", None, ":3: 'I-A' after 'O'; an entity opens with 'B-A'"),
        ("B-A O I-A", "IO", ":1: 'B-A', where IO has 'I-A'"),
        ("B-A S-A E-A", "BIOES", ":1: 'B-A', where BIOES has 'S-A'"),
        ("B-A X-A", "BIOES", ":2: 'X-A' is a tag of no scheme; expected O, or B, I, E, L, S or U, a hyphen and a type"),
        ("B-\u0410 X-\u0410", "BIOES", "'X-\u0410' (with U+0410 CYRILLIC CAPITAL LETTER A) is a tag of no scheme"),
        ("B-A M-A", None, ":2: 'M-A' is not a tag; expected O, B-<type> or I-<type>"),
    ],
)
def test_schemes(tags: str, scheme: Any, expected: str) -> None:
    content = "".join(f"word {tag}\n" for tag in tags.split())
    if not expected.startswith((":", "'")):
        assert read(content, scheme=scheme)[0][1] == expected.split()
        return
    with pytest.raises(BioError) as caught:
        read(content, scheme=scheme)
    assert expected in str(caught.value)


def test_a_scheme_that_fits_better_than_iob2_is_proposed() -> None:
    content = "a I-X\nb B-X\n\na I-X\n\na O\nb B-X\n\na B-X\n\n"
    with pytest.raises(BioError) as caught:
        read(content)
    assert "fits" not in str(caught.value)  # IOB1 fits two, IOB2 as well
    with pytest.raises(BioError) as caught:
        read(content + "a O\nb I-X\n")
    assert str(caught.value).split("\n") == [
        "a.txt:1: 'I-X' at the start of a sentence; an entity opens with 'B-X' (and 2 more like it)",
        "a.txt: IOB1 fits 3 of 5 sentences with entities, IOB2 2; to read it so: scheme='IOB1'",
    ]


@pytest.mark.parametrize(
    ("gold", "tags", "scheme"),
    [
        ("IOB2", "I-A B-A", "IOB2"),  # a mistake of the tagger
        ("IOB2", "O I-A", "IOB2"),
        ("IOB2", "S-A S-A", "BIOES"),
        ("IOB1", "I-A B-A", "IOB1"),
        ("BIOES", "I-A I-A", "IO"),
        ("BIOES", "O O", "IOB2"),
        ("BIOES", "I-A E-A B-A", "BIOES"),  # mistakes of a tagger of the same scheme
        ("IOB1", "B-A I-A O I-A", "IOB1"),
        ("IOB2", "B-A I-A O U-A", "IOB2"),  # and an error, because that is no tag of IOB2
    ],
)
def test_the_gold_file_s_scheme_helps_to_read_a_prediction(gold: Any, tags: str, scheme: str) -> None:
    content = "".join(f"word {tag}\n" for tag in tags.split())
    assert parse_file(content.encode(), "a.txt", Reading(), gold).scheme == scheme
    assert parse_file(content.encode(), "a.txt", Reading(scheme="IOE1"), gold).scheme == "IOE1"


def test_columns_are_found_by_the_tags_of_any_scheme() -> None:
    assert read("U-boat O\nE-mail O\nsent O\n") == [(["U-boat", "E-mail", "sent"], ["O"] * 3)]
    assert read("S-X U-boat\nO sank\n") == [(["U-boat", "sank"], ["B-X", "O"])]


def test_a_sentence_without_words_is_scored() -> None:
    content = '{"tokens": [], "ner_tags": []}\n{"tokens": ["a"], "ner_tags": ["B-X"]}\n{"tokens": [], "ner_tags": []}\n'
    file = File("a.jsonl", content.encode())
    assert score_files(file, [file])["systems"][0]["scores"]["entity_f1"]["value"] == 1


pieces = st.sampled_from(
    [b"O", b"B-X", b"E-X", b"a", b"\t", b"\n", b"\r", b"\xff", b"{", b"[", b'"tokens":["a"]', b",", b"}", b"]"]
)


@settings(deadline=None)
@given(
    content=st.binary() | st.lists(pieces).map(b"".join),
    form=st.sampled_from(["columns", "json", "jsonl"]),
    layout=st.sampled_from([Layout(), Layout(tag_column=-1, comments="a"), Layout(word_column=2, docstart=True)]),
)
def test_any_bytes_are_read_or_are_an_error(content: bytes, form: Any, layout: Layout) -> None:
    try:
        parsed = parse_file(content, "a", Reading(layout, form))
        parsed.raise_problems()
    except BertNerError as error:
        assert str(error).startswith(("a:", "a is "))
    else:
        assert [len(tags) for tags in parsed.iob2] == [len(each.lines) for each in parsed.sentences]
