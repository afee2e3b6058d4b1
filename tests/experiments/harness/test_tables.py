"""The registry of tables: what is written is what is read, and broken files are named."""

from __future__ import annotations

import re
from pathlib import Path

from harness.tables import (
    TABLES,
    as_csv,
    as_written_by,
    producer_of,
    read_table,
    require_table,
    stage_tables,
    table_path,
    write_table,
)

import pytest

from bert_ner.errors import BertNerError

RESULTS = Path(__file__).resolve().parents[3] / "results"
COMMITTED = sorted(path.relative_to(RESULTS) for path in RESULTS.rglob("*.csv"))


@pytest.mark.parametrize("path", COMMITTED, ids=str)
def test_every_committed_table_is_as_the_registry_writes_it(path: Path) -> None:
    table = read_table(RESULTS, str(path.parent), path.stem)
    assert table is not None
    assert as_csv(path.stem, table) == (RESULTS / path).read_text()
    assert not table.duplicated(list(TABLES[path.stem].key)).any()


def test_columns_that_other_programs_read() -> None:
    columns = {name: list(TABLES[name].columns) for name in TABLES}
    assert columns["scores"] == [
        "corpus", "system", "encoder", "seed", "split", "n_sentences", "token_micro_f1", "token_micro_f1_no_o",
        "token_macro_f1", "token_weighted_f1", "entity_precision", "entity_recall", "entity_f1", "entity_f1_strict",
        "span_f1", "partial_f1", "type_macro_f1", "token_micro_f1_merged", "signature",
    ]  # fmt: skip
    assert columns["scores_by_type"] == ["system", "seed", "type", "support", "precision", "recall", "f1"]
    assert columns["error_kinds"] == ["system", "seed", "kind", "type", "count"]
    assert columns["recall"] == ["system", "seed", "by", "group", "support", "found", "recall"]
    assert columns["history"] == [
        "system", "encoder", "seed", "epoch", "train_loss", "validation_loss", "validation_entity_f1", "seconds",
    ]  # fmt: skip
    assert columns["comparisons"][:11] == [
        "system_a", "system_b", "metric", "a", "b", "difference", "low", "high", "p_value", "test", "n",
    ]  # fmt: skip
    assert columns["claims"][:11] == [
        "id", "section", "claim", "kind", "paper_value", "measured", "low", "high", "verdict", "system", "evidence",
    ]  # fmt: skip
    for table in TABLES.values():
        assert set(table.key) <= set(table.columns)


def test_rows_of_dicts_keep_their_types_and_leave_out_other_keys(tmp_path: Path) -> None:
    rows = [{"system": "crf", "seed": 0, "parameters": 12, "train_seconds": 1 / 3, "x": 1}, {"system": "NA", "seed": 1}]
    write_table(tmp_path, "c", "costs", rows)
    assert (tmp_path / "c/costs.csv").read_text().splitlines()[1:] == ["crf,,0,12,0.333333,,,,", "NA,,1,,,,,,"]
    table = read_table(tmp_path, "c", "costs")
    assert table is not None
    assert table["system"].tolist() == ["crf", "NA"]
    assert table["encoder"].tolist() == ["", ""]
    assert table["parameters"].isna().tolist() == [False, True]
    assert as_csv("costs", table) == (tmp_path / "c/costs.csv").read_text()
    write_table(tmp_path, "c", "costs", [])
    assert (tmp_path / "c/costs.csv").read_text() == ",".join(TABLES["costs"].columns) + "\n"


HEADER = ",".join(TABLES["error_kinds"].columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\ncrf,x,boundary,A,1", "error_kinds.csv:2: seed is 'x', not a whole number"),
        (
            f"{HEADER}\ncrf,1,boundary,A,1\ncrf,2,boundary,A,1.5",
            "error_kinds.csv:3: count is '1.5', not a whole number",
        ),
        (f"{HEADER}\ncrf,,boundary,A,1", "error_kinds.csv:2: seed is '', not a whole number"),
        ("system,seed\ncrf,1", "error_kinds.csv: no column kind, type, count"),
        (f"{HEADER}\ncrf,1,boundary,A,1,1", "its rows have more columns than its first line names"),
        (f'{HEADER}\ncrf,1,"boundary,A,1', "error_kinds.csv can't be read"),
        ("", "error_kinds.csv can't be read"),
    ],
)
def test_a_broken_table_is_named_with_the_command_that_writes_it(tmp_path: Path, text: str, message: str) -> None:
    path = table_path(tmp_path, "c", "error_kinds")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(
        BertNerError, match=f"{re.escape(message)}.*; remove it and run python .*evaluate.py --corpus c"
    ):
        read_table(tmp_path, "c", "error_kinds")


@pytest.mark.parametrize(("name", "column"), [("scores", "n_sentences"), ("search", "trial"), ("search", "fold")])
def test_a_number_that_every_row_has_is_not_absent(tmp_path: Path, name: str, column: str) -> None:
    numbers = {"seed": 0, "n_sentences": 9, "trial": 1, "fold": 1}
    write_table(tmp_path, "c", name, [{"system": "crf", **numbers, column: None}])
    with pytest.raises(BertNerError, match=rf"{name}\.csv:2: {column} is '', not a whole number; remove it and run"):
        read_table(tmp_path, "c", name)


def test_a_table_that_is_needed_must_have_rows(tmp_path: Path) -> None:
    assert read_table(tmp_path, "c", "scores") is None
    for _ in range(2):
        with pytest.raises(BertNerError, match=r"is missing or has no rows; run python .*, or dvc repro .*:evaluate@c"):
            require_table(tmp_path, "c", "scores")
        write_table(tmp_path, "c", "scores", [])


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    for count in (1, 22):
        write_table(
            tmp_path, "c", "error_kinds", [{"system": "crf", "seed": 1, "kind": "k", "type": "A", "count": count}]
        )
        assert require_table(tmp_path, "c", "error_kinds")["count"].tolist() == [count]


def test_producers() -> None:
    assert producer_of("claims", "sample") == "python experiments/judge.py --corpus sample"
    assert producer_of("claims", "domains") == "python experiments/judge.py --domains"
    assert producer_of("benchmarks", "sample") == "make bench"
    assert stage_tables("judge") == ["claims"]
    assert table_path(Path("r"), "c", "benchmarks") == Path("r/benchmarks.csv")


def test_a_json_file_of_another_shape_is_named() -> None:
    message = r"a\.json: not as it was written \(KeyError: 'x'\); remove it and run this"
    with pytest.raises(BertNerError, match=message), as_written_by("this", Path("a.json")):
        _ = {}["x"]
