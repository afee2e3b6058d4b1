"""8-bit products against a computation of their own in NumPy, row by row."""

from __future__ import annotations

from math import erf

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array
from onnxruntime import InferenceSession

from bert_ner.encoder.quantise import quantise

DRAW = np.random.default_rng(0)
WIDE = DRAW.normal(size=(8, 16)).astype(np.float32)
NARROW = DRAW.normal(size=(16, 8)).astype(np.float32)
LAST = DRAW.normal(size=(8, 3)).astype(np.float32)
ROWS = DRAW.normal(size=(5, 8)).astype(np.float32) * np.float32([[1], [0.01], [100], [0], [3]])


def chained(*names: str) -> onnx.ModelProto:
    """From x to y, the products and GELUs that are named."""
    values = ["x", *(f"v{i}" for i in range(1, len(names))), "y"]
    nodes = [
        make_node("Gelu", [before], [after]) if name == "gelu" else make_node("MatMul", [before, name], [after])
        for before, name, after in zip(values, names, values[1:], strict=False)
    ]
    constants = {"wide": WIDE, "narrow": NARROW, "last": LAST}
    graph = make_graph(
        nodes,
        "chain",
        [make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 8])],
        [make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])],
        [from_array(constants[name], name) for name in names if name != "gelu"],
    )
    return make_model(graph, opset_imports=[make_opsetid("", 20)], ir_version=10)


def output(model: onnx.ModelProto, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    [y] = InferenceSession(model.SerializeToString()).run(None, {"x": rows})
    found: NDArray[np.float32] = y
    return found


def rounded(row: NDArray[np.float32], steps: int, floor: float) -> NDArray[np.float64]:
    unit = max(abs(row).max(), floor)
    return np.rint(row / unit * steps) / steps * unit


def in_7_bits(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    scale = abs(matrix).max(0) / 63
    return np.rint(matrix / scale) * scale


def gelu(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers * (1 + np.vectorize(erf)(numbers / 2**0.5)) / 2


def test_a_product_is_of_rounded_rows_and_columns() -> None:
    model = chained("wide", "narrow", "last")
    quantise(model)
    expected = []
    for row in ROWS:
        hidden = rounded(row, 127, 1e-6) @ in_7_bits(WIDE)
        expected.append(rounded(hidden, 127, 1e-6) @ in_7_bits(NARROW) @ LAST)  # the last is left as it was
    # A number that lies half-way between two steps may go either way: one step of the second product's rows.
    assert output(model, ROWS) == pytest.approx(np.array(expected), rel=0.02, abs=0.02)
    assert not output(model, ROWS)[3].any()  # a row of zeros divides nothing by zero


def test_above_a_gelu_nearly_all_steps_are_above_zero() -> None:
    model = chained("wide", "gelu", "narrow", "last")
    quantise(model)
    rows = ROWS[[0, 4]]
    expected = []
    for row in rows:
        active = gelu(rounded(row, 127, 1e-6) @ in_7_bits(WIDE))
        expected.append(rounded(active, 239, 2.539) @ in_7_bits(NARROW) @ LAST)
    assert output(model, rows) == pytest.approx(np.array(expected), rel=0.02, abs=0.02)


def test_a_row_is_alone() -> None:
    model = chained("wide", "gelu", "narrow", "last")
    quantise(model)
    together = output(model, ROWS)
    for i in range(len(ROWS)):
        assert output(model, ROWS[i : i + 1])[0] == pytest.approx(together[i], rel=1e-5, abs=1e-6)


def test_bytes_are_what_is_kept_and_fit_16_bits_in_pairs() -> None:
    model = chained("wide", "gelu", "narrow", "last")
    quantise(model)
    onnx.checker.check_model(model)
    matrices = [onnx.numpy_helper.to_array(c) for c in model.graph.initializer if len(c.dims) == 2]
    assert [(matrix.shape, matrix.dtype) for matrix in matrices] == [
        ((8, 3), np.float32),
        ((8, 16), np.int8),
        ((16, 8), np.int8),
    ]
    assert max(abs(matrix.astype(int)).max() for matrix in matrices[1:]) * 255 * 2 < 2**15
