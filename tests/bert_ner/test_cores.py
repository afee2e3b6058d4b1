"""How many cores are used: as many as asked for, or as there are for this process."""

from __future__ import annotations

import os

import pytest

from bert_ner.cores import asked_cores, available_cores, usable_cores


@pytest.mark.parametrize(
    ("value", "asked"),
    [("3", 3), (" 3 ", 3), ("4,2", 4), ("", None), ("0", None), ("-1", None), ("all", None), ("²", None), (",2", None)],
)
def test_omp_num_threads_is_read_as_openmp_does(value: str, asked: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert asked_cores() == asked
    assert usable_cores() == (asked or available_cores())


def test_without_it_all_cores_of_this_process_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
