"""Steps of one sequence with given tokens, and choices whose random numbers anyone can make again."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge.backends import Backend, Batch
from edge.errors import RequestError

__all__ = ["F32", "F64", "Forced", "gumbel", "log_softmax"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


class Forced:
    """Feeds tokens to a backend that nothing else uses meanwhile; its first block or slot is overwritten."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._limits = backend.limits
        self._most = self._limits.max_logits or self._limits.max_sequences
        self._table = array("i", range(-(-self._limits.context // self._limits.block_size)))
        self._num_positions = 0

    def feed(self, tokens: Sequence[int], *, all_logits: bool) -> F32:
        """(tokens or 1, vocabulary): the logits behind each token, or behind the last. RequestError: too long."""
        if self._num_positions + len(tokens) > self._limits.context:
            raise RequestError(f"{len(tokens)} tokens do not fit in a context of {self._limits.context}")
        size = min(self._most, self._limits.max_tokens) if all_logits else self._limits.max_tokens
        found: list[F32] = []
        for start in range(0, len(tokens), size):
            part = tokens[start : start + size]
            wanted = range(len(part)) if all_logits else range(len(part) - 1, len(part))
            logits = self._step(part, wanted if all_logits or start + size >= len(tokens) else range(0))
            if len(logits):
                found.append(logits)
        return np.concatenate(found)

    def _step(self, tokens: Sequence[int], wanted: range) -> F32:
        first = self._num_positions
        window = None
        if self._limits.window:
            places = self._limits.num_window_blocks
            unseen = max(0, first - self._limits.window + 1) // self._limits.block_size
            window = array("i", [*[-1] * unseen, *(place % places for place in range(unseen, len(self._table)))])
        logits = self._backend.step(
            Batch(
                token_ids=array("i", tokens),
                positions=array("i", range(first, first + len(tokens))),
                sequences=array("i", bytes(4 * len(tokens))),
                block_tables=self._table,
                table_stride=len(self._table),
                logit_rows=array("i", wanted),
                window_tables=window,
            )
        )
        self._num_positions += len(tokens)
        return np.array(logits, np.float32).reshape(len(wanted), self._limits.vocab_size)


def log_softmax(logits: F32) -> F64:
    """(rows, vocabulary) natural logarithms of probabilities."""
    rows = logits.astype(np.float64)
    rows -= rows.max(axis=-1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(axis=-1, keepdims=True))
    return rows


def gumbel(seed: int, position: int, vocab_size: int) -> F64:
    """(vocab_size,) Gumbel noise of a position: the likeliest token with temperature times it added is a sample of the
    softmax, and small errors of logits seldom change which one that is (Token-DiFR).

    Made of the raw numbers of Philox 4x64-10 with the key (seed, position), which no version of NumPy changes.
    """
    raw = np.random.Philox(key=np.array([seed, position], np.uint64)).random_raw(vocab_size)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    noise: F64 = -np.log(-np.log(uniform))
    return noise
