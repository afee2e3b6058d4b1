"""Scoring starts fast, so that a script that only compares CSVs does too."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import bert_ner.scoring.cross_check, bert_ner.scoring.subgroups
import bert_ner.scoring.gate_files, bert_ner.scoring.gate_table
print([name for name in ("torch", "transformers", "pandas", "scipy", "seqeval", "sklearn") if name in sys.modules])
"""


def test_scoring_loads_neither_torch_nor_pandas_nor_scipy_nor_the_programs_of_the_cross_check() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
