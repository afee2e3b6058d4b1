"""Format the scores of files as tables, in percent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_ner.errors import printable

Record = Mapping[str, Any]


def as_text(record: Record) -> str:
    """Format the result of `score_files` as lines of text, with nothing that could control a terminal."""
    return "\n".join(map(printable, "\n".join(_lines(record)).split("\n")))


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
    rows = [[metric, *(_with_interval(system["scores"][metric]) for system in systems)] for metric in metrics]
    yield from _table(["", *names], rows)

    yield "\nEntity F1 by type\n"
    f1 = [{row["type"]: row["f1"] for row in system["by_type"]} for system in systems]
    support = {row["type"]: row["support"] for system in systems for row in system["by_type"]}
    rows = [
        [kind, f"{n:,}", *(f"{100 * by_type.get(kind, 0):.2f}" for by_type in f1)]
        for kind, n in sorted(support.items())
    ]
    yield from _table(["", "entities", *names], rows)

    if record["comparisons"]:
        files = [system["file"] for system in systems]
        yield from _comparisons(record["comparisons"], dict(zip(files, names, strict=True)), level)
    yield "\nSignatures\n"
    yield from (systems[0]["scores"][metric]["signature"] for metric in metrics)


def _remarks(system: Record, gold: str) -> Iterator[str]:
    if lines := system["illegal_transitions"]:
        yield (
            f"{system['file']}: {len(lines):,} tag(s) I-X follow neither B-X nor I-X, the first in line {lines[0]}; "
            f"as in conlleval, each begins an entity, which entity_f1_strict drops"
        )
    if types := system["types_not_in_gold"]:
        yield f"{system['file']}: types that {gold} does not have, so their entities are all wrong: {', '.join(types)}"


def _comparisons(comparisons: Sequence[Record], names: Mapping[str, str], level: str) -> Iterator[str]:
    pairs = list(dict.fromkeys((row["system_a"], row["system_b"]) for row in comparisons))
    header = ["", "difference", f"{level} interval", "p", *(["p, Holm"] if len(pairs) > 1 else [])]
    for pair in pairs:
        yield f"\n{names[pair[0]]} - {names[pair[1]]}, in points\n"
        rows = [
            [
                row["metric"],
                f"{100 * row['difference']:+.2f}",
                f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}",
                f"{row['p_value']:.4f}",
                f"{row['p_holm']:.4f}",
            ]
            for row in comparisons
            if (row["system_a"], row["system_b"]) == pair
        ]
        yield from _table(header, [row[: len(header)] for row in rows])
    yield f"\np: {comparisons[0]['test']}"
    if len(pairs) > 1:
        yield f"p, Holm: corrected for {len(pairs)} pairs, metric by metric"


def _with_interval(score: Record) -> str:
    return f"{100 * score['value']:.2f} ({100 * score['low']:.2f} to {100 * score['high']:.2f})"


def _short_names(files: Sequence[str]) -> list[str]:
    """Return the files' names without their folders, if they stay different."""
    short = [Path(file).name for file in files]
    return short if len(set(short)) == len(set(files)) else list(files)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()
