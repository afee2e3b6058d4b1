"""The gazetteer baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.gazetteer import _PATTERN, GazetteerSettings, GazetteerTagger, _entities
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, Span, illegal_transitions, tags_of
from bert_ner.corpus.sample import generate
from bert_ner.corpus.split import split
from bert_ner.files import Damaged
from bert_ner.scoring import entity_f1


def sentence(text: str, *spans: tuple[str, int, int]) -> Sentence:
    words = tuple(text.split())
    return Sentence(words, tuple(tags_of([Span(*span) for span in spans], len(words))))


TRAIN = [
    sentence("show star wars", ("TITLE", 1, 3)),
    sentence("Star Wars the clone wars", ("TITLE", 0, 5)),
    sentence("are star wars real", ("PLOT", 1, 3)),
    sentence("star wars please", ("TITLE", 0, 2)),
    sentence("films about wars", ("PLOT", 2, 3)),
    sentence("films of 1977", ("YEAR", 2, 3)),
    sentence("more films about war", ("PLOT", 3, 4)),
    sentence("about war of the 1990 s", ("PLOT", 1, 4), ("YEAR", 4, 6)),
    sentence("was war good"),
]


def fitted(min_count: int = 1, min_share: float = 0.0) -> GazetteerTagger:
    tagger = GazetteerTagger(GazetteerSettings(min_count=[min_count], min_share=[min_share]), scoring=entity_f1)
    tagger.fit(TRAIN, TRAIN)
    return tagger


def test_shares_leave_out_what_lies_inside_longer_entities() -> None:
    found = {entity.key: tuple(entity[1:]) for entity in _entities(TRAIN)}
    assert found == {
        ("star", "wars"): ("TITLE", 2, 2 / 3),  # not counted: inside "star wars the clone wars"
        ("star", "wars", "the", "clone", "wars"): ("TITLE", 1, 1.0),
        ("wars",): ("PLOT", 1, 1.0),  # every other one is inside an entity
        ("war",): ("PLOT", 1, 1 / 2),  # once an entity, once inside one, once nothing
        ("war", "of", "the"): ("PLOT", 1, 1.0),
        ("1977",): ("YEAR", 1, 1.0),
        ("1990", "s"): ("YEAR", 1, 1.0),
        "year": ("YEAR", 1, 1.0),
        "decade": ("YEAR", 1, 1.0),
    }


def test_the_longest_match_from_left_to_right() -> None:
    tagger = fitted()
    assert tagger.tag([["STAR", "WARS", "the", "clone"], ["star", "wars", "the", "clone", "wars", "wars"]]) == [
        ["B-TITLE", "I-TITLE", "O", "O"],
        ["B-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "B-PLOT"],
    ]


def test_a_pattern_finds_what_was_never_seen_and_has_its_type_from_training() -> None:
    assert fitted().tag([["from", "1931", "or", "the", "60", "s", "rated", "r"]]) == [
        ["O", "B-YEAR", "O", "O", "B-YEAR", "I-YEAR", "O", "O"]
    ]


@pytest.mark.parametrize(
    ("min_count", "min_share", "parameters", "tags"),
    [
        (1, 0.5, 9, ["B-PLOT", "B-TITLE", "I-TITLE"]),
        (1, 0.6, 8, ["O", "B-TITLE", "I-TITLE"]),
        (1, 0.7, 7, ["O", "O", "B-PLOT"]),
        (2, 0.0, 1, ["O", "B-TITLE", "I-TITLE"]),
    ],
)
def test_what_is_listed_depends_on_both_thresholds(
    min_count: int, min_share: float, parameters: int, tags: list[str]
) -> None:
    tagger = fitted(min_count, min_share)
    assert tagger.parameters == parameters
    assert tagger.tag([["war", "star", "wars"]]) == [tags]


@pytest.mark.parametrize(
    ("phrase", "pattern"),
    [
        ("1994", "year"),
        ("2012", "year"),
        ("2112", None),
        ("1980s", "decade"),
        ("early 90 s", "decade"),
        ("1984 s", None),
        ("past seven decades", "span_of_years"),
        ("last 10 years", "span_of_years"),
        ("last year", None),
        ("pg 13", "film_rating"),
        ("nc17", "film_rating"),
        ("rated r", None),
        ("eight and a half stars", "stars"),
        ("5 star", "stars"),
        ("six stars and above", "stars"),
        ("stars", None),
    ],
)
def test_patterns(phrase: str, pattern: str | None) -> None:
    match = _PATTERN.fullmatch(phrase)
    assert (match and match.lastgroup) == pattern


def test_the_validation_sentences_choose_the_thresholds() -> None:
    tagger = GazetteerTagger(GazetteerSettings(min_count=[1, 2], min_share=[0.0, 0.7]), scoring=entity_f1)
    validation = [sentence("was war good"), sentence("the star wars", ("TITLE", 1, 3))]
    tried = tagger.fit(TRAIN, validation)
    # By hand: both found and war for it; wars for star wars; star wars alone; nothing.
    assert [row["validation_entity_f1"] for row in tried] == pytest.approx([2 / 3, 0, 1, 0])
    assert tried[2]["min_count"] == 2
    assert tried[2]["min_share"] == 0.0
    assert tagger.parameters == 1


def test_a_saved_tagger_tags_the_same(tmp_path: Path) -> None:
    training_file, test = generate()
    tagger = GazetteerTagger(GazetteerSettings(min_count=[1], min_share=[0.5]), scoring=entity_f1)
    tagger.fit(*split(training_file, 0.1, 42))
    tagger.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"gazetteer.json", "tagger.json"}
    words = [words for words, _ in test]
    loaded = load_tagger(tmp_path)
    assert isinstance(loaded, GazetteerTagger)
    assert loaded.tag(words) == tagger.tag(words)
    assert loaded.parameters == tagger.parameters
    assert not any(illegal_transitions(tags) for tags in loaded.tag(words))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    path = tmp_path / "gazetteer.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(
        Damaged, match=r"gazetteer\.json is not the file .*: its SHA-256 is .*, expected [0-9a-f]{64}; train it"
    ):
        load_tagger(tmp_path)


def test_as_many_tags_as_words_whatever_the_words() -> None:
    odd = [[], [""], [" "], ["\ud800"], ["\x00", "🎬", "مرحبا", "İ"], ["1990 s", "1990", "S"], ["star"] * 5000]
    assert [len(tags) for tags in fitted().tag(odd)] == [len(words) for words in odd]
