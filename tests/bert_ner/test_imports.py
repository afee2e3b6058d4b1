"""Nothing heavy is loaded where it is not used; tests/test_house.py has the directions of imports."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bert_ner", "numpy"),
        ("bert_ner.cli", "torch transformers onnxruntime numpy huggingface_hub bert_ner.encoder.weights"),
        ("bert_ner.progress", "torch"),
        ("baselines.crf", "torch transformers"),
        ("baselines.hmm", "torch transformers sklearn_crfsuite"),
        ("bert_ner.export.tagger", "torch transformers onnx"),
    ],
)
def test_heavy_packages_are_loaded_only_where_used(module: str, absent: str) -> None:
    code = f"import sys, {module}; sys.exit(' '.join({set(absent.split())} & sys.modules.keys()) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
