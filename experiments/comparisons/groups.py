"""The uncertainty of F1 by type, of recall by group of entities, and of the ranks of confusions."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.scoring import subgroups
from bert_ner.scoring.resampling import LEVEL, SAMPLES
from comparisons.recounting import Recount, Rows

HARDER = {"seen": ("seen", "unseen"), "length": ("1", f"{subgroups.LONG}+")}  # by grouping: an easy group, a hard one


def group_intervals(
    found: Recount, pieces: Mapping[str, Recount], test: Sequence[Sentence], known: Collection[subgroups.Entity],
    part_of: Sequence[str],
) -> Rows:  # fmt: skip
    """Return a row per system and group; of types and confusions, also in each of the pieces, the parts of the corpus.

    The groups are types, with their F1, groups of entities, with their recall and its differences, and confusions.
    """
    parts = part_of if pieces else None
    rows = type_rows(found, parts)
    rows += recall_rows(found, subgroups.entity_groupings(test, known), parts)
    for part, piece in pieces.items():
        rows += type_rows(piece, None, f" in part {part}")
    return rows


def type_rows(found: Recount, parts: Sequence[str] | None, where: str = "") -> Rows:
    """Return a row per system and type with its F1, and per system and confusion with its rank."""
    f1 = subgroups.f1_by_type(found.counts, SAMPLES, strata=parts)
    ranks = subgroups.confusion_ranks(found.gold, found.tags, SAMPLES, strata=parts)
    support = Counter(span.type for tags in found.gold for span in spans_of(tags))
    shared = {"than": "", "n": len(found.gold), "level": LEVEL}
    rows: Rows = []
    for system in found.tags:
        rows += [
            {"system": system, "by": f"type{where}", "group": name, "metric": "f1", "support": support[name]}
            | shared | interval._asdict()
            for name, interval in f1[system].items()
        ]  # fmt: skip
        rows += [
            {"system": system, "by": f"confusion{where}", "group": " / ".join(pair), "metric": "rank"}
            | shared | interval._asdict()
            for pair, interval in ranks[system].items()
        ]  # fmt: skip
    return rows


def recall_rows(found: Recount, groupings: Mapping[str, subgroups.Grouping], parts: Sequence[str] | None) -> Rows:
    """Return a row per system and group of entities with its recall, and with its difference to another group's."""
    entities = [(i, span) for i, tags in enumerate(found.gold) for span in spans_of(tags)]
    shared = {"metric": "recall", "n": len(found.gold), "level": LEVEL}
    rows: Rows = []
    for by, (easy, hard) in HARDER.items():
        group = groupings[by]
        support = Counter(group(i, span) for i, span in entities)
        gaps_of = subgroups.recall_gaps(found.gold, found.tags, group, SAMPLES, strata=parts)
        for system, gaps in gaps_of.items():
            rows += [
                {"system": system, "by": by, "group": name, "than": than, "support": support[name]}
                | shared | interval._asdict()
                for (name, than), interval in gaps.items()
            ]  # fmt: skip
        for kind, stratum in strata_of(parts).items():
            held = Counter(stratum(i, span) for i, span in entities if group(i, span) == hard)
            within = subgroups.gaps_within(found.gold, found.tags, group, easy, hard, stratum, SAMPLES, strata=parts)
            rows += [
                {"system": system, "by": f"{by} within {kind}", "group": f"{name}: {easy}" if name else easy}
                | {"than": hard, "support": held[name] if name else support[hard]} | shared | interval._asdict()
                for system, by_stratum in within.items()
                for name, interval in by_stratum.items()
            ]  # fmt: skip
    return rows


def strata_of(parts: Sequence[str] | None) -> dict[str, subgroups.Grouping]:
    """Return the strata within which recall is compared: types, and parts and both if the corpus has parts."""
    strata: dict[str, subgroups.Grouping] = {"type": lambda _, span: span.type}
    if parts:
        strata["part"] = lambda i, _: f"part {parts[i]}"
        strata["type and part"] = lambda i, span: f"{span.type} in part {parts[i]}"
    return strata
