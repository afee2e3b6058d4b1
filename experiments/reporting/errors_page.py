"""The page of every test sentence that some system gets wrong. It contains corpus text, so Git ignores it."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from harness.artifacts import check_predictions, read_labels, read_part
from harness.paths import prepared_file

from bert_ner.corpus.bio import BioError, Sentence, Span, spans_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring.errors import KINDS, entity_errors
from bert_ner.wording import counted
from reporting import page
from reporting.results import Results, by_system

HUES = 12  # as many types as the largest corpus has


def error_page(results: Results) -> str:
    """Return the page; empty if the corpus is not present."""
    corpus = results.corpus
    if not prepared_file(corpus.name, "test.bio").is_file():
        return ""
    test = read_part(corpus.name, "test")
    types = [label[2:] for label in read_labels(corpus.name) if label.startswith("B-")]
    command, predictions, featured = results.command("scores"), {}, results.featured()
    systems = sorted(by_system(results.needed("scores")), key=lambda found: found[0] not in featured)
    for system, rows in systems:
        run = f"{system}-{rows['seed'].iloc[0]}"
        path = results.folder / "predictions" / f"{run}.tags"
        if path.is_file():  # first, so that a damaged file is reported by its checksum
            check_predictions(path, f"run {command}")
        predictions[run] = read_predictions(path, test, types, command)
    return render(corpus, test, predictions, types, len(featured))


def render(
    corpus: Corpus,
    test: Sequence[Sentence],
    predictions: dict[str, list[list[str]]],
    types: Sequence[str],
    featured: int,
) -> str:
    """Return the page: the gold tags of each sentence above those of each system, by its name.

    At first it shows the `featured` first systems alone.
    """
    sentences = []
    for number, (sentence, *predicted) in enumerate(zip(test, *predictions.values(), strict=True), start=1):
        errors = [entity_errors(sentence.tags, tags) for tags in predicted]
        codes = [
            f"{system}.{KINDS.index(error.kind)}.{types.index(error.type)}"
            for system, found in enumerate(errors)
            for error in found
        ]
        if not codes:
            continue
        versions = [("gold", sentence.tags, []), *zip(predictions, predicted, errors, strict=True)]
        shown = [(name, found, pieces(sentence.words, spans_of(tags))) for name, tags, found in versions]
        sentences.append({"number": number, "codes": " ".join(dict.fromkeys(codes)), "versions": shown})
    return page.fill(
        "errors.html", "errors.js", title=f"{corpus.title}: test sentences that some system gets wrong",
        sentences=sentences, total=len(test), systems=list(predictions), kinds=KINDS, types=types,
        hues=hues_of(types), featured=featured,
    )  # fmt: skip


def hues_of(types: Sequence[str]) -> dict[str, int]:
    """Return the hue of each type, in degrees."""
    return {name: 360 * (i % HUES) // HUES for i, name in enumerate(types)}


def pieces(words: Sequence[str], spans: Sequence[Span]) -> list[tuple[str, Span | None]]:
    """Cut a sentence into the texts of its entities and those between them."""
    entities = {place: span for span in spans for place in range(span.start, span.end)}
    groups = groupby(range(len(words)), entities.get)
    return [(" ".join(words[place] for place in places), span) for span, places in groups]


def read_predictions(path: Path, test: Sequence[Sentence], types: Sequence[str], command: str) -> list[list[str]]:
    """Read the tags that a system gave to the test sentences; `command` writes them."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise BertNerError(f"{path} can't be read ({error}); run {command}") from None
    if len(lines) != len(test):
        found = counted(len(lines), "sentence")
        raise BertNerError(f"{path}: {found}, but the test set has {len(test):,}; run {command}")
    tagged = [line.split(" ") for line in lines]
    for number, (tags, sentence) in enumerate(zip(tagged, test, strict=True), start=1):
        try:
            if len(tags) != len(sentence.words):
                raise BioError(f"{counted(len(tags), 'tag')} for {counted(len(sentence.words), 'word')}")
            if unknown := {span.type for span in spans_of(tags)} - set(types):
                raise BioError(f"no type is named {', '.join(sorted(unknown))}")
        except BioError as error:
            raise BertNerError(f"{path}:{number}: {error}; run {command}") from None
    return tagged
