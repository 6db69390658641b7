"""The NumPy lowering: runs the graph of fine ops as composed, before any fusion. What everything is tested against.

Three modes. "float64": the truth over the dequantised weights. "float32": the same in single precision. "engine":
rounds where the native engine rounds - activations to int8 in the weight format's groups, K and V to the cache's type,
every value to float32 - so that what remains is the order of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import type_name
from edge.graph import numerics
from edge.graph.numerics import ACTIVATION_GROUP, Array
from edge.graph.ops import (
    Add,
    Attention,
    Embedding,
    Graph,
    Linear,
    Mul,
    Node,
    RmsNorm,
    Rope,
    SelectRows,
    Silu,
)

Mode = Literal["float64", "float32", "engine"]
KVType = Literal["f32", "f16"]


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor, decoded to floats, and the ggml type number that it has in the file."""

    values: NDArray[np.floating[Any]]
    type: int


@dataclass(slots=True)
class _History:
    """K and V of one layer and sequence: (capacity, kv_heads, head_dim). stored: which positions are there."""

    k: Array
    v: Array
    stored: NDArray[np.bool_]


class Reference:
    """One model and the KV state of its sequences.

    weights: gives a tensor by name; asked once per tensor. kv_type: what K and V are rounded to when they are stored,
    in every mode ("f32" in float64 mode: not at all). `values` holds what each node computed in the last step, by
    name, when it was run with keep=True.
    """

    def __init__(
        self, graph: Graph, weights: Callable[[str], Weight], *, mode: Mode = "float64", kv_type: KVType = "f32"
    ) -> None:
        self._graph = graph
        self._provider = weights
        self._engine = mode == "engine"
        self._dtype = np.dtype(np.float64 if mode == "float64" else np.float32)
        self._kv_type = kv_type
        self._weights: dict[str, tuple[Array, int]] = {}
        self._kv: dict[tuple[int, int], _History] = {}
        self.values: Mapping[str, Array] = {}

    def step(
        self,
        token_ids: Sequence[int],
        positions: Sequence[int] | None = None,
        sequences: Sequence[int] | None = None,
        logit_rows: Sequence[int] | None = None,
        *,
        keep: bool = False,
    ) -> Array:
        """Logits (num_logits, vocab_size) of one step, one row per token.

        positions: 0, 1, ... when not given. sequences: the sequence of each token, 0 when not given. logit_rows: rows
        whose logits are wanted, all when not given. ValueError: a position is attended to that was never stored.
        """
        run = _Step(
            np.asarray(token_ids, dtype=np.int64),
            np.asarray(range(len(token_ids)) if positions is None else positions, dtype=np.int64),
            np.asarray([0] * len(token_ids) if sequences is None else sequences, dtype=np.int64),
            np.asarray(range(len(token_ids)) if logit_rows is None else logit_rows, dtype=np.int64),
        )
        if not len(run.token_ids) == len(run.positions) == len(run.sequences):
            raise ValueError("token_ids, positions and sequences differ in length")
        last_use = {i: node.index for node in self._graph.nodes for i in node.inputs}
        results: dict[int, Array] = {}
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # Inf and NaN are results, as in the engine
            for node in self._graph.nodes:
                results[node.index] = self._run(node, [results[i] for i in node.inputs], run)
                if not keep:
                    for i in node.inputs:
                        if last_use[i] == node.index and i != self._graph.output:
                            results.pop(i, None)
        self.values = {self._graph.nodes[i].name: value for i, value in results.items()} if keep else {}
        return results[self._graph.output]

    def fork(self, source: int, target: int) -> None:
        """Gives sequence `target` a copy of what `source` has stored."""
        for (layer, sequence), history in list(self._kv.items()):
            if sequence == source:
                copy = _History(history.k.copy(), history.v.copy(), history.stored.copy())
                self._kv[layer, target] = copy

    def reset(self) -> None:
        """Forgets all sequences."""
        self._kv.clear()

    def _run(self, node: Node, inputs: list[Array], run: _Step) -> Array:
        match node.op:
            case Embedding(weight, scale):
                return self._weight(weight)[0][run.token_ids] * self._dtype.type(scale)
            case RmsNorm(gain, eps):
                norm = numerics.engine_rms_norm if self._engine else numerics.rms_norm
                return norm(inputs[0], self._weight(gain)[0], eps)
            case Linear():
                return self._linear(node.op, inputs[0])
            case Rope(spec, head_dim):
                return numerics.rope(inputs[0], spec, head_dim, run.positions)
            case Attention():
                return self._attention(node.op, inputs, run)
            case Add():
                return inputs[0] + inputs[1]
            case Mul():
                return inputs[0] * inputs[1]
            case Silu():
                return numerics.silu(inputs[0])
            case SelectRows():
                return inputs[0][run.logit_rows]

    def _weight(self, name: str) -> tuple[Array, int]:
        if name not in self._weights:
            weight = self._provider(name)
            wanted = self._graph.weight_shapes[name]
            if weight.values.shape != wanted:
                raise ValueError(f"{name} has shape {weight.values.shape}, wanted {wanted}")
            self._weights[name] = weight.values.astype(self._dtype), weight.type
        return self._weights[name]

    def _linear(self, op: Linear, x: Array) -> Array:
        weight, weight_type = self._weight(op.weight)
        y: Array
        if self._engine:
            y = (self._as_read(x, weight_type) @ weight.astype(np.float64).T).astype(np.float32)
        else:
            y = x @ weight.T
        return y if op.bias is None else y + self._weight(op.bias)[0]

    def _as_read(self, x: Array, weight_type: int) -> NDArray[np.float64]:
        """The activations as a matrix of this type reads them."""
        if weight_type not in ACTIVATION_GROUP:
            raise ValueError(f"the engine has no kernel for {type_name(weight_type)}")
        group = ACTIVATION_GROUP[weight_type]
        if group is None:
            return x.astype(np.float64)
        return numerics.dequantize_activations(*numerics.quantize_activations(x.astype(np.float32), group))

    def _attention(self, op: Attention, inputs: list[Array], run: _Step) -> Array:
        q, k, v = (x.reshape(x.shape[0], -1, op.head_dim) for x in inputs)
        out = np.zeros_like(inputs[0])
        for sequence in np.unique(run.sequences).tolist():
            rows = np.flatnonzero(run.sequences == sequence)
            history = self._store((op.layer, sequence), run.positions[rows], k[rows], v[rows])
            length = int(run.positions[rows].max()) + 1
            if not history.stored[:length].all():
                raise ValueError(f"sequence {sequence} attends to positions that were never stored")
            wide = np.float64 if self._engine else self._dtype
            past = (history.k[:length].astype(wide), history.v[:length].astype(wide))
            scale = float(np.float32(op.scale)) if self._engine else op.scale
            out[rows] = numerics.attend(q[rows].astype(wide), *past, run.positions[rows], scale)
        return out

    def _store(self, key: tuple[int, int], positions: NDArray[np.int64], k: Array, v: Array) -> _History:
        needed = int(positions.max()) + 1
        history = self._kv.get(key)
        if history is None or len(history.stored) < needed:
            old, size = history, 2 * needed
            shape = (size, *k.shape[1:])
            history = _History(np.zeros(shape, self._dtype), np.zeros(shape, self._dtype), np.zeros(size, np.bool_))
            if old is not None:
                n = len(old.stored)
                history.k[:n], history.v[:n], history.stored[:n] = old.k, old.v, old.stored
            self._kv[key] = history
        history.k[positions] = self._rounded(k)
        history.v[positions] = self._rounded(v)
        history.stored[positions] = True
        return history

    def _rounded(self, x: Array) -> Array:
        """To the cache's type and back: to nearest, ties to even."""
        if self._kv_type == "f32":
            return x
        # by way of float32, as the engine does: rounding twice is part of what it computes
        return x.astype(np.float32).astype(np.float16).astype(self._dtype)


@dataclass(frozen=True, slots=True)
class _Step:
    token_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    sequences: NDArray[np.int64]
    logit_rows: NDArray[np.int64]
