"""Our logits for a prompt, one row per token."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.backends import Batch
from edge.backends.native import NativeBackend
from edge.backends.protocol import Limits
from edge.formats.gguf import open_gguf
from edge.native import BLOCK_SIZE


def logits(path: Path, tokens: list[int]) -> npt.NDArray[np.float32]:
    """(tokens, vocabulary): token by token over f16 KV. Chunks give the same bits, which tests/backends proves."""
    with open_gguf(path) as file:
        backend = NativeBackend(file, context=len(tokens), num_threads=2, kv_type="f16")
    blocks = array("i", range(backend.limits.num_blocks))
    windowed = backend.limits.window > 0
    rows: list[npt.NDArray[np.float32]] = []
    try:
        for position, token in enumerate(tokens):
            step = Batch(
                token_ids=array("i", [token]),
                positions=array("i", [position]),
                sequences=array("i", [0]),
                block_tables=blocks,
                table_stride=len(blocks),
                logit_rows=array("i", [0]),
                window_tables=_window_table(backend.limits, position, len(blocks)) if windowed else None,
            )
            rows.append(np.array(backend.step(step), np.float32))
    finally:
        backend.close()
    return np.stack(rows)


def _window_table(limits: Limits, position: int, size: int) -> array[int]:
    """The blocks that a token sees, in turn; -1 for what lies behind and before."""
    first, last = max(0, position - limits.window + 1) // BLOCK_SIZE, position // BLOCK_SIZE
    return array("i", [i % limits.num_window_blocks if first <= i <= last else -1 for i in range(size)])
