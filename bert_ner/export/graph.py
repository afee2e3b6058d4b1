"""Write an encoder as an ONNX graph."""

import copy
from pathlib import Path
from typing import Any

import torch
from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass
from onnxscript.optimizer import optimize, remove_unused_nodes
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from bert_ner.errors import NotExportable, first_line


def write_graph(model: PreTrainedModel, path: Path, limit: int) -> None:
    """Write the graph from `input_ids` and `attention_mask`, of shape (windows, pieces), to `logits`, in float32.

    The model classifies tokens; `limit` is the most pieces in a window. Raise NotExportable if PyTorch can't export it.
    """
    AttentionInterface.register("onnx", _attention)
    AttentionMaskInterface.register("onnx", eager_mask)
    model = copy.deepcopy(model).cpu().eval()  # type: ignore[no-untyped-call]
    model.set_attn_implementation("onnx")  # MPNet and others with a single attention keep it

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits

    ids = torch.arange(10, 28).view(3, 6)
    shape = {0: torch.export.Dim("windows"), 1: torch.export.Dim("pieces", min=2, max=limit)}
    try:
        program = torch.onnx.export(
            Logits(),
            (ids, torch.ones_like(ids)),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=(shape, shape),
            dynamo=True,
            opset_version=23,  # the first version with attention
            optimize=False,  # it would merge rotary embeddings into a node that onnxruntime lacks
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise NotExportable(f"PyTorch can't export a {model.config.model_type} model: {first_line(error)}") from None
    assert program is not None  # it is None only without dynamo
    optimize(program.model)
    _remove_double_reshapes(program.model.graph)
    remove_unused_nodes(program.model)
    ClearMetadataAndDocStringPass()(program.model)  # stack traces, with the paths of this machine
    program.save(path)


def _attention(
    _: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scaling: float, **_options: Any
) -> tuple[Tensor, None]:
    """Compute attention as one node, a third faster than as several; the output has the heads after the pieces."""
    q, k, v = (heads.transpose(1, 2).flatten(2) for heads in (query, key, value))
    mixed, *_rest = torch.onnx.ops.attention(
        q, k, v, mask, scale=scaling, q_num_heads=query.shape[1], kv_num_heads=key.shape[1]
    )
    return mixed.view(*mixed.shape[:2], query.shape[1], -1), None


def _remove_double_reshapes(graph: Any) -> None:
    """Remove pairs of Reshape that cancel out, as around attention, which splits heads by itself."""
    for node in graph:
        first = node.inputs[0].producer() if node.op_type == "Reshape" else None
        shape = node.outputs[0].shape  # PyTorch gives each dimension without a number a name
        if first and first.op_type == "Reshape" and shape is not None and first.inputs[0].shape == shape:
            node.outputs[0].replace_all_uses_with(first.inputs[0])
