"""Tables made of data frames."""

from __future__ import annotations

import pandas as pd
import pytest

from reporting.formats import percent
from reporting.layouts import LAYOUTS, crossed, frame_table, layout_table, spreads

RUNS = pd.DataFrame({
    "system": ["minilm", "crf", "minilm"], "corpus": ["b", "a", "b"], "f1": [0.8, 0.7, 0.9], "loss": [1.0, 2.0, 3.0],
})  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, ["{x}", "y"]),  # the column with the header's name; braces in the data are no fields
        ("{a}", ["1", "2"]),
        ("{a:percent} to {b:points}", ["100.00 to +50.00", ""]),  # empty, because one of the two is absent
        ("{b:.3f} {b:count}", ["0.500 0", ""]),
        ("{is_right:plain}", ["yes", "no"]),
    ],
)
def test_a_cell_is_filled_in_from_its_row(monkeypatch: pytest.MonkeyPatch, cell: str | None, shown: list[str]) -> None:
    monkeypatch.setitem(LAYOUTS, "t", {"caption": "{what}", "text_columns": 2, "columns": {"name": cell}})
    rows = pd.DataFrame({"name": ["{x}", "y"], "a": [1, 2], "b": [0.5, None], "is_right": [True, False]})
    table = layout_table("t", rows, what="c")
    assert (table.caption, table.header, table.text_columns) == ("c", ["name"], 2)
    assert [row[0] for row in table.rows] == shown


def test_only_an_optional_column_may_lack_its_data() -> None:
    row = {"system": "crf", "epoch": 1, "train_loss": "1", "validation_loss": "1", "validation_entity_f1": "90.00"}
    assert "paper" not in layout_table("losses", pd.DataFrame([row]), title="t").header
    del row["validation_loss"]
    with pytest.raises(KeyError, match="validation_loss"):
        layout_table("losses", pd.DataFrame([row]), title="t")


def test_means_and_spreads_are_in_the_order_of_the_rows() -> None:
    assert spreads(RUNS, ["system"], {"f1": percent, "loss": "{:g}".format}).to_numpy().tolist() == [
        ["minilm", "85.00 ± 7.07", "2 ± 1.41421"],
        ["crf", "70.00", "2"],
    ]


def test_a_crossed_table_has_a_text_where_nothing_is_known() -> None:
    table = frame_table("c", crossed(RUNS, "system", "corpus", "f1", absent="not run"))
    assert table.header == ["system", "b", "a"]
    assert table.rows == [["minilm", "85.00 ± 7.07", "not run"], ["crf", "not run", "70.00"]]
