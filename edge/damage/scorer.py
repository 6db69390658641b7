"""Logits at every position of a window, by the engine that runs the file, some rows at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.backends import Batch, Limits

__all__ = ["log_softmax", "rows_for", "window_logits"]

_MAX_ROWS, _MIN_ROWS = 128, 16
_MAX_LOGITS = 2**22  # of a step: 32 MiB as float64


class _Steps(Protocol):
    """What is asked of a backend."""

    @property
    def limits(self) -> Limits: ...

    def step(self, batch: Batch) -> memoryview[float]: ...


def rows_for(vocab_size: int) -> int:
    """Positions of a step, so that memory stays bounded whatever the vocabulary."""
    return max(_MIN_ROWS, min(_MAX_ROWS, _MAX_LOGITS // vocab_size))


def window_logits(backend: _Steps, window: Sequence[int], rows: int) -> Iterator[npt.NDArray[np.float32]]:
    """(at most `rows`, vocabulary) at a time: the logits behind each token. Each is valid until the next is asked for.

    The backend must allow `rows` logits in a step, and positions for the window.
    """
    table = array("i", range(-(-len(window) // backend.limits.block_size)))
    for start in range(0, len(window), rows):
        part = window[start : start + rows]
        logits = backend.step(
            Batch(
                token_ids=array("i", part),
                positions=array("i", range(start, start + len(part))),
                sequences=array("i", [0] * len(part)),
                block_tables=table,
                table_stride=len(table),
                logit_rows=array("i", range(len(part))),
                window_tables=table if backend.limits.window else None,
            )
        )
        yield np.asarray(logits, np.float32).reshape(len(part), -1)


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(rows, vocabulary) natural logarithms of probabilities."""
    rows = logits.astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return rows
