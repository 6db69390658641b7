"""What runs on the CPU beside the graphs: the embedding, the final norm and head, and outlier channels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx.providers import CPU, Provider
from edge.backends.onnx.session import Placement, open_session
from edge.errors import BadModelFile, ModelFileError, NumericalError, RequestError
from edge.npu.folder import NpuFolder
from edge.npu.manifest import HOST_WEIGHTS, Shadow

__all__ = ["BLOCK", "Host", "padded"]

BLOCK = 32  # columns with one scale
_ZERO = 128  # of 8-bit codes, as MatMulNBits has it where none is given


def padded(width: int) -> int:
    """Columns as they are stored."""
    return -(-width // BLOCK) * BLOCK


class Host:
    """Rows of the embedding are read from host.bin when they are asked for: a file cut short is an error, not a fault.
    The head's session maps it; has_head False: there is none. BadModelFile: it is shorter than npu.json says, or holds
    no numbers."""

    def __init__(self, ort: Any, folder: NpuFolder, num_threads: int, *, has_head: bool = True) -> None:
        manifest = self._manifest = folder.manifest
        mapped = folder.folder.map(HOST_WEIGHTS, folder.path)
        self._path, self._size = mapped.path, mapped.size
        mapped.close()
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self._columns = padded(manifest.hidden_size)
            codes, scales = manifest.embedding
            self._check(codes, manifest.vocab_size * self._columns)
            self._check(scales, 4 * manifest.vocab_size * self._columns // BLOCK)
            self._shadows = {shadow.output: self._columns_of(shadow) for shadow in manifest.shadows}
            self._head: Any = None
            self.placement: Placement | None = None
            if has_head:  # the CPU's by design: fused as the runtime likes
                self._head, self.placement = open_session(
                    ort, folder.head.path, Provider(CPU), num_threads, strict=False
                )
                folder.head.require_unchanged()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def path(self) -> Path:
        return self._path

    def embed(self, token_ids: Sequence[int]) -> NDArray[np.float32]:
        """(tokens, hidden_size). RequestError: no such token. ModelFileError: the file became shorter. NumericalError:
        its rows are no numbers."""
        if any(not 0 <= token < self._manifest.vocab_size for token in token_ids):
            raise RequestError(f"token ids must lie from 0 to {self._manifest.vocab_size - 1}")
        codes_at, scales_at = self._manifest.embedding
        blocks = self._columns // BLOCK
        codes = b"".join(self._read(codes_at + token * self._columns, self._columns) for token in token_ids)
        scales = b"".join(self._read(scales_at + token * 4 * blocks, 4 * blocks) for token in token_ids)
        values = np.frombuffer(codes, np.uint8).reshape(-1, blocks, BLOCK).astype(np.float32) - np.float32(_ZERO)
        with np.errstate(invalid="ignore", over="ignore"):
            values *= np.frombuffer(scales, "<f4").reshape(-1, blocks, 1)
            values *= np.float32(self._manifest.embedding_scale)
        rows: NDArray[np.float32] = values.reshape(len(token_ids), -1)[:, : self._manifest.hidden_size]
        if not np.isfinite(rows).all():  # no code stands for it
            raise NumericalError(f"{self._path} holds embeddings that are not finite")
        return rows

    def logits(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        """hidden (rows, hidden_size) as the last layer leaves it -> (rows, vocab_size). RequestError: no head."""
        if self._head is None:
            raise RequestError("the folder was opened without its head, to read prompts for another engine")
        result: NDArray[np.float32] = self._head.run(None, {"hidden": np.ascontiguousarray(hidden)})[0]
        return result

    def shadow(self, shadow: Shadow, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What an NPU cut off from `values` (..., width), times the columns it was cut off from."""
        over, limit = values[..., list(shadow.channels)], np.float32(shadow.limit)
        over = over - np.clip(over, -limit, limit)
        return np.asarray(over @ self._shadows[shadow.output].T, np.float32)

    def close(self) -> None:
        """Allowed twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file, self._head = -1, None

    def _columns_of(self, shadow: Shadow) -> NDArray[np.float32]:
        size = 4 * shadow.out * len(shadow.channels)
        self._check(shadow.offset, size)
        columns = np.frombuffer(self._read(shadow.offset, size), "<f4").reshape(shadow.out, -1)
        if not np.isfinite(columns).all():
            raise BadModelFile(self._path, f"the columns beside {shadow.output} are not finite")
        return columns

    def _check(self, offset: int, size: int) -> None:
        if offset % 4 or offset + size > self._size:
            raise BadModelFile(self._path, f"bytes {offset} to {offset + size} of {self._size}")

    def _read(self, offset: int, size: int) -> bytes:
        data = os.pread(self._file, size, offset)
        if len(data) != size:
            raise ModelFileError(self._path, "became shorter since it was opened")
        return data
