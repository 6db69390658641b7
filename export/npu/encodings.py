"""One table of encodings for all graphs of a model: values that only change shape or place share theirs.

Ranges are those of the calibration text, a quarter wider where there are 16 bits. Zero is always a code.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge.export.npu.ranges import Ranges
from edge.export.npu.static import StaticGraph, StaticOp
from edge.npu.encoding import CodeType, Encoding

__all__ = ["encode_range", "encodings"]

_SAME = {"Reshape", "Transpose", "Slice", "Concat"}
_UNIT = {"Sigmoid": 2.0**-16, "Softmax": 2.0**-16}  # 0 .. 1; QNN computes them with this scale alone
_HEADROOM = 1.25
_GAP = 16.0  # e^-16 of the largest weight is nothing in 16 bits
_SMALLEST = 1e-6  # range of a value that is always zero


def encodings(graph: StaticGraph, ranges: Ranges, *, kv_bits: int) -> dict[str, Encoding]:
    """Of every value of the graph, and of every other that was lowered from the same model."""
    groups = _Groups(graph)
    kinds = {op.output: op for op in graph.ops}
    gap = _gap(graph, ranges)
    table: dict[str, Encoding] = {}
    for members in groups.members():
        kv = any(name.startswith(("past_k.", "past_v.", "new_k.", "new_v.")) for name in members)
        narrow = any(name in kinds and kinds[name].numbers == (8,) for name in members)  # of Requantize
        code: CodeType = "uint8" if narrow or (kv and kv_bits == 8) else "uint16"
        encoding = _of_group(members, kinds, ranges, gap, code)
        table |= dict.fromkeys(members, encoding)
    return table


def encode_range(low: float, high: float, code: CodeType) -> Encoding:
    """The encoding from low (or 0) to high (or 0)."""
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < _SMALLEST:
        high = low + _SMALLEST
    most = int(np.iinfo(np.dtype(code)).max)
    scale = np.float32((high - low) / most)
    return Encoding(code, float(scale), int(np.clip(round(-low / float(scale)), 0, most)))


def _of_group(
    members: list[str], kinds: Mapping[str, StaticOp], ranges: Ranges, gap: float, code: CodeType
) -> Encoding:
    unit = [_UNIT[kinds[name].kind] for name in members if name in kinds and kinds[name].kind in _UNIT]
    if unit:
        return Encoding(code, unit[0], 0)
    if any(name.startswith("mask.") for name in members):
        return encode_range(-gap, 0.0, code)
    low = min((ranges.low[name] for name in members if name in ranges.low), default=0.0)
    high = max((ranges.high[name] for name in members if name in ranges.high), default=0.0)
    for name in members:
        op = kinds.get(name)
        if op is not None and op.kind == "Add" and any(i.startswith("mask.") for i in op.inputs):
            score = op.inputs[0]
            return encode_range(ranges.low[score] - gap, ranges.high[score], code)
        if op is not None and op.limit is not None and op.kind != "Shadow":
            low, high = max(low, -op.limit), min(high, op.limit)
            return encode_range(low, high, code)
    wider = _HEADROOM if code == "uint16" else 1.0
    return encode_range(low * wider, high * wider, code)


def _gap(graph: StaticGraph, ranges: Ranges) -> float:
    """What the mask subtracts: more than any two scores of a row differ by."""
    scores = [op.inputs[0] for op in graph.ops if op.kind == "Add" and op.inputs[1].startswith("mask.")]
    return max(ranges.high[name] - ranges.low[name] for name in scores) * _HEADROOM + _GAP


class _Groups:
    """Values with one encoding: unions of inputs and outputs of operations that change no number."""

    def __init__(self, graph: StaticGraph) -> None:
        self._parent = {name: name for name in graph.shapes()}
        for op in graph.ops:
            if op.kind in _SAME:
                for name in op.inputs:
                    self._join(name, op.output)
        for slots in graph.kv:
            for past, new in zip(slots.past, slots.new, strict=True):
                self._join(past, new)

    def members(self) -> list[list[str]]:
        groups: dict[str, list[str]] = {}
        for name in self._parent:
            groups.setdefault(self._root(name), []).append(name)
        return list(groups.values())

    def _root(self, name: str) -> str:
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def _join(self, a: str, b: str) -> None:
        self._parent[self._root(a)] = self._root(b)
