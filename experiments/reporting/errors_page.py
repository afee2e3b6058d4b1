"""The page of every test sentence that some system gets wrong. It contains corpus text, so Git ignores it."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from harness.artifacts import read_labels, read_part, read_predictions
from harness.paths import predictions_file, prepared_file

from bert_ner.corpus.bio import BioError, Sentence, Span, spans_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring.errors import KINDS, entity_errors
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
        path = predictions_file(results.root, corpus.name, run)
        predictions[run] = read_predictions(path, test, f"run {command}")
        check_types(path, predictions[run], types, f"run {command}")
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


def check_types(path: Path, tagged: Sequence[Sequence[str]], types: Sequence[str], remedy: str) -> None:
    """Check that predictions have no entity of another type than the corpus."""
    for number, tags in enumerate(tagged, start=1):
        try:
            unknown = {span.type for span in spans_of(tags)} - set(types)
        except BioError as error:
            raise BertNerError(f"{path}, line {number}: {error}; {remedy}") from None
        if unknown:
            raise BertNerError(f"{path}, line {number}: no type is named {', '.join(sorted(unknown))}; {remedy}")
