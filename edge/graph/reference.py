"""The NumPy lowering: runs the graph of fine ops as composed, before any fusion. What everything is tested against.

Three modes. "float64": the truth over the dequantised weights. "float32": the same in single precision. "engine": what
the native engine does, operation for operation - activations to int8 in the weight format's groups, K and V to the
cache's type, sums in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import GGMLType
from edge.graph import engine_math, numerics
from edge.graph.blocks import Blocks, split_blocks
from edge.graph.numerics import Array
from edge.graph.ops import (
    Add,
    Attention,
    Embedding,
    Gelu,
    GeluErf,
    Graph,
    LayerNorm,
    Linear,
    Mul,
    Node,
    Relu2,
    RmsNorm,
    Rope,
    Rows,
    SelectRows,
    Silu,
)

Mode = Literal["float64", "float32", "engine"]
KVType = Literal["f32", "f16", "q8", "q4"]

_CODES = {"q8": engine_math.quantize_heads, "q4": engine_math.quantize_heads_q4}
_FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor decoded to floats. Engine mode also reads a quantised matrix as it is: ggml type number and bytes."""

    values: NDArray[np.floating[Any]]
    type: int = GGMLType.F32
    data: bytes | memoryview = b""


class LowRank(NamedTuple):
    """What an adapter adds to a matrix (out, in): up (scale * (down x)), with down (rank, in) and up (out, rank)."""

    down: NDArray[np.floating[Any]]
    up: NDArray[np.floating[Any]]
    scale: float


@dataclass(slots=True)
class _History:
    """K and V of one layer and sequence: (capacity, kv_heads, head_dim). stored: which positions are there.

    The scales (capacity, kv_heads) are those of q8 codes, in engine mode.
    """

    k: Array
    v: Array
    k_scales: NDArray[np.float32]
    v_scales: NDArray[np.float32]
    stored: NDArray[np.bool_]

    @staticmethod
    def empty(size: int, kv_heads: int, head_dim: int, dtype: np.dtype[Any]) -> _History:
        values, scales = (size, kv_heads, head_dim), (size, kv_heads)
        ones = np.ones(scales, np.float32)
        return _History(np.zeros(values, dtype), np.zeros(values, dtype), ones, ones.copy(), np.zeros(size, np.bool_))

    def copy(self, size: int | None = None) -> _History:
        """With room for `size` positions, or as many as now."""
        n = len(self.stored)
        new = _History.empty(n if size is None else size, self.k.shape[1], self.k.shape[2], self.k.dtype)
        new.k[:n], new.v[:n], new.stored[:n] = self.k, self.v, self.stored
        new.k_scales[:n], new.v_scales[:n] = self.k_scales, self.v_scales
        return new


