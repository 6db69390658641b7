"""The operations of a graph with fixed shapes: what NPU compilers take, what NumPy evaluates to find ranges.

Each operation is one standard ONNX operation of the same name, but two: Requantize gives a value another encoding (in
floats: it is cut off at its limit), Shadow is computed by the host beside the graphs.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.graph.ops import RopeSpec
from edge.npu.layout import Mask, Slots

__all__ = ["Kind", "Order", "StaticGraph", "StaticOp", "Weight"]

Kind = Literal[
    "Add", "Concat", "MatMul", "Mul", "RMSNormalization", "Relu", "Requantize", "Reshape", "Shadow", "Sigmoid", "Slice",
    "Softmax", "Sub", "Transpose",
]  # fmt: skip


class Order(NamedTuple):
    """Rows of a weight in another order: in every head of head_dim the first `dims`, which rotate as neighbours, with
    the even ones before the odd ones."""

    head_dim: int
    dims: int


class Weight(NamedTuple):
    """A tensor as the graph reads it: rows first to end of it (None: all), reordered, times a factor.

    role: a matrix (out, in) that is multiplied as its transpose, or a vector. value: a constant instead of a tensor.
    """

    role: Literal["matrix", "vector", "scalar"]
    tensor: str = ""
    rows: tuple[int, int] | None = None
    order: Order | None = None
    factor: float = 1.0
    value: float = 0.0


class StaticOp(NamedTuple):
    """output = kind(inputs). Inputs name values or weights.

    numbers: perm of Transpose; axis, start, end of Slice; axis of Concat; the channels of Shadow. number: epsilon of
    RMSNormalization. limit: larger magnitudes of the output change nothing that follows, or are the Shadow's part.
    """

    kind: Kind
    inputs: tuple[str, ...]
    output: str
    shape: tuple[int, ...]
    numbers: tuple[int, ...] = ()
    number: float = 0.0
    limit: float | None = None


class StaticGraph(NamedTuple):
    """Ops in an order that can be run. inputs and outputs: name -> shape."""

    ops: tuple[StaticOp, ...]
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]
    weights: dict[str, Weight]
    kv: tuple[Slots, ...]
    masks: tuple[Mask, ...]
    ropes: tuple[RopeSpec, ...]
    tokens: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every value."""
        return self.inputs | {op.output: op.shape for op in self.ops}
