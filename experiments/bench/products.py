"""The matrix products of a model, and the time that they take alone: the limit of a step's speed."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from bench.measuring import measure_seconds


class Product(NamedTuple):
    """`times` products of a matrix of shape (rows, inner) with one of shape (inner, columns)."""

    times: int
    rows: int
    inner: int
    columns: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the two operands and of the result; `times` comes first unless it is 1."""
        times = (self.times,) if self.times > 1 else ()
        return (*times, self.rows, self.inner), (*times, self.inner, self.columns), (*times, self.rows, self.columns)

    @property
    def flop(self) -> int:
        """The floating-point operations: a multiplication and an addition for each pair of numbers."""
        return 2 * self.times * self.rows * self.inner * self.columns

    @property
    def backward(self) -> list["Product"]:
        """The products that give the gradients of the first and of the second operand."""
        first = self._replace(inner=self.columns, columns=self.inner)
        return [first, self._replace(rows=self.inner, inner=self.rows)]


def forward_products(model: Any, lengths: Sequence[int]) -> list[Product]:
    """Return the products of a forward pass over windows of these lengths, in pieces, without padding.

    A linear layer multiplies the pieces of all windows at once. Attention multiplies twice in each window and head:
    queries with keys, and weights with values. Windows of equal length share a call.
    """
    from torch.nn import Linear

    layers = [layer for layer in model.modules() if isinstance(layer, Linear)]
    linear = [Product(1, sum(lengths), layer.in_features, layer.out_features) for layer in layers]
    heads = model.config.num_attention_heads
    size = model.config.hidden_size // heads
    attention: list[Product] = []
    for length, windows in Counter(lengths).items():
        attention.append(Product(windows * heads, length, size, length))
        attention.append(Product(windows * heads, length, length, size))
    return linear + attention * int(model.config.num_hidden_layers)


def step_products(model: Any, lengths: Sequence[int]) -> list[Product]:
    """Return the products of a training step: those of the forward pass, and the two gradients of each."""
    forward = forward_products(model, lengths)
    return [*forward, *chain.from_iterable(product.backward for product in forward)]


def measure_products(products: Sequence[Product], dtype: str) -> dict[str, float]:
    """Compute the products one after the other, and nothing else; return the seconds and the TFLOP.

    These seconds are the limit: no step that computes all products of the model in this number type is faster. The
    share of the limit is these seconds over those of the step, measured in the same run of the benchmark. The products
    have the shapes of the step, without padding, because padding is a choice of the program. All operands and results
    lie in the same few buffers, so that no new memory is needed and most numbers stay in the cache. A first pass warms
    up.

    Args:
        dtype: a number type of PyTorch. With `int8`, attention is computed in float32, as 8-bit taggers do.
    """
    calls = list(_calls(products, dtype))

    def run() -> None:
        for multiply, first, second, result in calls:
            multiply(first, second, out=result)

    run()
    return {"seconds": measure_seconds(run), "tflop": sum(product.flop for product in products) / 1e12}


def _calls(products: Sequence[Product], dtype: str) -> Iterator[tuple[Any, ...]]:
    """Yield for each product the function that computes it, the operands and the result."""
    import torch

    if dtype == "int8":  # PyTorch has no public function for 8-bit products, and none for batches of them
        kinds = {False: (torch._int_mm, ("int8", "int8", "int32")), True: (torch.bmm, ("float32",) * 3)}
    else:
        kinds = {False: (torch.mm, (dtype,) * 3), True: (torch.bmm, (dtype,) * 3)}
    largest = max(math.prod(shape) for product in products for shape in product.shapes)
    places = {place for _, types in kinds.values() for place in enumerate(types)}
    buffers = {(i, name): torch.ones(largest, dtype=getattr(torch, name)) for i, name in places}
    for product in products:
        multiply, types = kinds[product.times > 1]
        places_and_shapes = zip(enumerate(types), product.shapes, strict=True)
        yield multiply, *(buffers[place][: math.prod(shape)].view(shape) for place, shape in places_and_shapes)
