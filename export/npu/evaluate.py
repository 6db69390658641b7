"""Runs a static graph in NumPy, in float32, over the chunks of several sequences at once: each weight is read once.

This is where ranges come from, and what the graphs are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import NumericalError
from edge.export.npu.lower import HIDDEN
from edge.export.npu.static import StaticGraph, StaticOp
from edge.export.npu.tensors import Floats, ReadTensor, read_weight
from edge.graph.numerics import rms_norm, rope_tables
from edge.npu.layout import SlotTable, visible

__all__ = ["Observe", "evaluate"]

Observe = Callable[[str, Floats], None]  # a value, for every chunk
_UNSEEN = np.float32(-1e9)


class _Chunk(NamedTuple):
    """One step of a sequence. slots: where each mask's new K and V go; values: by name, those still needed."""

    sequence: int
    slots: tuple[NDArray[np.int64], ...]
    values: dict[str, Floats]


def evaluate(
    graph: StaticGraph,
    read: ReadTensor,
    sequences: Sequence[Floats],
    observe: Observe | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Floats]]:
    """The outputs of each chunk, sequence after sequence.

    sequences: embedded tokens (length, hidden_size), each a multiple of graph.tokens long and no longer than the slots.
    observe: sees every value. NumericalError: a value is not finite.
    """
    chunks = [chunk for i, rows in enumerate(sequences) for chunk in _chunks(graph, i, rows)]
    past = _Past(graph, chunks)
    if observe is not None:
        for chunk in chunks:
            for name in graph.inputs.keys() & chunk.values.keys():
                observe(name, chunk.values[name])
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # what is not finite is refused by name
        _run_all(graph, read, chunks, past, observe, progress)
    return [{name: chunk.values[name] for name in graph.outputs} for chunk in chunks]


def _run_all(
    graph: StaticGraph,
    read: ReadTensor,
    chunks: Sequence[_Chunk],
    past: _Past,
    observe: Observe | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    last_use = {name: i for i, op in enumerate(graph.ops) for name in op.inputs}
    for i, op in enumerate(graph.ops):
        weights = {name: read_weight(read, graph.weights[name]) for name in op.inputs if name in graph.weights}
        products = _products(chunks, op, weights)
        for number, chunk in enumerate(chunks):
            if products is not None:
                value = products[number]
            else:
                inputs = [
                    weights[name] if name in weights else past(number, name) if past.holds(name) else chunk.values[name]
                    for name in op.inputs
                ]
                value = _run(op, inputs)
            if not np.isfinite(value).all():
                raise NumericalError(f"the value {op.output!r} is not finite on the calibration text")
            chunk.values[op.output] = value
            if observe is not None:
                observe(op.output, value)
            for name in op.inputs:
                if last_use[name] == i and name not in graph.outputs:
                    chunk.values.pop(name, None)
        if progress is not None:
            progress(i + 1, len(graph.ops))


def _chunks(graph: StaticGraph, sequence: int, rows: Floats) -> list[_Chunk]:
    tokens, chunks = graph.tokens, list[_Chunk]()
    tables = [SlotTable(mask.slots) for mask in graph.masks]
    for start in range(0, len(rows), tokens):
        values: dict[str, Floats] = {HIDDEN: rows[None, start : start + tokens]}
        positions = np.arange(start, start + tokens, dtype=np.int64)
        for i, spec in enumerate(graph.ropes):
            cos, sin = rope_tables(spec, positions)
            values[f"cos.{i}"], values[f"sin.{i}"] = (t.astype(np.float32)[None, None] for t in (cos, sin))
        for i, mask in enumerate(graph.masks):
            seen = visible(mask, tables[i].positions, start, tokens)
            values[f"mask.{i}"] = np.where(seen, np.float32(0), _UNSEEN)[None, None]
        chunks.append(_Chunk(sequence, tuple(table.place(start, tokens) for table in tables), values))
    return chunks


class _Past:
    """What the slots hold when a chunk is read: the K and V of the chunks before it."""

    def __init__(self, graph: StaticGraph, chunks: Sequence[_Chunk]) -> None:
        self._chunks, self._shapes = chunks, graph.inputs
        self._new = {p: (n, slots.mask) for slots in graph.kv for p, n in zip(slots.past, slots.new, strict=True)}

    def holds(self, name: str) -> bool:
        return name in self._new

    def __call__(self, number: int, name: str) -> Floats:
        new, mask = self._new[name]
        held = np.zeros(self._shapes[name], np.float32)
        for chunk in self._chunks[:number]:
            if chunk.sequence == self._chunks[number].sequence:
                where = chunk.slots[mask]
                if new.startswith("new_k"):
                    held[..., where] = chunk.values[new]
                else:
                    held[:, :, where] = chunk.values[new]
        return held


def _products(chunks: Sequence[_Chunk], op: StaticOp, weights: Mapping[str, Floats]) -> Floats | None:
    """All chunks times a matrix, at once: (chunks, 1, tokens, out)."""
    if op.kind != "MatMul" or op.inputs[1] not in weights:
        return None
    rows = np.concatenate([chunk.values[op.inputs[0]][0] for chunk in chunks])
    return (rows @ weights[op.inputs[1]].T).reshape(len(chunks), *op.shape)


def _run(op: StaticOp, inputs: list[Floats]) -> Floats:
    value = _RUN[op.kind](op, inputs)
    return np.asarray(value, np.float32)


def _matmul(op: StaticOp, inputs: list[Floats]) -> Floats:
    result: Floats = inputs[0] @ inputs[1]
    return result


def _softmax(op: StaticOp, inputs: list[Floats]) -> Floats:
    x = inputs[0]
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return result


def _norm(op: StaticOp, inputs: list[Floats]) -> Floats:
    x, gain = inputs
    return np.asarray(rms_norm(x.reshape(-1, gain.size), gain, op.number), np.float32).reshape(x.shape)


def _sigmoid(op: StaticOp, inputs: list[Floats]) -> Floats:
    return np.float32(1) / (np.float32(1) + np.exp(-inputs[0]))


def _slice(op: StaticOp, inputs: list[Floats]) -> Floats:
    axis, start, end = op.numbers
    return np.take(inputs[0], range(start, end), axis)


def _requantize(op: StaticOp, inputs: list[Floats]) -> Floats:
    if op.limit is None:
        return inputs[0]
    limit = np.float32(op.limit)
    return np.clip(inputs[0], -limit, limit)


def _shadow(op: StaticOp, inputs: list[Floats]) -> Floats:
    """What Requantize cut off, times the columns that it was cut off from."""
    x, matrix = inputs
    assert op.limit is not None
    over, limit = x[..., op.numbers], np.float32(op.limit)
    return np.asarray((over - np.clip(over, -limit, limit)) @ matrix[:, op.numbers].T, np.float32)


_RUN: Mapping[str, Callable[[StaticOp, list[Floats]], Floats]] = {
    "Add": lambda op, x: x[0] + x[1],
    "Sub": lambda op, x: x[0] - x[1],
    "Mul": lambda op, x: x[0] * x[1],
    "Relu": lambda op, x: np.maximum(x[0], np.float32(0)),
    "Concat": lambda op, x: np.concatenate(x, axis=op.numbers[0]),
    "Reshape": lambda op, x: x[0].reshape(op.shape),
    "Transpose": lambda op, x: x[0].transpose(op.numbers),
    "MatMul": _matmul,
    "Softmax": _softmax,
    "RMSNormalization": _norm,
    "Sigmoid": _sigmoid,
    "Slice": _slice,
    "Requantize": _requantize,
    "Shadow": _shadow,
}
