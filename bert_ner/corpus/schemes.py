"""Convert tags between the schemes in which people write entities: IOB2, the scheme of this library, and six others.

to_iob2(["B-PER", "E-PER", "O", "S-LOC"])  # BIOES -> ["B-PER", "I-PER", "O", "B-LOC"]

A tag is `O`, or a prefix and a type: `B-X` begins an entity, `I-X` is inside, `E-X` or `L-X` ends it, and `S-X` or
`U-X` stands alone. Two neighbours belong to one entity if they have the same type, the first begins or is inside, and
the second is inside or ends. This reading, conlleval's, is the same for all schemes. They differ only in what they
write, so tags are valid in a scheme if it writes exactly these tags for the entities read from them.

Sources: Ramshaw and Marcus (1995) for IOB1; Tjong Kim Sang and Veenstra (1999) for IOB2, IOE1 and IOE2; Ratinov and
Roth (2009) for BILOU.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Literal, get_args

Scheme = Literal["IOB2", "BIOES", "BILOU", "IO", "IOB1", "IOE2", "IOE1"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
ALIASES: dict[str, Scheme] = {"BIO": "IOB2", "IOBES": "BIOES", "IOE": "IOE2", "IOB": "IOB1"}
SCHEME_TAG = re.compile(r"O|[BIELSU]-[^\s\ud800-\udfff]+")

# The prefix of an entity's first word, of those inside, of the last word, and of a single word.
_PREFIXES: dict[Scheme, tuple[str, str, str, str]] = {
    "IOB2": ("B", "I", "I", "B"),
    "BIOES": ("B", "I", "E", "S"),
    "BILOU": ("B", "I", "L", "U"),
    "IO": ("I", "I", "I", "I"),
    "IOB1": ("I", "I", "I", "I"),
    "IOE2": ("I", "I", "E", "E"),
    "IOE1": ("I", "I", "I", "I"),
}
# That of the first word where the entity before touches, in IOB1; of the last word where the next one does, in IOE1.
_TOUCHING: dict[Scheme, str] = {"IOB1": "B", "IOE1": "E"}


def to_iob2(tags: Sequence[str]) -> list[str]:
    """Return the IOB2 tags of the same entities, from tags of any scheme; an invalid sequence is read as well.

    Every item must match SCHEME_TAG.
    """
    return [
        tag if tag == "O" else f"{'I' if _continues(previous, tag) else 'B'}-{tag[2:]}"
        for previous, tag in pairwise(("O", *tags))
    ]


def from_iob2(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Return valid IOB2 tags in another scheme. IO merges two entities of one type that touch, so it may lose some."""
    first, inside, last, single = _PREFIXES[scheme]
    written = []
    for previous, tag, following in zip(("O", *tags), tags, (*tags[1:], "O"), strict=False):
        begins, ends = tag[0] == "B", following[0] != "I"
        if tag == "O":
            written.append(tag)
            continue
        prefix = (single if ends else first) if begins else (last if ends else inside)
        if scheme == "IOB1" and begins and previous[2:] == tag[2:]:
            prefix = _TOUCHING[scheme]
        if scheme == "IOE1" and following == f"B-{tag[2:]}":
            prefix = _TOUCHING[scheme]
        written.append(f"{prefix}-{tag[2:]}")
    return written


def first_loss(tags: Sequence[str], scheme: Scheme) -> int | None:
    """Return the first word whose IOB2 tag a scheme can't express: in IO, where an entity touches one of its type."""
    read_back = to_iob2(from_iob2(tags, scheme))
    return next((i for i, (tag, found) in enumerate(zip(tags, read_back, strict=True)) if tag != found), None)


def expected_tags(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Return the tags that a scheme writes for the entities of `tags`; those that differ are invalid in it."""
    return from_iob2(to_iob2(tags), scheme)


def has_prefixes_of(tags: Iterable[str], scheme: Scheme) -> bool:
    """Return whether each tag has a prefix of the scheme, wherever it stands."""
    return {tag[0] for tag in tags} <= {"O", *_PREFIXES[scheme], *_TOUCHING.get(scheme, "")}


def is_valid(tags: Sequence[str], scheme: Scheme) -> bool:
    """Return whether all tags of a sequence are as the scheme writes them."""
    return expected_tags(tags, scheme) == list(tags)


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme:
    """Return the first scheme of SCHEMES in which all sequences are valid; where several are, the entities are equal.

    If there is none: that of IOB2, BIOES, BILOU and IOE2 in which most are valid, if they are more than half of all;
    else IOB2. So mistakes in IOB2 never pass for another scheme that has `I-X` where it has `B-X`.
    """
    times = Counter(map(tuple, sequences))
    valid = {}
    for scheme in SCHEMES:
        valid[scheme] = sum(number for tags, number in times.items() if is_valid(tags, scheme))
        if valid[scheme] == times.total():
            return scheme
    candidates: tuple[Scheme, ...] = ("IOB2", "BIOES", "BILOU", "IOE2")
    best = max(candidates, key=valid.__getitem__)
    return best if 2 * valid[best] > times.total() else "IOB2"


def are_iob2(labels: Collection[str]) -> bool:
    """Return whether labels, such as a model's, are those of IOB2 (or IOB1): `O`, `B-X` and `I-X`, not only `I-X`.

    The tags of a model with other labels are in another scheme; `to_iob2` reads them.
    """
    prefixes = {label[0] for label in labels}
    return prefixes <= {*"BIO"} and ("B" in prefixes or "I" not in prefixes)


def _continues(previous: str, tag: str) -> bool:
    """Return whether a tag belongs to the entity of the tag before."""
    return previous[0] in "BI" and tag[0] in "IEL" and previous[2:] == tag[2:]
