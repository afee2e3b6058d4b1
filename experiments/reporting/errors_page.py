"""The page of every test sentence that some system gets wrong. It contains corpus text, so Git ignores it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.artifacts import check_predictions, read_labels, read_part
from harness.paths import prepared_file

from bert_ner.corpus.bio import BioError, Sentence, Span, spans_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring.errors import KINDS, EntityError, entity_errors
from reporting import page
from reporting.results import Results, by_system

HUES = 12  # as many types as the largest corpus has


class Piece(NamedTuple):
    """Some words of a sentence: an entity, right or wrong, or the words outside entities (no type)."""

    text: str
    type: str = ""
    is_wrong: bool = False


class TaggedSentence(NamedTuple):
    """One system's tags of a sentence, or the gold tags; `errors` are descriptions."""

    name: str
    pieces: list[Piece]
    errors: list[str]


class WrongSentence(NamedTuple):
    """A sentence that some system gets wrong; codes: system, kind and type of each error, by their numbers."""

    number: int
    text: str
    versions: list[TaggedSentence]
    codes: str


def error_page(results: Results) -> str:
    """Return the page; empty if the corpus is not present."""
    corpus = results.corpus
    if not prepared_file(corpus.name, "test.bio").is_file():
        return ""
    test = read_part(corpus.name, "test")
    types = [label[2:] for label in read_labels(corpus.name) if label.startswith("B-")]
    command, predictions = results.command("scores"), {}
    for system, rows in by_system(results.needed("scores")):
        run = f"{system}-{rows['seed'].iloc[0]}"
        path = results.folder / "predictions" / f"{run}.tags"
        if path.is_file():  # first, so that a damaged file is reported by its checksum
            check_predictions(path, f"run {command}")
        predictions[run] = read_predictions(path, test, types, command)
    return render(corpus, test, predictions, types)


def render(
    corpus: Corpus, test: Sequence[Sentence], predictions: dict[str, list[list[str]]], types: Sequence[str]
) -> str:
    """Return the page: the gold tags of each sentence above those of each system, by its name."""
    sentences = []
    for number, sentence in enumerate(test, start=1):
        tags = {name: tagged[number - 1] for name, tagged in predictions.items()}
        wrong = _wrong_sentence(number, sentence, tags, types)
        if wrong.codes:  # some system gets it wrong
            sentences.append(wrong)
    return page.fill(
        "errors.html", "errors.js", title=f"{corpus.title}: test sentences that some system gets wrong",
        sentences=sentences, total=len(test), systems=list(predictions), kinds=KINDS, types=types,
        hues={name: 360 * (i % HUES) // HUES for i, name in enumerate(types)},
    )  # fmt: skip


def _wrong_sentence(number: int, sentence: Sentence, tags: dict[str, list[str]], types: Sequence[str]) -> WrongSentence:
    versions = [TaggedSentence("gold", _pieces(sentence.words, spans_of(sentence.tags), ()), [])]
    codes = []
    for system, (name, predicted) in enumerate(tags.items()):
        found = entity_errors(sentence.tags, predicted)
        pieces = _pieces(sentence.words, spans_of(predicted), {error.predicted for error in found})
        versions.append(TaggedSentence(name, pieces, [_describe(error) for error in found]))
        codes += [f"{system}.{KINDS.index(error.kind)}.{types.index(error.type)}" for error in found]
    return WrongSentence(number, " ".join(sentence.words), versions, " ".join(dict.fromkeys(codes)))


def _describe(error: EntityError) -> str:
    if error.gold and error.predicted and error.gold.type != error.predicted.type:
        return f"{error.kind}: {error.gold.type} tagged as {error.predicted.type}"
    return f"{error.kind}: {error.type}"


def _pieces(words: Sequence[str], spans: Sequence[Span], wrong: Collection[Span | None]) -> list[Piece]:
    """Cut a sentence into entities and the words between them."""
    pieces, start = [], 0
    for span in spans:
        if start < span.start:
            pieces.append(Piece(" ".join(words[start : span.start])))
        pieces.append(Piece(" ".join(words[span.start : span.end]), span.type, span in wrong))
        start = span.end
    return pieces + ([Piece(" ".join(words[start:]))] if start < len(words) else [])


def read_predictions(path: Path, test: Sequence[Sentence], types: Sequence[str], command: str) -> list[list[str]]:
    """Read the tags that a system gave to the test sentences; `command` writes them."""
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
