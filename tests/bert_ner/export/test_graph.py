"""Exported graphs against the models that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from transformers import AutoModelForTokenClassification, BertConfig, DistilBertConfig, ModernBertConfig, MPNetConfig

from bert_ner.export.graph import write_graph

SIZES = {"vocab_size": 50, "pad_token_id": 0, "num_labels": 5}
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, **SIZES}
KINDS = {
    "BERT": BertConfig(**SMALL),
    "DistilBERT": DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=64, **SIZES),
    "MPNet, whose attention is its own": MPNetConfig(**SMALL),
    "ModernBERT, which sees a few neighbours only": ModernBertConfig(
        **SMALL, local_attention=6, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
    ),
}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_config(KINDS[request.param])  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)  # as they begin, attention is the same everywhere
    return model.eval()


def test_computes_what_the_model_does(model: Any, tmp_path: Path) -> None:
    before = model.config._attn_implementation
    write_graph(model, tmp_path / "model.onnx", 40)
    assert model.config._attn_implementation == before
    session = InferenceSession(tmp_path / "model.onnx")
    for windows, pieces in ((1, 2), (3, 6), (4, 31)):
        ids = torch.randint(3, 50, (windows, pieces))
        mask = torch.ones_like(ids)
        mask[-1, 2:] = 0
        with torch.no_grad():
            expected = model(input_ids=ids, attention_mask=mask).logits
        [found] = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        seen = mask.bool().numpy()
        assert found[seen] == pytest.approx(expected.numpy()[seen], rel=1e-3, abs=1e-4)


def test_attention_is_one_node_without_reshapes(tmp_path: Path) -> None:
    write_graph(AutoModelForTokenClassification.from_config(KINDS["BERT"]), tmp_path / "model.onnx", 40)  # type: ignore[no-untyped-call]
    operators = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert operators.count("Attention") == 2
    assert not {"Reshape", "Transpose", "Softmax"}.intersection(operators)


def test_the_file_names_no_path_of_the_exporting_machine(tmp_path: Path) -> None:
    write_graph(AutoModelForTokenClassification.from_config(KINDS["BERT"]), tmp_path / "model.onnx", 40)  # type: ignore[no-untyped-call]
    content = (tmp_path / "model.onnx").read_bytes()
    for path in (Path(__file__).parents[3], Path(torch.__file__).parent, tmp_path):
        assert str(path).encode() not in content
    assert b".py" not in content
