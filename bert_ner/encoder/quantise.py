"""8-bit matrix products for an exported encoder.

Each row of the activations, a word piece's, has a scale of its own, that of its largest number, found as the model
runs. So there is nothing to calibrate, and what a sentence is tagged with does not touch its tags, as it does where a
batch shares a scale (onnxruntime's quantize_dynamic). In the literature: per-token quantisation (Yao et al., ZeroQuant,
2022).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto
from onnx.helper import make_node, make_opsetid
from onnx.numpy_helper import from_array, to_array

# 7 bits: where there is no VNNI, the sum of two products of an unsigned and a signed byte has to fit 16 bits.
_MOST = 63
_ONNXRUNTIME = "com.microsoft"


class _Range(NamedTuple):
    """How a row's numbers, in units of its largest, become unsigned bytes: round(number * steps) + zero."""

    name: str
    steps: int
    zero: int
    floor: float  # a row's unit is at least this

    @property
    def constants(self) -> list[TensorProto]:
        values = {"scale": np.float32(1 / self.steps), "zero": np.uint8(self.zero), "floor": np.float32(self.floor)}
        return [from_array(np.asarray(value), f"{self.name}.{name}") for name, value in values.items()]


_ANY = _Range("any", steps=127, zero=128, floor=1e-6)
# No GELU is below -0.17, so nearly all steps are for what is above zero. The second matrix of a feed-forward block
# needs them: its inputs have outliers.
_GELU = _Range("gelu", steps=239, zero=16, floor=0.17 * 239 / 16)


def quantise(model: ModelProto) -> None:
    """Replace a graph's products with constant matrices, all but the last, the classifier's, by 8-bit ones.

    Args:
        model: changed in place. Its matrices are float32 constants of shape (inputs, outputs).
    """
    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    gelus = {node.output[0] for node in graph.node if node.op_type == "Gelu"}
    products = [node.output[0] for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants][:-1]
    added = [from_array(np.array([-1]), "last axis"), *_ANY.constants, *_GELU.constants]
    nodes: list[NodeProto] = []
    done = set()  # query, key and value share their input
    for node in graph.node:
        if node.output[0] in gelus:
            # By tanh, a quarter faster; the two differ by 0.0005 at most, a twentieth of a step.
            nodes.append(make_node("FastGelu", node.input, node.output, domain=_ONNXRUNTIME))
            continue
        if node.output[0] not in products:
            nodes.append(node)
            continue
        (rows, weights), result = node.input, node.output[0]
        kind = _GELU if rows in gelus else _ANY
        if rows not in done:
            nodes += _bytes_of(rows, kind)
            done.add(rows)
        matrix = to_array(constants[weights])
        scale = np.maximum(np.abs(matrix).max(0), 1e-12) / _MOST
        added += [
            from_array(np.rint(matrix / scale).astype(np.int8), f"{result}.weights"),
            from_array(scale.astype(np.float32), f"{result}.scale"),
        ]
        inputs = [f"{rows}.bytes", f"{result}.weights", f"{kind.name}.scale", f"{result}.scale", f"{kind.name}.zero"]
        nodes += [
            make_node("MatMulIntegerToFloat", inputs, [f"{result}.unscaled"], domain=_ONNXRUNTIME),
            make_node("Mul", [f"{result}.unscaled", f"{rows}.unit"], [result]),
        ]
    used = {name for node in nodes for name in node.input}
    kept = [constant for constant in (*graph.initializer, *added) if constant.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    model.opset_import.append(make_opsetid(_ONNXRUNTIME, 1))


def _bytes_of(rows: str, kind: _Range) -> list[NodeProto]:
    """From some rows, `<rows>.unit` of shape (..., 1) and `<rows>.bytes` of their own."""
    size = rows if kind is _GELU else f"{rows}.size"
    return [
        *([] if kind is _GELU else [make_node("Abs", [rows], [size])]),
        make_node("ReduceMax", [size, "last axis"], [f"{rows}.largest"], keepdims=1),
        make_node("Max", [f"{rows}.largest", f"{kind.name}.floor"], [f"{rows}.unit"]),
        make_node("Div", [rows, f"{rows}.unit"], [f"{rows}.in units"]),
        make_node("QuantizeLinear", [f"{rows}.in units", f"{kind.name}.scale", f"{kind.name}.zero"], [f"{rows}.bytes"]),
    ]
