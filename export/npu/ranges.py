"""What the values of a graph reach on a text."""

from __future__ import annotations

import numpy as np

from edge.export.npu.static import StaticGraph
from edge.export.npu.tensors import Floats

__all__ = ["Ranges"]


class Ranges:
    """Gathers as `observe` of `evaluate`.

    low, high: of each value. maxima, squares: largest |x_k| and mean x_k^2, (width,), of what matrices are multiplied
    with.
    """

    def __init__(self, graph: StaticGraph) -> None:
        self.low: dict[str, float] = {}
        self.high: dict[str, float] = {}
        self.maxima: dict[str, Floats] = {}
        self._sums: dict[str, tuple[Floats, int]] = {}
        self._linear_inputs = {
            op.inputs[0] for op in graph.ops if op.kind == "MatMul" and op.inputs[1] in graph.weights
        }

    def observe(self, name: str, values: Floats) -> None:
        self.low[name] = min(self.low.get(name, np.inf), float(values.min()))
        self.high[name] = max(self.high.get(name, -np.inf), float(values.max()))
        if name in self._linear_inputs:
            rows = np.abs(values.reshape(-1, values.shape[-1]))
            largest: Floats = rows.max(axis=0)
            self.maxima[name] = np.maximum(self.maxima[name], largest) if name in self.maxima else largest
            total, count = self._sums.get(name, (np.zeros_like(largest), 0))
            self._sums[name] = total + (rows * rows).sum(axis=0), count + len(rows)

    def squares(self, name: str) -> Floats:
        total, count = self._sums[name]
        return total / np.float32(count)
