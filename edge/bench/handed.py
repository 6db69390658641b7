"""Prompts that another engine reads and hands over, timed."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from typing import cast

from edge.backends import Backend, Batch
from edge.backends.handover import KVSource, KVTarget

__all__ = ["HandedSteps"]


class HandedSteps:
    """Runs and times prompts on a reader that nothing else uses meanwhile, K and V stored into a backend's blocks, the
    first on. All times in seconds. on_step, clock: as `Steps`."""

    def __init__(
        self,
        reader: KVSource,
        backend: Backend,
        *,
        on_step: Callable[[int], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._reader = reader
        self._target = cast("KVTarget", backend)
        self._limits = backend.limits
        self._on_step = on_step
        self._clock = clock

    def prefill(self, num_tokens: int) -> float:
        """num_tokens: of whole blocks."""
        size, chunk = self._limits.block_size, self._reader.limits.max_tokens
        seconds, stored = 0.0, 0
        for first in range(0, num_tokens, chunk):
            count = min(chunk, num_tokens - first)
            started_at = self._clock()
            self._reader.step(self._batch(first, count))
            end = (first + count) // size * size
            blocks = range(stored // size, end // size)
            self._target.store_kv(blocks, self._places(blocks), self._reader.read_kv(0, stored, end))
            seconds += self._clock() - started_at
            stored = end
            if self._on_step is not None:
                self._on_step(count)
        return seconds

    def _places(self, blocks: range) -> list[int] | None:
        """Of layers with a window: a ring of the blocks that they have."""
        places = self._limits.num_window_blocks
        return [block % places for block in blocks] if self._limits.window else None

    def _batch(self, first: int, count: int) -> Batch:
        positions = array("i", range(first, first + count))
        return Batch(
            token_ids=array("i", [position * 7919 % self._limits.vocab_size for position in positions]),
            positions=positions,
            sequences=array("i", bytes(4 * count)),
            block_tables=array("i", [0]),
            table_stride=1,
            logit_rows=array("i"),
        )
