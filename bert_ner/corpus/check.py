"""List the problems of a BIO file, and summarise its valid sentences.

bert-ner check train.bio test.bio
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from bert_ner.corpus.bio import Order, Sentence, parse_bio, spans_of


class Findings(NamedTuple):
    """Lines of text: one per problem, and a summary of the sentences without problems."""

    problems: list[str]
    summary: list[str]


def check_bio(content: bytes, name: str, order: Order | None = None) -> Findings:
    """Check every line of a BIO file, named in messages by `name`; without `order`, the order of columns is inferred.

    Raises:
        BioError: there is no sentence, or the column of the tags is unclear.
    """
    parsed = parse_bio(content, name, order=order)
    problems = [f"{name}:{line}: {message}" for each in parsed for line, message, _ in each.problems]
    valid = [each.sentence for each in parsed if not each.problems]
    share = f"{len(valid):,} of {len(parsed):,}" if problems else f"{len(parsed):,}"
    return Findings(problems, [f"{name}: {share} sentence(s) are right", *(f"  {line}" for line in _summary(valid))])


def _summary(sentences: Sequence[Sentence]) -> list[str]:
    entities = Counter(span.type for _, tags in sentences for span in spans_of(tags))
    taggings: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for words, tags in sentences:
        taggings[words].add(tags)
    inconsistent = sum(len(tags) > 1 for tags in taggings.values())
    types = ", ".join(f"{kind} {number:,}" for kind, number in sorted(entities.items()))
    listed = f": {types}" if types else ""
    return [
        f"words: {sum(len(words) for words, _ in sentences):,}",
        f"entities: {entities.total():,} of {len(entities)} type(s){listed}",
        f"duplicates: {len(sentences) - len(taggings):,} sentence(s) repeat an earlier one, word for word; "
        f"{inconsistent:,} of the repeated ones have different tags",
    ]
