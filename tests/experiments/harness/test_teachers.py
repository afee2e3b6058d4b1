"""The teachers that a section of params.yaml may name."""

from __future__ import annotations

from typing import Any

from harness.params import Run, read_params
from harness.teachers import teachers_of

import pytest

from bert_ner.errors import BertNerError

PARAMS = read_params()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"teachers": []}, []),
        ({"teachers": ["minilm-13", "minilm_crf-7"]}, [Run("minilm", 13), Run("minilm_crf", 7)]),
    ],
)
def test_encoders_whose_sections_stand_above(settings: dict[str, Any], expected: list[Run]) -> None:
    assert teachers_of("mpnet", settings, PARAMS) == expected


@pytest.mark.parametrize("name", ["mpnet-13", "bert-13", "crf-0", "minilm", "minilm-x", "nothing-13", 13])
def test_all_else_is_an_error(name: Any) -> None:
    with pytest.raises(
        BertNerError, match=r"params\.yaml: mpnet\.teachers: .* must be <system>-<seed>, such as mpnet-13"
    ):
        teachers_of("mpnet", {"teachers": [name]}, PARAMS)