class Reference:
    """One model and the KV state of its sequences.

    weights: gives a tensor by name; asked once per tensor. kv_type: what K and V are rounded to when they are stored,
    in every mode ("f32" in float64 mode: not at all). adapters: what each adds, by tensor. `values` holds what each
    node computed in the last step, by name, when it was run with keep=True.
    """

    def __init__(
        self,
        graph: Graph,
        weights: Callable[[str], Weight],
        *,
        mode: Mode = "float64",
        kv_type: KVType = "f32",
        adapters: Sequence[Mapping[str, LowRank]] = (),
    ) -> None:
        self._graph = graph
        self._adapters = adapters
        self._provider = weights
        self._engine = mode == "engine"
        self._dtype = np.dtype(np.float64 if mode == "float64" else np.float32)
        self._kv_type = kv_type
        self._weights: dict[str, Array] = {}
        self._blocks: dict[str, Blocks] = {}  # engine mode: the quantised ones
        self._kv: dict[tuple[int, int], _History] = {}
        self.values: Mapping[str, Array] = {}

    def step(
        self,
        token_ids: Sequence[int],
        positions: Sequence[int] | None = None,
        sequences: Sequence[int] | None = None,
        logit_rows: Sequence[int] | None = None,
        *,
        adapters: Sequence[int] | None = None,
        keep: bool = False,
    ) -> Array:
        """Logits (num_logits, vocab_size) of one step, one row per token.

        positions: 0, 1, ... when not given. sequences: the sequence of each token, 0 when not given. logit_rows: rows
        whose logits are wanted, all when not given. adapters: the one that each token uses, -1 for none. ValueError: a
        position is attended to that was never stored.
        """
        run = _Step(
            np.asarray(token_ids, dtype=np.int64),
            np.asarray(range(len(token_ids)) if positions is None else positions, dtype=np.int64),
            np.asarray([0] * len(token_ids) if sequences is None else sequences, dtype=np.int64),
            np.asarray(range(len(token_ids)) if logit_rows is None else logit_rows, dtype=np.int64),
            np.asarray([-1] * len(token_ids) if adapters is None else adapters, dtype=np.int64),
        )
        if not len(run.token_ids) == len(run.positions) == len(run.sequences) == len(run.adapters):
            raise ValueError("token_ids, positions, sequences and adapters differ in length")
        last_use = {i: node.number for node in self._graph.nodes for i in node.inputs}
        results: dict[int, Array] = {}
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # Inf and NaN are results, as in the engine
            for node in self._graph.nodes:
                results[node.number] = self._run(node, [results[i] for i in node.inputs], run)
                if not keep:
                    for i in node.inputs:
                        if last_use[i] == node.number and i != self._graph.output:
                            results.pop(i, None)
        self.values = {self._graph.nodes[i].name: value for i, value in results.items()} if keep else {}
        return results[self._graph.output]

    def fork(self, source: int, target: int) -> None:
        """Gives sequence `target` a copy of what `source` has stored."""
        for (layer, sequence), history in list(self._kv.items()):
            if sequence == source:
                self._kv[layer, target] = history.copy()

    def reset(self) -> None:
        """Forgets all sequences."""
        self._kv.clear()

    def _run(self, node: Node, inputs: list[Array], run: _Step) -> Array:
        match node.op:
            case Embedding(weight, scale, row_of):
                rows = {"token": run.token_ids, "position": run.positions, "first": np.zeros_like(run.positions)}
                embedded: Array = self._weight(weight)[rows[row_of]] * self._dtype.type(scale)
                return embedded
            case RmsNorm(gain, eps):
                norm = engine_math.rms_norm if self._engine else numerics.rms_norm
                return norm(inputs[0], self._weight(gain), eps)
            case LayerNorm(gain, bias, eps):
                layer_norm = engine_math.layer_norm if self._engine else numerics.layer_norm
                return layer_norm(inputs[0], self._weight(gain), self._weight(bias), eps)
            case Linear():
                return self._adapted(node, inputs[0], self._linear(node.op, inputs[0]), run)
            case Rope(spec, head_dim):
                if self._engine:  # which has it as a float
                    spec = spec._replace(magnitude=float(np.float32(spec.magnitude)))
                return numerics.rope(inputs[0], spec, head_dim, run.positions)
            case Attention():
                return self._attention(node.op, inputs, run)
            case Add():
                return inputs[0] + inputs[1]
            case Mul():
                return inputs[0] * inputs[1]
            case Silu():
                return (engine_math.silu if self._engine else numerics.silu)(inputs[0])
            case Gelu():
                return (engine_math.gelu if self._engine else numerics.gelu)(inputs[0])
            case GeluErf():
                return (engine_math.gelu_erf if self._engine else numerics.gelu_erf)(inputs[0])
            case Relu2():
                return (engine_math.relu2 if self._engine else numerics.relu2)(inputs[0])
            case SelectRows():
                return inputs[0][run.logit_rows]

    def _weight(self, name: str) -> Array:
        if name not in self._weights:
            weight = self._provider(name)
            wanted = self._graph.weight_shapes[name]
            if weight.values.shape != wanted:
                raise ValueError(f"{name} has shape {weight.values.shape}, wanted {wanted}")
            self._weights[name] = weight.values.astype(self._dtype)
            if self._engine and weight.type not in _FLOATS:
                self._blocks[name] = split_blocks(weight.type, weight.data, wanted)
        return self._weights[name]

    def _linear(self, op: Linear, x: Array) -> Array:
        weight = self._weight(op.weight)
        y: Array
        if not self._engine:
            y = x @ weight.T
        elif op.weight in self._blocks:
            y = engine_math.matmul_blocks(x.astype(np.float32), self._blocks[op.weight])
        else:
            y = engine_math.matmul_floats(x.astype(np.float32), weight.astype(np.float32))
        if op.rows is not None:
            y = y[:, op.rows[0] : op.rows[1]]
        return y if op.bias is None else y + self._weight(op.bias)

    def _adapted(self, node: Node, x: Array, y: Array, run: _Step) -> Array:
        """y, and what the adapters of its rows add to it."""
        assert isinstance(node.op, Linear)
        used = run.adapters[run.logit_rows] if node.shape.rows is Rows.LOGITS else run.adapters
        numbers: set[int] = set(used.tolist())
        for number in numbers - {-1}:
            pair = self._adapters[number].get(node.op.weight)
            if pair is None:
                continue
            rows = np.flatnonzero(used == number)
            up = pair.up if node.op.rows is None else pair.up[node.op.rows[0] : node.op.rows[1]]
            if self._engine:
                low = np.float32(pair.scale) * engine_math.matmul_floats(x[rows], pair.down.astype(np.float32))
                y[rows] = y[rows] + engine_math.matmul_floats(low, up.astype(np.float32))
            else:
                low = self._dtype.type(pair.scale) * (x[rows] @ pair.down.astype(self._dtype).T)
                y[rows] = y[rows] + low @ up.astype(self._dtype).T
        return y

    def _attention(self, op: Attention, inputs: list[Array], run: _Step) -> Array:
        q, *stored = (x.reshape(x.shape[0], -1, op.head_dim) for x in inputs)
        if self._kv_type == "q4":  # as keys are in the cache
            q = engine_math.hadamard(q, is_key=False)
        out = np.zeros_like(inputs[0])
        for sequence in np.unique(run.sequences).tolist():
            rows = np.flatnonzero(run.sequences == sequence)
            key = op.layer, sequence
            history = self._store(key, run.positions[rows], *(x[rows] for x in stored)) if stored else self._kv[key]
            positions = run.positions[rows]
            length = int(positions.max()) + 1
            if op.whole:
                if sorted(positions.tolist()) != list(range(length)):
                    raise ValueError(f"sequence {sequence} is not whole: {length} positions, {len(positions)} tokens")
                positions = np.full_like(positions, length - 1)
            lowest = max(0, int(positions.min()) - op.window + 1) if op.window else 0
            if not history.stored[lowest:length].all():
                raise ValueError(f"sequence {sequence} attends to positions that were never stored")
            k_seen, v_seen = history.k[:length], history.v[:length]
            if self._engine:
                scales = (history.k_scales[:length], history.v_scales[:length]) if self._kv_type in _CODES else None
                out[rows] = engine_math.attend(q[rows], k_seen, v_seen, positions, op.scale, op.window, scales)
            else:
                out[rows] = numerics.attend(q[rows], k_seen, v_seen, positions, op.scale, op.window)
        return out

    def _store(self, key: tuple[int, int], positions: NDArray[np.int64], k: Array, v: Array) -> _History:
        needed = int(positions.max()) + 1
        history = self._kv.get(key)
        if history is None:
            history = _History.empty(2 * needed, k.shape[1], k.shape[2], self._dtype)
        elif len(history.stored) < needed:
            history = history.copy(2 * needed)
        self._kv[key] = history
        if self._kv_type == "q4":
            k = engine_math.hadamard(k.astype(np.float32), is_key=True)
        history.k[positions], history.k_scales[positions] = self._cached(k)
        history.v[positions], history.v_scales[positions] = self._cached(v)
        history.stored[positions] = True
        return history

    def _cached(self, x: Array) -> tuple[Array, NDArray[np.float32] | float]:
        """What the cache holds of x (rows, heads, head_dim), and scales of codes that it is, or 1."""
        if self._kv_type == "f32":
            return x, 1.0
        # by way of float32, as the engine does: rounding twice is part of what it computes
        single = x.astype(np.float32)
        if self._kv_type == "f16":
            return single.astype(np.float16).astype(self._dtype), 1.0
        codes, scales = _CODES[self._kv_type](single)
        if self._engine:
            return codes, scales
        return codes.astype(self._dtype) * scales[:, :, None].astype(self._dtype), 1.0


@dataclass(frozen=True, slots=True)
class _Step:
    token_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    sequences: NDArray[np.int64]
    logit_rows: NDArray[np.int64]
    adapters: NDArray[np.int64]
