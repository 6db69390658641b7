"""What the methods are tried with: a source in memory, plain encoders, and what a rounded model loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import edge.quant
from edge.formats.types import GGMLType
from edge.graph.ops import Graph, Linear
from edge.graph.reference import Reference, Weight
from edge.quant.methods import TensorSource
from tests.models.tiny import F32


class MemoryTensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    type_name: str


class MemorySource:
    def __init__(self, values: Mapping[str, F32]) -> None:
        self.metadata: dict[str, Any] = {}
        self.tensors = [MemoryTensor(name, value.shape, "F32") for name, value in values.items()]
        self._values = values

    def read(self, name: str) -> F32:
        return self._values[name]


def encode(type_name: str, rows: F32, importance: F32 | None) -> NDArray[np.uint8]:
    """Rounds to nearest, whatever the importance: what the methods are to be better than."""
    if type_name == "Q4_0":
        return np.frombuffer(edge.quant.encode(GGMLType.Q4_0, rows), np.uint8)
    assert type_name == "Q4_K"
    return _q4_k(rows)


def _q4_k(rows: F32) -> NDArray[np.uint8]:
    """From the least to the largest value of 32, in 15 steps."""
    parts = rows.reshape(-1, 8, 32)
    minima = np.maximum(-parts.min(axis=2), 0.0)
    scales = (np.maximum(parts.max(axis=2), 0.0) + minima) / 15
    d = (scales.max(axis=1) / 63).astype("<f2")
    dmin = (minima.max(axis=1) / 63).astype("<f2")
    sc = np.clip(np.rint(scales / np.maximum(d.astype(np.float32), 1e-30)[:, None]), 0, 63).astype(np.uint8)
    mn = np.clip(np.rint(minima / np.maximum(dmin.astype(np.float32), 1e-30)[:, None]), 0, 63).astype(np.uint8)
    step = (d.astype(np.float32)[:, None] * sc)[:, :, None]
    low = (dmin.astype(np.float32)[:, None] * mn)[:, :, None]
    codes = np.clip(np.rint((parts + low) / np.where(step == 0, 1, step)), 0, 15).astype(np.uint8)
    packed = np.concatenate(
        [
            (sc[:, :4] & 63) | (sc[:, 4:] >> 4) << 6,
            (mn[:, :4] & 63) | (mn[:, 4:] >> 4) << 6,
            (sc[:, 4:] & 15) | (mn[:, 4:] & 15) << 4,
        ],
        axis=1,
    )
    nibbles = (codes[:, 0::2] | codes[:, 1::2] << 4).reshape(-1, 128)
    halves = [half.view(np.uint8).reshape(-1, 2) for half in (d, dmin)]
    return np.concatenate([*halves, packed, nibbles], axis=1).reshape(len(rows), -1)


def layer_types(graph: Graph, type_name: str) -> dict[str, str]:
    """Every matrix of a layer, not the head."""
    return {
        node.op.weight: type_name
        for node in graph.nodes
        if isinstance(node.op, Linear) and node.op.weight.startswith("blk.")
    }


def logits(graph: Graph, source: TensorSource[MemoryTensor], tokens: Sequence[int]) -> F32:
    reference = Reference(graph, lambda name: Weight(source.read(name)), mode="float32")
    return reference.step(tokens).astype(np.float32)


def loss(wanted: F32, found: F32) -> float:
    """Mean KL divergence over positions, in nats."""
    p, q = _log_softmax(wanted), _log_softmax(found)
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


def _log_softmax(x: F32) -> NDArray[np.float64]:
    y: NDArray[np.float64] = x.astype(np.float64) - x.max(axis=1, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=1, keepdims=True))
    return y
