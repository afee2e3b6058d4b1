"""Fuzz the JSON Lines reader with atheris, which searches for inputs that reach new branches.

pip install atheris
mkdir -p /tmp/corpus && python tests/fuzz/fuzz_lines.py -max_total_time=300 -max_len=4096 /tmp/corpus
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["bert_ner", "targets"]):
    from targets import lines

if __name__ == "__main__":
    atheris.Setup(sys.argv, lines)
    atheris.Fuzz()
