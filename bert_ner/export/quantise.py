"""8-bit matrix products for an exported encoder.

Scales are fixed at the export. With a scale per batch, as in onnxruntime's quantize_dynamic, a sentence's tags would
depend on the others in its batch. Columns of activations differ a hundredfold in size, but a product's bytes need one
unit. So each column's size moves to the matching row of weights, as in SmoothQuant (Xiao et al., 2023).
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto
from onnx.helper import make_empty_tensor_value_info, make_node, make_opsetid
from onnx.numpy_helper import from_array, to_array
from onnxruntime import InferenceSession

from bert_ner.encoder.alignment import WordPieces
from bert_ner.errors import NotExportable

# 7 bits: without VNNI, the sum of two products of an unsigned and a signed byte has to fit into 16 bits.
_MOST = 63
_STEPS = 254  # of 255, so that rounding can't leave the range
_MIGRATION = 0.7  # the share of a column's size that goes to the weights; LOG.md compares values
_RANDOM_PIECES = 1024  # in each batch of random pieces
_SMALLEST = 1e-5  # so that nothing is divided by zero
_ONNXRUNTIME = "com.microsoft"

Inputs = dict[str, NDArray[np.int64]]


class Range(NamedTuple):
    """The lowest and the highest value of each column."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


def random_batches(pieces: WordPieces) -> Iterator[Inputs]:
    """Yield windows of random pieces, short and long, because an export has no corpus to draw from."""
    draw = np.random.default_rng(0)
    special = set(pieces.special)
    ordinary = [i for i in range(pieces.tokenizer.get_vocab_size()) if i not in special]
    for length in (4, 8, 12, 16, 24, 32, 64, 128):
        ids = draw.choice(ordinary, (_RANDOM_PIECES // length, min(length, pieces.limit)))
        ids[:, 0], ids[:, -1] = pieces.special.cls, pieces.special.sep
        yield {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def find_ranges(model: ModelProto, batches: Iterable[Inputs]) -> dict[str, Range]:
    """Return the ranges that the activations of the products with constant matrices have in the batches, by name.

    Raise NotExportable if a value is not finite, for example after a training that diverged.
    """
    names = list(dict.fromkeys(node.input[0] for node in _products(model)))
    observed = ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(make_empty_tensor_value_info(name) for name in names)
    session = InferenceSession(observed.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges: dict[str, Range] = {}
    for inputs in batches:
        for name, numbers in zip(names, session.run(names, inputs), strict=True):
            rows = numbers.reshape(-1, numbers.shape[-1])
            before = ranges.get(name, Range(rows[0], rows[0]))
            ranges[name] = Range(np.minimum(before.low, rows.min(0)), np.maximum(before.high, rows.max(0)))
    if not all(np.isfinite(found).all() for found in ranges.values()):
        raise NotExportable("No 8-bit copy can be made: the encoder computes numbers that are not finite")
    return ranges


def quantise(model: ModelProto, ranges: dict[str, Range]) -> None:
    """Replace a graph's products with constant matrices by 8-bit ones, except the last, the classifier's.

    The matrices are float32, of shape (inputs, outputs). A value outside its column's range is clipped.
    """
    graph = model.graph
    matrices = {constant.name: constant for constant in graph.initializer}
    products = {node.output[0]: node for node in _products(model)}
    additions = _additions(model, products)
    merged = {addition.output[0] for addition in additions.values()}
    by_activations: dict[str, list[NDArray[np.float32]]] = {}  # query, key and value share theirs
    for node in products.values():
        by_activations.setdefault(node.input[0], []).append(to_array(matrices[node.input[1]]))
    scales = {name: _scale(ranges[name], np.hstack(stacked)) for name, stacked in by_activations.items()}

    constants: dict[str, NDArray[Any]] = {"one": np.array(1, np.float32)}
    nodes: list[NodeProto] = []
    for node in graph.node:
        rows, result = node.input[0] if node.input else "", node.output[0]
        if result not in products:
            nodes += [] if result in merged else [node]
            continue
        unit, zero = scales[rows]
        if f"{rows}.zero" not in constants:
            constants |= {f"{rows}.per unit": 1 / unit, f"{rows}.zero": np.array(zero, np.uint8)}
            nodes += [
                make_node("Mul", [rows, f"{rows}.per unit"], [f"{rows}.in units"]),
                make_node("QuantizeLinear", [f"{rows}.in units", "one", f"{rows}.zero"], [f"{rows}.bytes"]),
            ]
        matrix = to_array(matrices[node.input[1]]) * unit[:, None]
        scale = (np.maximum(np.abs(matrix).max(0), np.float32(1e-12)) / _MOST).astype(np.float32)
        constants |= {f"{result}.weights": np.rint(matrix / scale).astype(np.int8), f"{result}.scale": scale}
        inputs, output = [f"{rows}.bytes", f"{result}.weights", "one", f"{result}.scale", f"{rows}.zero"], result
        if addition := additions.get(result):
            [bias] = set(addition.input) - {result}
            inputs, output = [*inputs, "", bias], addition.output[0]
        nodes.append(make_node("MatMulIntegerToFloat", inputs, [output], domain=_ONNXRUNTIME))
    used = {name for node in nodes for name in node.input}
    added = [from_array(values, name) for name, values in constants.items()]
    initializers = [constant for constant in (*graph.initializer, *added) if constant.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)
    model.opset_import.append(make_opsetid(_ONNXRUNTIME, 1))


def _products(model: ModelProto) -> list[NodeProto]:
    constants = {constant.name for constant in model.graph.initializer}
    return [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in constants][:-1]


def _additions(model: ModelProto, products: Container[str]) -> dict[str, NodeProto]:
    """Return, by the product's result, each addition of a constant vector that is the result's only use."""
    vectors = {constant.name for constant in model.graph.initializer if len(constant.dims) == 1}
    users: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    return {
        name: user
        for name, (user, *others) in users.items()
        if name in products and not others and user.op_type == "Add" and vectors.intersection(user.input)
    }


def _scale(found: Range, matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Return the unit and the zero of activations, which are multiplied by a matrix of shape (their columns, any).

    A value in their range becomes the unsigned byte round(value / unit) + zero.
    """
    largest = np.maximum(np.maximum(found.high, -found.low), _SMALLEST)
    size = largest**_MIGRATION / np.maximum(np.abs(matrix).max(1), _SMALLEST) ** (1 - _MIGRATION)
    low, high = min((found.low / size).min(), 0), max((found.high / size).max(), 0)
    step = max(high - low, _SMALLEST) / _STEPS
    return (size * step).astype(np.float32), round(-low / step)
