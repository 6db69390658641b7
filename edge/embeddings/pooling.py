"""From the states of a text's tokens to one vector, with the same bits however the text was cut or batched.

Sums run in the order of the positions, elements and squares in fixed lanes; NumPy only adds, multiplies, divides and
takes roots element by element.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.formats.config import Pooling

__all__ = ["F32", "Pool", "normalized"]

F32 = NDArray[np.float32]
_LANES = 16


class Pool:
    """The embedding of one text while its states come."""

    def __init__(self, pooling: Pooling, num_tokens: int) -> None:
        self._pooling = pooling
        self._num_tokens = num_tokens
        self._state: F32 | None = None  # a token's state, or the sum so far

    def wants(self, start: int, end: int) -> range:
        """Which of the positions start .. end - 1 it needs the states of."""
        if self._pooling == "mean":
            return range(start, end)
        if self._pooling == "cls":
            return range(start, min(end, 1))
        return range(max(start, self._num_tokens - 1), end)

    def add(self, states: F32) -> None:
        """States (count, width) of what it wants, in order of positions; they are copied."""
        if not len(states):
            return
        if self._pooling == "mean":
            # Over rows that lie one behind the other NumPy adds row after row (`accumulate` promises it, and takes 60
            # times as long); tests/embeddings/test_pooling.py holds it to that.
            rows = states if self._state is None else np.vstack((self._state, states))
            self._state = np.add.reduce(rows, axis=0)
        else:
            self._state = states[-1].copy()

    def vector(self) -> F32:
        """(width,), when all states have come."""
        assert self._state is not None
        return self._state / np.float32(self._num_tokens) if self._pooling == "mean" else self._state


def normalized(vectors: F32) -> F32:
    """(n, width) with rows of length 1; rows of zeros stay."""
    count, width = vectors.shape
    padded = np.pad(vectors, ((0, 0), (0, -width % _LANES))).reshape(count, -(-width // _LANES), _LANES)
    lanes = np.zeros((count, _LANES), np.float32)
    for i in range(padded.shape[1]):
        lanes = lanes + padded[:, i] * padded[:, i]
    half = _LANES
    while half > 1:
        half //= 2
        lanes = lanes[:, :half] + lanes[:, half : 2 * half]
    lengths: F32 = np.sqrt(lanes)
    lengths[lengths == 0.0] = 1.0
    result: F32 = vectors / lengths
    return result
