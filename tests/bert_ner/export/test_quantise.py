"""8-bit products against numbers computed by hand, and against the products that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array, to_array
from onnxruntime import InferenceSession

from bert_ner.errors import NotExportable
from bert_ner.export.quantise import Range, find_ranges, quantise

Array = NDArray[np.float32]

DRAW = np.random.default_rng(0)
SIZES = np.float32([0.01, 0.1, 1, 1, 1, 3, 10, 100])  # of the columns
ROWS = DRAW.normal(size=(50, 8)).astype(np.float32) * SIZES
WIDE = DRAW.normal(size=(8, 16)).astype(np.float32) / SIZES[:, None]
NARROW = DRAW.normal(size=(16, 8)).astype(np.float32)
BIAS = DRAW.normal(size=16).astype(np.float32)
LAST = DRAW.normal(size=(8, 3)).astype(np.float32)


def graph(*steps: tuple[str, Any], columns: int = 8) -> onnx.ModelProto:
    """From x to y, each step an operator and its second input: a constant, the name of a value or None."""
    nodes, constants, value = [], [], "x"
    for i, (operator, other) in enumerate(steps, 1):
        inputs = [value]
        if isinstance(other, np.ndarray):
            constants.append(from_array(other, f"c{i}"))
            inputs.append(f"c{i}")
        elif other:
            inputs.append(other)
        value = f"v{i}" if i < len(steps) else "y"
        nodes.append(make_node(operator, inputs, [value]))
    x, y = (make_tensor_value_info(name, TensorProto.FLOAT, ["rows", n]) for name, n in (("x", columns), ("y", None)))
    return make_model(make_graph(nodes, "g", [x], [y], constants), opset_imports=[make_opsetid("", 20)], ir_version=10)


def block() -> onnx.ModelProto:
    return graph(
        ("MatMul", WIDE), ("Add", BIAS), ("Gelu", None), ("MatMul", NARROW), ("Add", "x"), ("MatMul", LAST)
    )  # fmt: skip


def output(model: onnx.ModelProto, rows: Array) -> Array:
    [y] = InferenceSession(model.SerializeToString()).run(None, {"x": rows})
    found: Array = y
    return found


def quantised(model: onnx.ModelProto, rows: Array) -> onnx.ModelProto:
    quantise(model, find_ranges(model, [{"x": rows}]))  # type: ignore[dict-item]
    onnx.checker.check_model(model)
    return model


def error(found: Array, expected: Array) -> float:
    """Return the root of the mean square, as a share of how much the numbers spread."""
    return float(np.sqrt(((found - expected) ** 2).mean()) / expected.std())


def test_ranges_are_of_each_column_over_all_batches() -> None:
    ranges = find_ranges(block(), [{"x": ROWS[:7]}, {"x": ROWS[7:]}])  # type: ignore[dict-item]
    hidden = output(graph(("MatMul", WIDE), ("Add", BIAS), ("Gelu", None)), ROWS)
    assert list(ranges) == ["x", "v3"]  # not what the classifier gets
    for name, rows in (("x", ROWS), ("v3", hidden)):
        assert ranges[name].low == pytest.approx(rows.min(0), rel=1e-5, abs=1e-6)
        assert ranges[name].high == pytest.approx(rows.max(0), rel=1e-5, abs=1e-6)


def test_a_product_by_hand() -> None:
    # The second column is 100 times as large, and its weight a hundredth: both get steps of 1/127 and a weight of 63.
    matrix = np.float32([[1], [0.01]])
    model = graph(("MatMul", matrix), ("MatMul", np.float32([[1]])), columns=2)
    quantise(model, {"x": Range(np.float32([-1, -100]), np.float32([1, 100]))})
    found = output(model, np.float32([[0.25, 100], [0, 0], [1, -100], [2, -200]]))
    # 0.25 is 31.75 steps, so 32; beyond the range, a byte of 0 to 255 around 127 goes from -127 to 128.
    assert found[:, 0] == pytest.approx([(32 + 127) / 127, 0, 0, (128 - 127) / 127], abs=1e-6)


def test_columns_of_unlike_size_lose_equally_little() -> None:
    model = quantised(graph(("MatMul", WIDE), ("MatMul", np.eye(16, dtype=np.float32))), ROWS)
    assert error(output(model, ROWS), ROWS @ WIDE) < 0.02


def test_a_block_stays_what_it_was() -> None:
    assert error(output(quantised(block(), ROWS), ROWS), output(block(), ROWS)) < 0.02


def test_a_row_is_alone() -> None:
    model = quantised(block(), ROWS)
    together = output(model, ROWS)
    for i in range(len(ROWS)):
        assert output(model, ROWS[i : i + 1])[0] == pytest.approx(together[i], rel=1e-5, abs=1e-6)


def test_columns_of_zeros_divide_nothing_by_zero() -> None:
    model = quantised(block(), np.zeros_like(ROWS))
    assert np.isfinite(output(model, ROWS)).all()
    nothing = graph(("MatMul", np.zeros_like(WIDE)), ("MatMul", np.ones((16, 1), np.float32)))
    assert not output(quantised(nothing, ROWS), ROWS).any()


def test_numbers_that_are_not_finite_are_an_error() -> None:
    lost = graph(("MatMul", WIDE * np.float32(np.nan)), ("MatMul", NARROW), ("MatMul", LAST))
    with pytest.raises(NotExportable, match="not finite"):
        quantised(lost, ROWS)


def test_only_a_constant_vector_is_added_within_the_product() -> None:
    operators = [node.op_type for node in quantised(block(), ROWS).graph.node]
    steps = ["Mul", "QuantizeLinear", "MatMulIntegerToFloat"]
    assert operators == [*steps, "Gelu", *steps, "Add", "MatMul"]  # what is left to add is x


def test_a_product_that_is_used_twice_keeps_its_addition() -> None:
    square = np.eye(8, dtype=np.float32)
    model = graph(("MatMul", square), ("Add", BIAS[:8]), ("Add", "v1"), ("MatMul", LAST))
    rows = ROWS / SIZES
    assert error(output(quantised(model, rows), rows), (2 * rows + BIAS[:8]) @ LAST) < 0.02


def test_bytes_are_what_is_kept_and_fit_16_bits_in_pairs() -> None:
    model = quantised(block(), ROWS)
    matrices = [to_array(constant) for constant in model.graph.initializer if len(constant.dims) == 2]
    assert [(matrix.shape, matrix.dtype) for matrix in matrices] == [
        ((8, 3), np.float32),
        ((8, 16), np.int8),
        ((16, 8), np.int8),
    ]
    assert max(abs(matrix.astype(int)).max() for matrix in matrices[1:]) * 255 * 2 < 2**15
