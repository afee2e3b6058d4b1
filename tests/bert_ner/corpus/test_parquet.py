"""Parquet is read without threads, because C++ aborts a program that ends while they start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import os, sys
from pathlib import Path
from bert_ner.corpus.records import import_pyarrow, parquet_rows

import_pyarrow("")
before = len(os.listdir("/proc/self/task"))
parquet_rows(Path(sys.argv[1]).read_bytes(), "file")
sys.exit(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux lists them")
def test_no_thread_is_started(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"tokens": [["ada"]]}), tmp_path / "file")
    done = subprocess.run([sys.executable, "-c", THREADS, tmp_path / "file"], check=False)
    assert done.returncode == 0
