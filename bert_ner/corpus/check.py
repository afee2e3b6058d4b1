"""What is wrong with a BIO file, and what is right with it.

bert-ner check train.bio test.bio
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from bert_ner.corpus.bio import Order, Sentence, parse_bio, spans_of


class Findings(NamedTuple):
    """Lines to read: one for each offence, and a summary of the sentences without any."""

    offences: list[str]
    summary: list[str]


def check_bio(content: bytes, name: str, order: Order | None = None) -> Findings:
    """Look at every line of a BIO file.

    Args:
        content: of the file.
        name: of the file, for the lines.
        order: which column holds the tag; by default that is told from the tags.

    Raises:
        BioError: there is no sentence, or nothing tells which column holds the tags.
    """
    passages = parse_bio(content, name, order=order)
    offences = [f"{name}:{line}: {complaint}" for passage in passages for line, complaint, _ in passage.offences]
    right = [passage.sentence for passage in passages if not passage.offences]
    which = f"{len(right):,} of {len(passages):,}" if offences else f"{len(passages):,}"
    return Findings(offences, [f"{name}: {which} sentence(s) are right", *(f"  {line}" for line in _described(right))])


def _described(sentences: Sequence[Sentence]) -> list[str]:
    entities = Counter(span.type for _, tags in sentences for span in spans_of(tags))
    taggings: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for words, tags in sentences:
        taggings[words].add(tags)
    unlike = sum(len(tags) > 1 for tags in taggings.values())
    types = ", ".join(f"{kind} {number:,}" for kind, number in sorted(entities.items()))
    listed = f": {types}" if types else ""
    return [
        f"words: {sum(len(words) for words, _ in sentences):,}",
        f"entities: {entities.total():,} of {len(entities)} type(s){listed}",
        f"duplicates: {len(sentences) - len(taggings):,} sentence(s) repeat an earlier one, word for word; "
        f"{unlike:,} of those that recur have unlike tags",
    ]
