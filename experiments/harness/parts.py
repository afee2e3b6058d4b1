"""The parts of a corpus, as prepare.py found them with bert_ner/corpus/parts.py."""

from collections.abc import Mapping, Sequence

from harness.paths import parts_file
from harness.remedies import stage_remedy

from bert_ner.errors import BertNerError
from bert_ner.files import check_sums

WHOLE = "all"  # stands for the whole corpus in tables by part


def read_parts(corpus: str, split: str) -> list[str]:
    """Read the part of each train, validation or test sentence; in a corpus of one piece, all are of part 1."""
    path, remedy = parts_file(corpus, split), stage_remedy("prepare", corpus)
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {remedy}")
    check_sums(path.parent, remedy, [path.name])
    return path.read_text(encoding="utf-8").split()


def places_by_part(part_of: Sequence[str]) -> dict[str, list[int]]:
    """Return which sentences each part has, counted from 0; nothing if there is only one part."""
    names = sorted(set(part_of))
    return {name: [i for i, part in enumerate(part_of) if part == name] for name in names if len(names) > 1}


def source_of_part(source: Mapping[str, str], part: str) -> dict[str, str]:
    """Return what the signatures of scores on one part say, so that they are not compared with those on another."""
    return {**source, "split": f"{source['split']}/{part}"}
