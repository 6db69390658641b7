"""Shadow outliers (Xu et al. 2024, https://arxiv.org/abs/2407.05858): what a few channels have beyond the range of the
others is multiplied on the CPU, beside the NPU, which then has a finer scale for the rest.

The channels are found on the calibration text and fixed. An input whose largest magnitude exceeds the others' most is
chosen first. The graph is cut before it, where the host reads it, and behind its matrices, where their sums meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edge.export.npu.ranges import Ranges
from edge.export.npu.static import StaticGraph, StaticOp

__all__ = ["Outliers", "cut", "find_outliers", "narrow", "with_shadows"]

_SHARE = 32  # one channel of so many may be an outlier
_LEAST = 2.0  # times the others: below it a finer scale gains less than a bit


class Outliers(NamedTuple):
    """Of the input `name` of matrices: its channels beyond `limit`."""

    name: str
    channels: tuple[int, ...]
    limit: float


def find_outliers(ranges: Ranges, count: int) -> list[Outliers]:
    """The `count` inputs with the largest ratio of all channels' range to that of those that stay."""
    found: list[tuple[float, Outliers]] = []
    for name, maxima in ranges.maxima.items():
        order = np.argsort(-maxima, kind="stable")
        most = max(1, len(maxima) // _SHARE)
        limit = float(maxima[order[most]])
        if limit > 0 and maxima[order[0]] / limit >= _LEAST:
            channels = tuple(sorted(int(i) for i in order[:most] if maxima[i] > limit))
            found.append((float(maxima[order[0]]) / limit, Outliers(name, channels, limit)))
    return [outliers for _, outliers in sorted(found, key=lambda item: -item[0])[:count]]


def narrow(graph: StaticGraph, bits: int) -> StaticGraph:
    """The graph with what matrices are multiplied with in `bits` bits, 16 as it is."""
    return graph if bits == 16 else _rewritten(graph, {}, bits)


def with_shadows(graph: StaticGraph, outliers: list[Outliers], bits: int) -> StaticGraph:
    """The graph with the outliers' inputs clipped, and for each of their matrices a Shadow that is added."""
    return _rewritten(graph, {item.name: item for item in outliers}, bits)


def _rewritten(graph: StaticGraph, outliers: dict[str, Outliers], bits: int) -> StaticGraph:
    ops: list[StaticOp] = []
    done: set[str] = set()  # inputs of matrices that were met
    shapes = graph.shapes()
    for op in graph.ops:
        if op.kind != "MatMul" or op.inputs[1] not in graph.weights:
            ops.append(op)
            continue
        x = op.inputs[0]
        item = outliers.get(x)
        if item is None and bits == 16:
            ops.append(op)
        elif x not in done:  # all matrices that read it, at once: each needs nothing but it
            done.add(x)
            limit = None if item is None else item.limit
            ops.append(StaticOp("Requantize", (x,), f"{x}.narrow", shapes[x], numbers=(bits,), limit=limit))
            readers = [other for other in graph.ops if other.kind == "MatMul" and other.inputs[0] == x]
            ops += _products(readers, x, item, bits)
    return graph._replace(ops=tuple(ops))


def _products(readers: list[StaticOp], x: str, item: Outliers | None, bits: int) -> Iterator[StaticOp]:
    """Products of the narrow input; then the Shadows, and the sums that keep the products' names."""
    for op in readers:
        inner = op.output if item is None else f"{op.output}.inner"
        made = inner if bits == 16 else f"{op.output}.coarse"  # NPUs give as many bits as they take
        numbers = () if bits == 16 else (bits,)
        yield op._replace(inputs=(f"{x}.narrow", op.inputs[1]), output=made, numbers=numbers)
        if bits != 16:
            yield StaticOp("Requantize", (made,), inner, op.shape)
    if item is None:
        return
    for op in readers:
        inputs = x, op.inputs[1]
        yield StaticOp("Shadow", inputs, f"{op.output}.shadow", op.shape, numbers=item.channels, limit=item.limit)
    for op in readers:
        yield StaticOp("Add", (f"{op.output}.inner", f"{op.output}.shadow"), op.output, op.shape)


def cut(graph: StaticGraph) -> tuple[list[StaticGraph], dict[str, int]]:
    """The parts that a provider runs one after the other, and for each Shadow's output the part that it runs beside.

    A graph without a Shadow is one part.
    """
    parts: list[list[StaticOp]] = [[]]
    beside: dict[str, int] = {}
    host = {op.inputs[0] for op in graph.ops if op.kind == "Shadow"}
    for op in graph.ops:
        if op.kind == "Shadow":
            beside[op.output] = len(parts) - 1
            continue
        begins = op.kind == "Requantize" and op.inputs[0] in host
        ends = op.kind == "Add" and beside.get(op.inputs[1]) == len(parts) - 1
        if begins or ends:
            parts.append([])
        parts[-1].append(op)
    return _bordered(graph, parts), beside


def _bordered(graph: StaticGraph, parts: list[list[StaticOp]]) -> list[StaticGraph]:
    """With the inputs and outputs of each part."""
    shapes = graph.shapes()
    host = {op.inputs[0] for op in graph.ops if op.kind == "Shadow"}
    graphs: list[StaticGraph] = []
    for i, part in enumerate(parts):
        own = {op.output for op in part}
        read = {name for op in part for name in op.inputs if name not in graph.weights}
        later = {name for other in parts[i + 1 :] for op in other for name in op.inputs}
        weights = {name for op in part for name in op.inputs if name in graph.weights}
        inputs = {name: shape for name, shape in shapes.items() if name in read - own}
        outputs = {name: shape for name, shape in shapes.items() if name in own & (later | set(graph.outputs) | host)}
        mine = {name: weight for name, weight in graph.weights.items() if name in weights}
        graphs.append(graph._replace(ops=tuple(part), inputs=inputs, outputs=outputs, weights=mine))
    return graphs
