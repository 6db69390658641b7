"""What runs on the CPU beside the graphs: the embedding, the final norm and head, and outlier channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, RequestError
from edge.npu.manifest import HEAD, HOST_WEIGHTS, Manifest, Shadow
from edge.npu.providers import Provider, open_session

__all__ = ["BLOCK", "Host", "padded"]

BLOCK = 32  # columns with one scale
_ZERO = 128  # of 8-bit codes, as MatMulNBits has it where none is given


def padded(width: int) -> int:
    """Columns as they are stored."""
    return -(-width // BLOCK) * BLOCK


class Host:
    """host.bin stays mapped; the head's session maps it too."""

    def __init__(self, folder: Path, manifest: Manifest, *, threads: int = 1) -> None:
        self._manifest = manifest
        self._path = folder / HOST_WEIGHTS
        self._bytes: NDArray[np.uint8] = np.memmap(self._path, np.uint8, "r")
        rows, columns = manifest.vocab_size, padded(manifest.hidden_size)
        codes, scales = manifest.embedding
        self._codes = self._part(codes, rows * columns).reshape(rows, columns)
        self._scales: NDArray[np.float32] = (
            self._part(scales, 4 * rows * columns // BLOCK).view("<f4").reshape(rows, -1)
        )
        self._shadows: dict[str, NDArray[np.float32]] = {
            shadow.output: self._part(shadow.offset, 4 * shadow.out * len(shadow.channels))
            .view("<f4")
            .reshape(shadow.out, -1)
            for shadow in manifest.shadows
        }
        self._head: Any = open_session(folder / HEAD, Provider("cpu"), threads=threads)

    def embed(self, token_ids: Sequence[int]) -> NDArray[np.float32]:
        """(tokens, hidden_size). RequestError: no such token."""
        ids = np.asarray(token_ids, np.int64)
        if ids.size and not 0 <= ids.min() <= ids.max() < self._manifest.vocab_size:
            raise RequestError(f"token ids must lie from 0 to {self._manifest.vocab_size - 1}")
        codes = self._codes[ids].astype(np.float32) - np.float32(_ZERO)
        values = codes.reshape(len(ids), -1, BLOCK) * self._scales[ids][:, :, None]
        rows: NDArray[np.float32] = values.reshape(len(ids), -1)[:, : self._manifest.hidden_size]
        return rows * np.float32(self._manifest.embedding_scale)

    def logits(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        """hidden (rows, hidden_size) as the last layer leaves it -> (rows, vocab_size)."""
        result: NDArray[np.float32] = self._head.run(None, {"hidden": np.ascontiguousarray(hidden)})[0]
        return result

    def shadow(self, shadow: Shadow, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What an NPU cut off from `values` (..., width), times the columns it was cut off from."""
        over, limit = values[..., list(shadow.channels)], np.float32(shadow.limit)
        over = over - np.clip(over, -limit, limit)
        return np.asarray(over @ self._shadows[shadow.output].T, np.float32)

    def _part(self, offset: int, size: int) -> NDArray[np.uint8]:
        if offset % 4 or offset + size > len(self._bytes):
            raise BadModelFile(self._path, f"bytes {offset} to {offset + size} of {len(self._bytes)}")
        return self._bytes[offset : offset + size]
