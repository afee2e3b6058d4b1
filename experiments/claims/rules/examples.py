"""Rules for errors and for the paper's example queries."""

from __future__ import annotations

from collections.abc import Sequence

from claims.evidence import Case, Finding, NotMeasuredError, pretty


def confused(case: Case) -> Finding:
    """A pair of types is among those that are confused most, by its ranks over resamples; partly if it may be."""
    pair, top = " / ".join(sorted(case.judge["types"])), case.judge["top"]
    rows = case.groups("confusion").sort_values("value")
    first = "; ".join(f"{row['group']} {row['low']:.0f} to {row['high']:.0f}" for _, row in rows.head(top).iterrows())
    ours = rows[rows["group"] == pair]
    if ours.empty:
        return Finding("not reproduced", None, f"{pair} is never confused; ranks of those that most are: {first}")
    rank, low, high = (float(ours[column].iloc[0]) for column in ("value", "low", "high"))
    verdict = "reproduced" if high <= top else "partly" if low <= top else "not reproduced"
    evidence = (
        f"{pair} is number {rank:.0f} of {len(rows)} confused pairs, {low:.0f} to {high:.0f} over resampled sentences; "
        f"wanted: {pretty(top)} or better. The first {top}: {first}"
    )
    return Finding(verdict, rank, evidence, low, high)


def lower_recall(case: Case) -> Finding:
    """One group of entities is found less often than another.

    Reproduced if the whole interval of the difference over sentences is at or above a margin, partly if it is above 0.
    """
    judge, rows = case.judge, case.groups(case.judge["by"])
    gap = rows[(rows["group"] == judge["easy"]) & (rows["than"] == judge["hard"])]
    if gap.empty:
        case.at("hard").refuse(f"intervals_by_group.csv does not set {judge['easy']} beside {judge['hard']}")
    value, low, high = (float(gap[column].iloc[0]) for column in ("value", "low", "high"))
    verdict = "reproduced" if low >= judge["margin"] else "partly" if low > 0 else "not reproduced"
    shown = "; ".join(
        f"{name}: {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}) of {row['support']:.0f}"
        for name in (judge["hard"], judge["easy"])
        for _, row in rows[(rows["group"] == name) & (rows["than"] == "")].iterrows()
    )
    evidence = f"recall by {judge['by']}, {shown}; measured: the difference, wanted: {pretty(judge['margin'])} or more"
    return Finding(verdict, value, evidence, low, high)


def queries(case: Case) -> Finding:
    """The paper's example queries: their types are in the corpus, and our system finds the same in them."""
    entries = case.value(case.judge["measured"])
    unknown = sorted({name for entry in entries for name, is_there in entry["types_exist"].items() if not is_there})
    same, notes = 0, []
    for entry in entries:
        if case.ours.system not in entry["predicted"]:
            raise NotMeasuredError(f"{case.ours.system} has not tagged '{entry['query']}'")
        predicted = entry["predicted"][case.ours.system]
        same += predicted == entry["paper"]
        gold = f"gold {_entities(entry['gold'])}" if entry["gold"] is not None else "no gold"
        places = [name for name in ("in_test", "in_train") if entry[name]]
        where = " and ".join(places).replace("in_", "in ") or "in neither part"
        notes.append(
            f"'{entry['query']}' ({where}; {gold}): paper {_entities(entry['paper'])}, ours {_entities(predicted)}"
        )
    verdict = "reproduced" if same == len(entries) else "partly" if same else "not reproduced"
    missing = f"not types of the corpus: {', '.join(unknown)}. " if unknown else ""
    measured = f"{same} of {len(entries)}"
    return Finding("contradicted" if unknown else verdict, measured, f"{missing}{'; '.join(notes)}")


def _entities(entities: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} '{text}'" for name, text in entities) or "nothing"
