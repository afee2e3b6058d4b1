"""Scores of files as tables for the eye, in percent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_ner.errors import printable

Record = Mapping[str, Any]


def as_text(record: Record) -> str:
    """What `score_files` found, in lines of text."""
    lines = "\n".join(_lines(record)).split("\n")
    return "\n".join(map(printable, lines))  # a type, or a file's name, may be a terminal's command


def _lines(record: Record) -> Iterator[str]:
    gold, systems, level = record["gold"], record["systems"], f"{record['level']:.0%}".replace("%", " %")
    yield (
        f"{gold['file']}: {gold['sentences']:,} sentences, {gold['words']:,} words, {gold['entities']:,} entities of "
        f"{len(gold['types'])} types"
    )
    for system in systems:
        yield from _remarks(system, gold["file"])

    names = _short_names([system["file"] for system in systems])
    yield f"\nPercentages, each with its {level} bootstrap interval over sentences ({record['samples']:,} samples)\n"
    metrics = list(systems[0]["scores"])
    yield from _table(
        ["", *names], [[m, *(_with_interval(system["scores"][m]) for system in systems)] for m in metrics]
    )

    yield "\nEntity F1 by type\n"
    f1 = [{row["type"]: row["f1"] for row in system["by_type"]} for system in systems]
    support = {row["type"]: row["support"] for system in systems for row in system["by_type"]}
    rows = [[t, f"{n:,}", *(f"{100 * of.get(t, 0):.2f}" for of in f1)] for t, n in sorted(support.items())]
    yield from _table(["", "entities", *names], rows)

    if record["comparisons"]:
        yield from _comparisons(
            record["comparisons"], dict(zip((s["file"] for s in systems), names, strict=True)), level
        )
    yield "\nSignatures\n"
    yield from (systems[0]["scores"][metric]["signature"] for metric in metrics)


def _remarks(system: Record, gold: str) -> Iterator[str]:
    if lines := system["illegal_transitions"]:
        yield (
            f"{system['file']}: {len(lines):,} tag(s) I-X follow neither B-X nor I-X, first in line {lines[0]}; "
            f"nothing is repaired: each opens an entity, as in conlleval, which entity_f1_strict leaves out"
        )
    if types := system["types_not_in_gold"]:
        yield f"{system['file']}: types that {gold} lacks, so that each such entity is wrong: {', '.join(types)}"


def _comparisons(comparisons: Sequence[Record], names: Mapping[str, str], level: str) -> Iterator[str]:
    pairs = list(dict.fromkeys((row["system_a"], row["system_b"]) for row in comparisons))
    header = ["", "difference", f"{level} interval", "p", *(["p, Holm"] if len(pairs) > 1 else [])]
    for a, b in pairs:
        yield f"\n{names[a]} - {names[b]}, in points\n"
        rows = [
            [
                row["metric"],
                f"{100 * row['difference']:+.2f}",
                f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}",
                f"{row['p_value']:.4f}",
                f"{row['p_holm']:.4f}",
            ][: len(header)]
            for row in comparisons
            if (row["system_a"], row["system_b"]) == (a, b)
        ]
        yield from _table(header, rows)
    yield f"\np: {comparisons[0]['test']}"
    if len(pairs) > 1:
        yield f"p, Holm: corrected for {len(pairs)} pairs, metric by metric"


def _with_interval(score: Record) -> str:
    return f"{100 * score['value']:.2f} ({100 * score['low']:.2f} to {100 * score['high']:.2f})"


def _short_names(files: Sequence[str]) -> list[str]:
    """The files' names without their folders, if that leaves them apart."""
    short = [Path(file).name for file in files]
    return short if len(set(short)) == len(set(files)) else list(files)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns of equal width: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = (
            cell.ljust(n) if i == 0 else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()
