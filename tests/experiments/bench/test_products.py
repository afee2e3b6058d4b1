"""The products of a small encoder, compared with shapes and operations counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertForTokenClassification

from bench.products import Product, forward_products, measure_products, step_products


@pytest.fixture(scope="module")
def model() -> BertForTokenClassification:
    """Return an encoder of one layer: 8 wide, two heads of 4, 16 between, three labels."""
    return BertForTokenClassification(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=30,
                   num_labels=3, attn_implementation="eager")
    )  # fmt: skip


def test_shapes_by_hand(model: BertForTokenClassification) -> None:
    # Windows of 5, 5 and 3 pieces: 13 pieces, and two lengths. Query, key, value and output are 8 by 8.
    assert sorted(forward_products(model, [5, 3, 5])) == sorted([
        *[Product(1, 13, 8, 8)] * 4, Product(1, 13, 8, 16), Product(1, 13, 16, 8), Product(1, 13, 8, 3),
        Product(4, 5, 4, 5), Product(4, 5, 5, 4), Product(2, 3, 4, 3), Product(2, 3, 3, 4),
    ])  # fmt: skip


def test_operations_by_hand(model: BertForTokenClassification) -> None:
    linear = 2 * 13 * (4 * 8 * 8 + 2 * 8 * 16 + 8 * 3)
    attention = 2 * 2 * (4 * 5 * 5 * 4 + 2 * 3 * 3 * 4)
    assert linear + attention == 15_824
    assert sum(product.flop for product in forward_products(model, [5, 3, 5])) == 15_824
    assert sum(product.flop for product in step_products(model, [5, 3, 5])) == 3 * 15_824


def test_operations_as_pytorch_counts_them(model: BertForTokenClassification) -> None:
    ids = torch.ones(2, 6, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model.eval()(input_ids=ids, attention_mask=ids)
    assert sum(product.flop for product in forward_products(model, [6, 6])) == counter.get_total_flops()


def test_layers_repeat_their_products() -> None:
    config = BertConfig(hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16, vocab_size=30)
    products = forward_products(BertForTokenClassification(config), [5])
    assert len(products) == 3 * (6 + 2) + 1


def test_gradients_of_a_product() -> None:
    # C = A B, with A of shape (13, 8) and B of (8, 16): A's gradient is (13, 16) by (16, 8), B's (8, 13) by (13, 16).
    assert Product(1, 13, 8, 16).backward == [Product(1, 13, 16, 8), Product(1, 8, 13, 16)]
    assert Product(4, 5, 4, 5).backward == [Product(4, 5, 5, 4), Product(4, 4, 5, 5)]
    assert Product(4, 5, 4, 3).shapes == ((4, 5, 4), (4, 4, 3), (4, 5, 3))
    assert Product(1, 5, 4, 3).shapes == ((5, 4), (4, 3), (5, 3))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_products_of_each_number_type_are_computed(dtype: str) -> None:
    found = measure_products([Product(1, 32, 64, 16), Product(4, 8, 16, 8)], dtype)
    assert found["seconds"] > 0
    assert found["tflop"] == pytest.approx((2 * 32 * 64 * 16 + 4 * 2 * 8 * 16 * 8) / 1e12)
