"""A model of the tests on the native engine, every value in a place of its own unless it is told to share."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import native
from edge.backends.adapters import load_adapters
from edge.backends.compiled import window_blocks
from edge.formats.adapter import Adapter
from edge.formats.types import GGMLType
from edge.graph import WeightRef, lower_adapters, lower_native
from edge.graph.ops import Graph
from edge.graph.reference import Weight
from edge.quant import decode
from tests.models.tiny import F32
from tests.quant.random_blocks import stored

NUM_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the file would hold it."""

    type: GGMLType
    shape: tuple[int, ...]
    data: bytes

    def weight(self) -> Weight:
        return Weight(decode(self.type, self.data, self.shape), self.type, self.data)


def as_tensors(values: Mapping[str, F32], kinds: Sequence[GGMLType]) -> dict[str, Tensor]:
    """Matrices take the kinds in turn, vectors are F32. Where a kind has no encoder, the values are others."""
    tensors: dict[str, Tensor] = {}
    for i, (name, value) in enumerate(values.items()):
        kind = kinds[i % len(kinds)] if value.ndim == 2 else GGMLType.F32
        tensors[name] = Tensor(kind, value.shape, stored(kind, value, seed=i))
    return tensors


class NativeModel:
    """One or more sequences; blocks are handed out in a shuffled order, so that a wrong table is noticed."""

    def __init__(
        self,
        graph: Graph,
        tensors: Mapping[str, Tensor],
        *,
        kv_type: str,
        isa: str | None = None,
        num_threads: int = 1,
        max_tokens: int = 64,
        share: bool = False,
        max_positions: int = NUM_BLOCKS * native.BLOCK_SIZE,
        adapters: Sequence[Adapter] = (),
    ) -> None:
        self.lowered = lower_native(graph)
        adapted = lower_adapters(self.lowered, adapters)
        self._threads = native.Threads(num_threads)
        self._weights = [_pack(tensors[w.tensor], w) for w in self.lowered.weights]
        files = {str(number): adapter for number, adapter in enumerate(adapters)}
        self._weights += load_adapters(files, adapted, self._threads)[1]
        low = self.lowered
        geometry = low.num_kv_heads, low.head_dim
        self._kv = native.KV(kv_type, low.num_layers, *geometry, NUM_BLOCKS) if low.num_layers else None
        self._ring = window_blocks(low.window, native.BLOCK_SIZE, 1, max_tokens, NUM_BLOCKS)
        self._window_kv = native.KV(kv_type, low.num_window_layers, *geometry, self._ring) if self._ring else None
        arena = low.arena(max_tokens, max_tokens, share=share)
        self._program = native.Program(
            ops=low.ops,
            buffers=arena.buffers,
            arena_bytes=arena.num_bytes,
            ropes=low.ropes,
            weights=self._weights,
            logits_buffer=low.logits_buffer,
            isa=isa,
            max_tokens=max_tokens,
            max_logits=max_tokens,
            max_sequences=4,
            kv=native.KVShape(kv_type, low.num_layers, *geometry),
            max_threads=num_threads,
            max_positions=max_positions,
            num_window_layers=low.num_window_layers,
            loras=adapted.loras,
            num_adapters=adapted.num_adapters,
        )

    def step(
        self,
        token_ids: Sequence[int],
        start: int = 0,
        logit_rows: Sequence[int] | None = None,
        adapters: Sequence[int] = (),
    ) -> F32:
        """Logits of one step of a single sequence, at positions start, start + 1, ... adapters: that its rows use."""
        n = len(token_ids)
        table = [(7 * i + 3) % NUM_BLOCKS for i in range(NUM_BLOCKS)]
        self._program.step(
            self._threads,
            self._kv,
            token_ids=array("i", token_ids),
            positions=array("i", range(start, start + n)),
            sequences=array("i", [0] * n),
            block_tables=array("i", table),
            table_stride=NUM_BLOCKS,
            logit_rows=array("i", range(n) if logit_rows is None else logit_rows),
            window_kv=self._window_kv,
            window_tables=array("i", self._window_table(start, n)),
            adapters=array("i", adapters),
        )
        return np.array(self._program.logits, dtype=np.float32)

    def _window_table(self, start: int, count: int) -> list[int]:
        """No more places than a window and a step take: what lies behind was overwritten."""
        if self._window_kv is None:
            return []
        first, end = (
            max(0, start - self.lowered.window + 1) // native.BLOCK_SIZE,
            -(-(start + count) // native.BLOCK_SIZE),
        )
        return [i % self._ring if first <= i < end else -1 for i in range(NUM_BLOCKS)]

    def values(self) -> dict[str, F32]:
        """Every value that survived fusion, from the last step, by its name in the graph."""
        buffers = self.lowered.buffers
        return {b.value: np.array(self._program.buffer(i), dtype=np.float32) for i, b in enumerate(buffers)}

    def __enter__(self) -> NativeModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for item in (self._program, self._kv, self._window_kv, *self._weights, self._threads):
            if item is not None:
                item.close()


def _pack(tensor: Tensor, ref: WeightRef) -> native.Weights:
    if ref.kind == "matrix":
        row = len(tensor.data) // tensor.shape[0]
        data = tensor.data[ref.first_row * row : (ref.first_row + ref.shape[0]) * row]
        return native.Weights.matrix(tensor.type, ref.shape[0], ref.shape[1], data)
    return native.Weights.vector(tensor.type, tensor.shape[0], tensor.data)


def relative_error(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """L2, over all rows."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
