"""Without its extra, `bert-ner tag-files` names it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys

sys.modules["ray"] = None
sys.argv = ["bert-ner", "tag-files", "queries", "tagged"]
from bert_ner.cli import main

main()
"""


def test_the_extra_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "bert-ner: ray is not installed; install it with: pip install 'bert-ner[cluster]'\n"
