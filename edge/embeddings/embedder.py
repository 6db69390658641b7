"""Token lists become embeddings: sorted by length, packed into full steps, pooled while they are computed."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from edge.backends.protocol import Batch
from edge.backends.states import States
from edge.embeddings.pooling import F32, Pool
from edge.formats.config import Pooling

__all__ = ["Embedder"]


@dataclass(slots=True)
class _Text:
    """A text on its way. index: whose it is. start: of its tokens, those that are computed."""

    index: int
    tokens: Sequence[int]
    pool: Pool
    start: int = 0


class Embedder:
    """Embeds with `states`, one step at a time under `step_lock`, which others may have between two steps.

    Token lists have 1 to `limits.context` known ids each; that is the caller's to check.
    """

    def __init__(self, states: States, step_lock: AbstractContextManager[object]) -> None:
        self.states = states
        self._step_lock = step_lock
        self._blocks_lock = threading.Lock()  # a text that takes several steps keeps its blocks from one to the next

    def embed(
        self,
        token_lists: Sequence[Sequence[int]],
        pooling: Pooling,
        before_step: Callable[[], None] = lambda: None,
    ) -> F32:
        """(n, width). A row depends on its own tokens alone, to the last bit. before_step may raise, which ends it."""
        vectors = np.empty((len(token_lists), self.states.width), np.float32)
        texts = [_Text(i, tokens, Pool(pooling, len(tokens))) for i, tokens in enumerate(token_lists)]
        limits = self.states.limits
        for batch in batches(texts, limits.max_tokens, limits.max_sequences):
            with self._blocks_lock:
                while batch[0].start < len(batch[0].tokens):
                    before_step()
                    self._step(batch)
            for text in batch:
                vectors[text.index] = text.pool.vector()
        return vectors

    def _step(self, texts: Sequence[_Text]) -> None:
        """Texts whole, or the next part of a single one."""
        limits = self.states.limits
        most = max(len(text.tokens) for text in texts)
        stride = -(-most // limits.block_size)
        token_ids, positions, sequences, rows, tables = (array("i") for _ in range(5))
        wanted: list[range] = []
        block = 0
        for number, text in enumerate(texts):
            end = min(len(text.tokens), text.start + limits.max_tokens)
            first_row = len(token_ids) - text.start
            token_ids.extend(text.tokens[text.start : end])
            positions.extend(range(text.start, end))
            sequences.extend([number] * (end - text.start))
            wanted.append(text.pool.wants(text.start, end))
            rows.extend(range(first_row + wanted[-1].start, first_row + max(wanted[-1].stop, wanted[-1].start)))
            num_blocks = -(-len(text.tokens) // limits.block_size)
            tables.extend(range(block, block + num_blocks))
            tables.extend([-1] * (stride - num_blocks))
            block += num_blocks
            text.start = end
        with self._step_lock:
            view = self.states.step(Batch(token_ids, positions, sequences, tables, stride, rows))
            states = np.frombuffer(view, np.float32).reshape(len(rows), self.states.width)
            at = 0
            for text, positions_wanted in zip(texts, wanted, strict=True):
                text.pool.add(states[at : at + len(positions_wanted)])
                at += len(positions_wanted)


def batches(texts: Sequence[_Text], max_tokens: int, max_sequences: int) -> Iterator[list[_Text]]:
    """Texts for a step each: the longest that is left, those after it while they fit, then the shortest. One that is
    longer than a step stands alone."""
    left = deque(sorted(texts, key=lambda text: len(text.tokens), reverse=True))
    while left:
        chosen = [left.popleft()]
        room = max_tokens - len(chosen[0].tokens)
        while left and len(chosen) < max_sequences and len(left[-1].tokens) <= room:
            chosen.append(left.popleft() if len(left[0].tokens) <= room else left.pop())
            room -= len(chosen[-1].tokens)
        yield chosen
