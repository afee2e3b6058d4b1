"""The section on kinds of errors: means over all runs of a system."""

from __future__ import annotations

from pathlib import Path

from report_results import write_results, write_table

from bert_ner.corpus.catalog import corpus_named
from reporting.blocks import Plot, Table, Text
from reporting.results import Results
from reporting.sections.types_and_errors import confusion_blocks, error_blocks, type_blocks


def test_a_type_is_named_only_where_test_and_interval_agree(results: Path) -> None:
    folder = write_results(results, "sample")
    shared = {"system_a": "encoder", "system_b": "crf", "support": 9, "a": 0.9, "b": 0.8, "difference": 0.1, "n": 9}
    write_table(folder / "comparisons_by_type.csv", [
        {**shared, "type": name, "low": low, "high": 0.2, "p_value": 0.01, "p_holm": p, "test": "t"}
        for name, low, p in (("ACTOR", 0.01, 0.04), ("YEAR", -0.001, 0.04))
    ])  # fmt: skip
    text = next(
        block.text for block in type_blocks(Results(results, corpus_named("sample")))
        if isinstance(block, Text) and "better on" in block.text
    )  # fmt: skip
    assert "better on ACTOR; worse on none" in text


def test_each_part_has_a_plot_of_its_types(results: Path) -> None:
    folder = write_results(results, "sample")
    write_table(folder / "intervals_by_group.csv", [
        {"system": system, "by": f"type in part {part}", "group": name, "than": "", "metric": "f1", "support": n,
         "value": 0.8, "low": 0.7, "high": 0.9, "n": 9, "level": 0.95}
        for system in ("crf", "encoder")
        for part, name, n in (("1", "YEAR", 2), ("1", "ACTOR", 7), ("2", "YEAR", 5))
    ])  # fmt: skip
    blocks = type_blocks(Results(results, corpus_named("sample")))
    plots = {block.name: block.figure.axes[0] for block in blocks if isinstance(block, Plot)}
    labels = {name: [text.get_text() for text in axes.get_yticklabels()] for name, axes in plots.items()}
    assert labels["f1_by_type_part_1"] == ["ACTOR (7)", "YEAR (2)"]
    assert labels["f1_by_type_part_2"] == ["YEAR (5)"]


def test_confusions_are_shown_over_all_and_in_each_part(results: Path) -> None:
    """Of two runs, one takes six words of actors for directors, four of them in part 1 and two in part 2."""
    folder = write_results(results, "sample")
    shared = {"system": "encoder", "seed": 1, "gold": "ACTOR", "predicted": "DIRECTOR"}
    right = {**shared, "predicted": "ACTOR"}
    write_table(folder / "confusion.csv", [{**shared, "words": 6}])
    parts = [
        {**shared, "part": "1", "words": 4},
        {**shared, "part": "2", "words": 2},
        {**right, "part": "2", "words": 6},
    ]
    write_table(folder / "confusion_by_part.csv", parts)
    *blocks, table = confusion_blocks(Results(results, corpus_named("sample")))
    assert isinstance(table, Table)
    column = table.header.index("encoder")
    found = [(*row[:3], row[column]) for row in table.rows]
    assert found == [(part, "ACTOR", "DIRECTOR", words) for part, words in (("all", "3"), ("1", "2"), ("2", "1"))]
    plots = {block.name: block.figure.axes[0] for block in blocks if isinstance(block, Plot)}
    assert list(plots) == ["confusion_encoder", "confusion_encoder_part_1", "confusion_encoder_part_2"]
    assert [text.get_text() for text in plots["confusion_encoder_part_2"].texts] == ["75", "25"]


def test_a_run_without_errors_counts_in_the_mean(results: Path) -> None:
    """The table has no rows of such a run: of two runs, one has six missed entities, and in part 1 four of them."""
    folder = write_results(results, "sample")
    shared = {"system": "encoder", "seed": 1, "kind": "missed", "type": "ACTOR"}
    write_table(folder / "error_kinds.csv", [{**shared, "count": 6}])
    write_table(folder / "error_kinds_by_part.csv", [{**shared, "part": "1", "count": 4}])
    by_part, by_type = (
        block for block in error_blocks(Results(results, corpus_named("sample"))) if isinstance(block, Table)
    )
    assert {(row[0], row[2]) for row in by_part.rows if row[1] == "missed"} == {
        ("all", "3 (100 %)"),
        ("1", "2 (100 %)"),
    }
    [row] = by_type.rows
    assert row[:2] == ["encoder", "ACTOR"]
    assert row[by_type.header.index("missed")] == "3"
