"""Steps of one sequence at chosen positions, timed."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable

from edge.backends import Backend, Batch


class Steps:
    """Runs and times steps on a backend that nothing else uses meanwhile. All times in seconds.

    on_step gets the number of tokens after each step, while no clock runs. A token depends on its position only, so KV
    that is computed again is the same, and what was computed once may stay: `reach` makes it before anything is timed
    behind it. adapter: that every token uses, by its number; None: the model alone.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        on_step: Callable[[int], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        adapter: int | None = None,
    ) -> None:
        limits = backend.limits
        self._backend = backend
        self._on_step = on_step
        self._clock = clock
        self._adapter = adapter
        self._vocab_size = limits.vocab_size
        self._chunk = limits.max_tokens
        self._table = array("i", range(-(-limits.context // limits.block_size)))
        self._num_positions = 0  # with KV

    def reach(self, depth: int) -> float:
        """Computes the KV of positions 0 .. depth - 1 where it is missing."""
        return self._prefill(self._num_positions, depth)

    def prefill(self, num_tokens: int, depth: int) -> float:
        """A prompt of `num_tokens` behind `depth` positions, in chunks as the engine makes them; logits of the last."""
        self.reach(depth)
        return self._prefill(depth, depth + num_tokens)

    def decode(self, num_tokens: int, depth: int) -> list[float]:
        """`num_tokens` steps of one token, the first at position `depth`: the time of each."""
        self.reach(depth)
        return [self._step(position, 1, 1) for position in range(depth, depth + num_tokens)]

    def step(self, num_tokens: int, depth: int) -> float:
        """One step of `num_tokens` with the logits of all of them, as checking a draft takes."""
        self.reach(depth)
        return self._step(depth, num_tokens, num_tokens)

    def _prefill(self, start: int, end: int) -> float:
        return sum(
            self._step(first, min(self._chunk, end - first), int(first + self._chunk >= end))
            for first in range(start, end, self._chunk)
        )

    def _window_table(self, first: int) -> array[int] | None:
        """Of layers with a window: a ring of the blocks that they have, as far as the token at `first` sees back."""
        limits = self._backend.limits
        if not limits.window:
            return None
        unseen = max(0, first - limits.window + 1) // limits.block_size
        ring = (block % limits.num_window_blocks for block in range(unseen, len(self._table)))
        return array("i", [*[-1] * unseen, *ring])

    def _step(self, first: int, num_tokens: int, num_logits: int) -> float:
        positions = array("i", range(first, first + num_tokens))
        batch = Batch(
            token_ids=array("i", [position * 7919 % self._vocab_size for position in positions]),
            positions=positions,
            sequences=array("i", bytes(4 * num_tokens)),
            block_tables=self._table,
            table_stride=len(self._table),
            logit_rows=array("i", range(num_tokens - num_logits, num_tokens)),
            window_tables=self._window_table(first),
            adapters=None if self._adapter is None else array("i", [self._adapter] * num_tokens),
        )
        started_at = self._clock()
        self._backend.step(batch)
        seconds = self._clock() - started_at
        self._num_positions = max(self._num_positions, first + num_tokens)
        if self._on_step is not None:
            self._on_step(num_tokens)
        return seconds
