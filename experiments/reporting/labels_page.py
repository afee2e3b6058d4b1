"""The page of doubtful labels. It contains corpus text, so Git ignores it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bert_ner.corpus.bio import Sentence, spans_of
from reporting import page
from reporting.errors_page import hues_of, pieces

Answers = Callable[[Mapping[str, Any]], Mapping[str, Sequence[str]]]  # a row -> other taggings of its sentence, by name


def render(
    title: str,
    files: Mapping[str, Sequence[Sentence]],
    rows: Sequence[Mapping[str, Any]],
    types: Sequence[str],
    answers: Answers,
) -> str:
    """Return the page: the gold tags of each row's sentence above other taggings of it."""
    sentences = []
    for row in rows:
        sentence = files[row["file"]][row["sentence"] - 1]
        versions = {"gold": sentence.tags, **answers(row)}
        shown = [(name, pieces(sentence.words, spans_of(tags))) for name, tags in versions.items()]
        heading = f"{row['file']} {row['sentence']}: {row['reason']}, {row['score']:.3f}"
        sentences.append({"title": heading, "reason": row["reason"], "versions": shown})
    reasons = list(dict.fromkeys(row["reason"] for row in rows))
    return page.fill(
        "labels.html", "labels.js", title=f"{title}: doubtful labels", sentences=sentences, reasons=reasons,
        hues=hues_of(types),
    )  # fmt: skip
