"""Scores of BIO files. All figures are worked out by hand; the convention is conlleval's unless said otherwise."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bert_ner import __version__
from bert_ner.corpus import catalog
from bert_ner.corpus.bio import BioError
from bert_ner.corpus.columns import Layout
from bert_ner.corpus.formats import Reading
from bert_ner.corpus.sample import write_sample
from bert_ner.errors import InvalidValue
from bert_ner.scoring import METRICS, bootstrap, compare, count, holm
from bert_ner.scoring.files import File, as_text, score_files

# A column per file: the words, the gold tags, and the tags of three systems.
TABLE = """\
heist  B-GENRE    B-GENRE    I-GENRE    O
comedy I-GENRE    I-GENRE    I-GENRE    O
by     O          O          O          O
ada    B-DIRECTOR B-DIRECTOR B-DIRECTOR O
moss   I-DIRECTOR I-DIRECTOR O          O

from   O          O          O          O
1931   B-YEAR     B-YEAR     B-FILM     O
"""


def column(i: int, name: str, times: int = 1) -> File:
    lines = (line.split() for line in "\n".join([TABLE] * times).splitlines())
    return File(name, "".join(f"{row[0]}\t{row[i]}\n" if row else "\n" for row in lines).encode())


GOLD, RIGHT, WRONG, NOTHING = (column(i + 1, f"in/{name}.bio") for i, name in enumerate("grwn"))
SIX = [column(i + 1, f"in/{name}.bio", times=3) for i, name in enumerate("grwn")]  # six sentences can be resampled


def tags(file: File) -> list[list[str]]:
    return [[line.split("\t")[1] for line in part.splitlines()] for part in file.content.decode().split("\n\n")]


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return score_files(SIX[0], SIX[1:])


def test_gold_and_scores(record: dict[str, Any]) -> None:
    about = {"file": "in/g.bio", "sha256": SIX[0].sha256, "scheme": "IOB2", "skipped": {}}
    size = {"sentences": 6, "words": 21, "entities": 9, "types": ["DIRECTOR", "GENRE", "YEAR"]}
    assert record["gold"] == about | size
    right, wrong, nothing = ({m: s["value"] for m, s in system["scores"].items()} for system in record["systems"])
    assert set(right.values()) == {1.0}
    assert list(wrong) == list(METRICS)
    assert wrong["token_micro_f1"] == pytest.approx(4 / 7)  # heist, moss and 1931 are wrong
    assert wrong["entity_f1"] == pytest.approx(1 / 3)  # of three and three, the comedy
    assert wrong["entity_f1_strict"] == 0  # which does not open with B-
    assert wrong["span_f1"] == pytest.approx(2 / 3)  # 1931, too
    assert nothing["token_micro_f1"] == pytest.approx(2 / 7)
    assert nothing["entity_f1"] == 0


def test_intervals_equal_those_of_bootstrap(record: dict[str, Any]) -> None:
    for metric, interval in bootstrap(count(tags(SIX[0]), tags(SIX[2]))).items():
        found = record["systems"][1]["scores"][metric]
        assert (found["value"], found["low"], found["high"]) == pytest.approx(tuple(interval))


def test_scores_by_type_and_remarks_on_each_file(record: dict[str, Any]) -> None:
    right, wrong, nothing = record["systems"]
    assert [(row["type"], row["support"], row["precision"], row["recall"], row["f1"]) for row in wrong["by_type"]] == [
        ("DIRECTOR", 3, 0, 0, 0),
        ("FILM", 0, 0, 0, 0),
        ("GENRE", 3, 1, 1, 1),
        ("YEAR", 3, 0, 0, 0),
    ]
    assert (wrong["file"], wrong["illegal_transitions"], wrong["types_not_in_gold"]) == (
        "in/w.bio",
        [1, 10, 19],
        ["FILM"],
    )
    for system in (right, nothing):
        assert (system["illegal_transitions"], system["types_not_in_gold"]) == ([], [])


def test_comparisons_equal_those_of_compare_and_are_corrected_for_the_pairs_of_a_metric(record: dict[str, Any]) -> None:
    rows = {(row["system_a"], row["system_b"], row["metric"]): row for row in record["comparisons"]}
    gold, right, wrong, nothing = SIX
    pairs = [(right, wrong), (right, nothing), (wrong, nothing)]
    assert list(rows) == [(a.name, b.name, metric) for a, b in pairs for metric in METRICS]
    assert rows["in/r.bio", "in/w.bio", "entity_f1"]["difference"] == pytest.approx(2 / 3)
    results = [compare(count(tags(gold), tags(a)), count(tags(gold), tags(b))) for a, b in pairs]
    for metric in METRICS:
        found = [rows[a.name, b.name, metric] for a, b in pairs]
        for row, result in zip(found, results, strict=True):
            assert [row[key] for key in ("a", "b", "difference", "low", "high", "p_value")] == pytest.approx(
                list(result[metric][:6])
            )
        assert [row["p_holm"] for row in found] == holm([row["p_value"] for row in found])
        assert {row["signature"] for row in found} == {record["systems"][0]["scores"][metric]["signature"]}


def test_one_prediction_gives_no_comparison() -> None:
    record = score_files(GOLD, [WRONG])
    assert record["comparisons"] == []
    assert "Holm" not in as_text(record)


def test_signatures_name_the_file_or_its_corpus_in_the_catalog(record: dict[str, Any], tmp_path: Any) -> None:
    data = hashlib.sha256(SIX[0].content).hexdigest()[:8]
    assert record["systems"][1]["scores"]["entity_f1"]["signature"] == (
        f"entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:?|corpus:g|data:{data}|v:{__version__}"
    )
    odd = score_files(File("in/a|b:c d.bio", GOLD.content), [WRONG])
    assert "|corpus:a_b_c_d|data:" in odd["systems"][0]["scores"]["entity_f1"]["signature"]
    write_sample(tmp_path)
    test = File("renamed.bio", (tmp_path / "sampletest.bio").read_bytes())
    known = score_files(test, [test])["systems"][0]["scores"]["entity_f1"]["signature"]
    assert f"|split:test|corpus:sample|data:{test.sha256[:8]}|" in known


def test_a_wrong_corpus_in_the_catalog_does_not_stop_the_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.yaml").write_text("title: [")
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    assert score_files(GOLD, [WRONG])["systems"]


def test_columns_may_be_in_another_order_than_in_the_gold_file() -> None:
    turned = "\n".join("\t".join(reversed(line.split("\t"))) for line in WRONG.content.decode().splitlines())
    assert (
        score_files(GOLD, [File("t.bio", turned.encode())])["systems"][0]["scores"]
        == (score_files(GOLD, [WRONG])["systems"][0]["scores"])
    )


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("by\t", "bY\t", "p.bio:3: 'bY', where in/g.bio:3 has 'by'"),
        ("by\t", "\nby\t", "p.bio:3: the end of a sentence, where in/g.bio:3 has 'by'"),
        ("O\n\nfrom", "O\nfrom", "p.bio:6: 'from', where in/g.bio:6 has the end of a sentence"),
        ("\n\nfrom\tO\n1931\tB-FILM\n", "\n", "p.bio:6: the end of the file, where in/g.bio:7 has 'from'"),
        ("B-FILM\n", "O\n\nmore\tO\n", "p.bio:10: 'more', where in/g.bio:9 has the end of the file"),
        ("heist\t", "\n\nHeist\t", "p.bio:3: 'Heist', where in/g.bio:1 has 'heist'"),
        ("B-FILM", "U-FILM", "p.bio:8: 'U-FILM' is not a tag of IOB2; expected O, B-<type> or I-<type>"),
        ("by\tO", "by O O", "p.bio:3: 3 columns, not a word and a tag: 'by O O'"),
    ],
)
def test_a_prediction_that_does_not_fit_is_an_error_with_file_line_and_both_words(
    old: str, new: str, complaint: str
) -> None:
    content = WRONG.content.decode()
    assert old in content
    with pytest.raises(BioError) as caught:
        score_files(GOLD, [RIGHT, File("p.bio", content.replace(old, new).encode())])
    assert str(caught.value).startswith(complaint)


def test_an_illegal_gold_file_is_an_error() -> None:
    with pytest.raises(BioError, match=r"^in/w\.bio:1: 'I-GENRE' at the start of a sentence; an entity opens with"):
        score_files(WRONG, [RIGHT])


def test_a_prediction_given_twice_is_an_error() -> None:
    with pytest.raises(InvalidValue, match=r"^in/w\.bio is given 2 times"):
        score_files(GOLD, [WRONG, RIGHT, WRONG])


def test_text_has_the_content_of_the_record(record: dict[str, Any]) -> None:
    text = as_text(json.loads(json.dumps(record)))
    lines = [line.split() for line in text.splitlines()]
    assert text.startswith("in/g.bio: 6 sentences, 21 words, 9 entities of 3 types\n")
    assert "in/w.bio: tags I-X that follow neither B-X nor I-X: 3, the first in line 1; as in conlleval," in text
    assert "in/w.bio: types that in/g.bio does not have, so their entities are all wrong: FILM" in text
    assert ["entities", "r.bio", "w.bio", "n.bio"] in lines
    assert ["GENRE", "3", "100.00", "100.00", "0.00"] in lines
    assert ["FILM", "0", "0.00", "0.00", "0.00"] in lines
    [scores] = (line for line in lines if line[:1] == ["entity_f1"] and "(" in " ".join(line))
    assert [part for part in scores if "." in part and "(" not in part and ")" not in part] == [
        "100.00",
        "33.33",
        "0.00",
    ]
    assert "r.bio - w.bio, in points" in text
    [row] = (
        line
        for line in text[text.index("r.bio - w.bio") : text.index("r.bio - n.bio")].splitlines()
        if "entity_f1 " in line
    )
    p_value, p_holm = (record["comparisons"][list(METRICS).index("entity_f1")][key] for key in ("p_value", "p_holm"))
    assert row.split()[1] == "+66.67"
    assert row.split()[-2:] == [f"{p_value:.4f}", f"{p_holm:.4f}"]
    assert "corrected for 3 pairs" in text
    for score in record["systems"][0]["scores"].values():
        assert f"\n{score['signature']}" in text


def test_files_of_the_same_name_are_shown_with_their_folders() -> None:
    text = as_text(score_files(GOLD, [File("a/p.bio", RIGHT.content), File("b/p.bio", WRONG.content)]))
    assert "a/p.bio - b/p.bio, in points" in text


THREE_COLUMNS = File("g.txt", re.sub(rb"(?m)^(?=.)", b"x ", GOLD.content))
NAMED = Reading(Layout(word_column=1, tag_column=2))


def test_a_prediction_may_have_two_columns_whatever_those_of_the_gold_file() -> None:
    expected = score_files(GOLD, [WRONG])["systems"][0]["by_type"]
    assert score_files(THREE_COLUMNS, [WRONG], NAMED)["systems"][0]["by_type"] == expected
    other_word = File("p.bio", WRONG.content.replace(b"by", b"bY"))
    with pytest.raises(BioError, match=r"^p\.bio:1: 2 columns of at least 3: "):
        score_files(THREE_COLUMNS, [other_word], NAMED)


def test_a_layout_for_the_prediction_is_kept_to() -> None:
    own = Reading(Layout(word_column=1, tag_column=3))
    with pytest.raises(BioError, match=r"^in/w\.bio:1: 2 columns of at least 4: "):
        score_files(THREE_COLUMNS, [WRONG], NAMED, own)
