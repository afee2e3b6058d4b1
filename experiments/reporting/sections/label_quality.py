"""How good the labels are: repeated sentences, a simulated ceiling, doubtful sentences, and what readings found."""

import math
from typing import Any

from harness.tables import as_written_by

import pandas as pd

from reporting.blocks import Block, Missing
from reporting.formats import NOTES, in_part, note, percent, with_interval
from reporting.layouts import layout_table
from reporting.results import Results, records


def label_blocks(results: Results) -> list[Block]:
    facts, command = results.facts("label_audit.json"), results.command("label_audit")
    if facts is None:
        return [Missing(NOTES["absent"]["label_audit"], command)]
    with as_written_by(command, results.folder / "label_audit.json"):
        return [
            note("labels"),
            _table("repeated", _repeated(facts["repeated"]) + _repeated(facts["repeated_by_part"])),
            _ceiling(facts["ceiling"]),
            *_above_ceiling(results, facts["ceiling"]),
            note("doubtful", systems=", ".join(facts["systems"]["systems"])),
            _table("doubtful", _doubtful(facts)),
            *_reading_blocks(facts["reading"]),
            Missing(NOTES["label_page"], command),
        ]


def _table(name: str, rows: list[dict[str, Any]]) -> Block:
    """Lay out rows; JSON's null, where there is nothing to count, is a missing number."""
    return layout_table(name, pd.DataFrame(rows).fillna(math.nan).infer_objects())


def _repeated(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"file": _where(file), "groups": facts["groups"], **facts["differ"]}
        | {
            f"f1_{name}": value
            for name, value in (facts["entity_f1"] or dict.fromkeys(("value", "low", "high"))).items()
        }
        for file, facts in found.items()
    ]


def _ceiling(found: dict[str, Any]) -> Block:
    named = [f"{with_interval(each)} {in_part(part)}" for part, each in found.items() if each]
    return note("ceiling", named=", and ".join(named)) if named else note("no_ceiling")


def _above_ceiling(results: Results, ceiling: dict[str, Any]) -> list[Block]:
    """Say in which parts a system is better than the simulated perfect tagger."""
    best = results.f1_by_part().sort_values("value").groupby("part").tail(1)
    known = {part: found["value"] for part, found in ceiling.items() if found}
    above = [row for row in records(best) if row.value > known.get(row.part, 1)]
    named = "; ".join(
        f"{in_part(row.part)} it is {percent(known[row.part])}, and {row.system} has {percent(row.value)}"
        for row in above
    )
    return [note("above_ceiling", named=named)] if named else []


def _where(name: str) -> str:
    """Name a file, or the files' sentences of one part."""
    return str(NOTES["files"].get(name, f"{NOTES['files']['both']}, part {name}"))


def _doubtful(facts: dict[str, Any]) -> list[dict[str, Any]]:
    systems, reason, file = facts["systems"], "all strong systems against gold", NOTES["files"]["test"]
    rows = [{"reason": reason, "file": file, **systems["against_gold"]}]
    rows += [
        {"reason": reason, "file": f"{file}, part {part}", **found}
        for part, found in systems["against_gold_by_part"].items()
    ]
    for file, found in facts["cleanlab"].items():
        reason = f"cleanlab ({found['probabilities']})"
        rows.append({"reason": reason, "file": NOTES["files"][file], **found["sentences"]})
    return rows


def _reading_blocks(found: dict[str, Any] | None) -> list[Block]:
    if found is None:
        return []
    rows = [
        {"reading": reading, "sentences": kind, "verdict": verdict, **share}
        for reading, by_kind in found["readings"].items()
        for kind, shares in by_kind.items()
        for verdict, share in shares.items()
    ]
    twice = found["same_verdict_twice"]
    kappa = "not defined" if twice["kappa"] is None else f"{twice['kappa']:.2f}"
    values = {"reader": found["read_by"], "same": str(twice["count"]), "of": str(twice["of"]), "kappa": kappa}
    return [note("reading", **values), _table("reading", rows)]
