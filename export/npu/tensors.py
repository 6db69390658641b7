"""The weights of a graph as floats, read one at a time from where the model comes from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.export.npu.static import Order, Weight

__all__ = ["Floats", "ReadTensor", "read_weight"]

Floats = NDArray[np.float32]
ReadTensor = Callable[[str], Floats]


def read_weight(read: ReadTensor, weight: Weight) -> Floats:
    """(out, in) of a matrix, (n,) of a vector, () of a scalar; reordered and scaled."""
    if weight.role == "scalar":
        return np.array(weight.value, np.float32)
    values = read(weight.tensor)
    if weight.rows is not None:
        values = values[weight.rows[0] : weight.rows[1]]
    if weight.order is not None:
        values = values[_order(weight.order, len(values))]
    return values if weight.factor == 1.0 else values * np.float32(weight.factor)


def _order(order: Order, rows: int) -> NDArray[np.int64]:
    head = np.arange(order.head_dim, dtype=np.int64)
    turning = head[: order.dims]
    head[: order.dims] = np.concatenate([turning[0::2], turning[1::2]])
    heads = np.arange(0, rows, order.head_dim, dtype=np.int64)
    return (heads[:, None] + head[None]).reshape(-1)
