"""The page of every test sentence that some system gets wrong. It holds corpus text, so Git ignores it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bert_ner.corpus.bio import BioError, Sentence, Span, spans_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring.errors import KINDS, EntityError, entity_errors
from reporting import page

HUES = 12  # as many types as the largest corpus has


class Piece(NamedTuple):
    """Some words of a sentence: an entity, right or wrong, or what is outside (no type)."""

    text: str
    type: str
    wrong: bool


class Tagging(NamedTuple):
    """One system's tags of a sentence, or gold's."""

    name: str
    pieces: list[Piece]
    errors: list[str]  # in words


class Wrong(NamedTuple):
    """A sentence that some system gets wrong; codes: system, kind and type of each error, by their numbers."""

    number: int
    text: str
    taggings: list[Tagging]
    codes: str


def render(
    corpus: Corpus, test: Sequence[Sentence], predictions: dict[str, list[list[str]]], types: Sequence[str]
) -> str:
    """The whole page: gold beside each system's tags, `predictions` by the system's name."""
    systems = list(predictions)
    sentences = []
    for i, sentence in enumerate(test):
        errors = {name: entity_errors(sentence.tags, tags[i]) for name, tags in predictions.items()}
        if any(errors.values()):
            tags = {name: tags[i] for name, tags in predictions.items()}
            sentences.append(_wrong(i + 1, sentence, tags, errors, types))
    return page.fill(
        "errors.html", "errors.js", title=f"{corpus.title}: test sentences that some system gets wrong",
        sentences=sentences, total=len(test), systems=systems, kinds=KINDS, types=types,
        hues={name: 360 * (i % HUES) // HUES for i, name in enumerate(types)},
    )  # fmt: skip


def _wrong(
    number: int, sentence: Sentence, tags: dict[str, list[str]], errors: dict[str, list[EntityError]],
    types: Sequence[str],
) -> Wrong:  # fmt: skip
    taggings = [Tagging("gold", _pieces(sentence.words, spans_of(sentence.tags), ()), [])]
    codes = []
    for system, (name, of) in enumerate(errors.items()):
        pieces = _pieces(sentence.words, spans_of(tags[name]), {error.predicted for error in of})
        taggings.append(Tagging(name, pieces, [_described(error) for error in of]))
        codes += [f"{system}.{KINDS.index(error.kind)}.{types.index(error.type)}" for error in of]
    return Wrong(number, " ".join(sentence.words), taggings, " ".join(dict.fromkeys(codes)))


def _described(error: EntityError) -> str:
    if error.gold and error.predicted and error.gold.type != error.predicted.type:
        return f"{error.kind}: {error.gold.type} taken for {error.predicted.type}"
    return f"{error.kind}: {error.type}"


def _pieces(words: Sequence[str], spans: Iterable[Span], wrong: Iterable[Span | None]) -> list[Piece]:
    """The sentence from left to right, entities apart from what is between them."""
    pieces, at, wrong = [], 0, set(wrong)
    for span in spans:
        if at < span.start:
            pieces.append(Piece(" ".join(words[at : span.start]), "", False))
        pieces.append(Piece(" ".join(words[span.start : span.end]), span.type, span in wrong))
        at = span.end
    return pieces + ([Piece(" ".join(words[at:]), "", False)] if at < len(words) else [])


def read_predictions(path: Path, test: Sequence[Sentence], types: Sequence[str], command: str) -> list[list[str]]:
    """The tags that a system gave to the test sentences; `command` writes them anew.

    Raises:
        BertNerError: the file can't be read, has other sentences than the test set, or something that is not a tag.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise BertNerError(f"{path} can't be read ({error}); run {command}") from None
    if len(lines) != len(test):
        raise BertNerError(f"{path}: {len(lines)} sentences, but the test set has {len(test)}; run {command}")
    tagged = [line.split(" ") for line in lines]
    for number, (tags, sentence) in enumerate(zip(tagged, test, strict=True), start=1):
        if len(tags) != len(sentence.words):
            raise BertNerError(f"{path}:{number}: {len(tags)} tags for {len(sentence.words)} words; run {command}")
        try:
            unknown = {span.type for span in spans_of(tags)} - set(types)
        except BioError as error:
            raise BertNerError(f"{path}:{number}: {error}; run {command}") from None
        if unknown:
            raise BertNerError(f"{path}:{number}: no type is named {', '.join(sorted(unknown))}; run {command}")
    return tagged
