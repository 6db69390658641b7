"""Reads a stretch of a file into memory, in large pieces and by several threads."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from edge.errors import BadModelFile, EdgeError, ModelFileError

__all__ = ["read_into"]

PIECE_BYTES = 32 * 2**20


def read_into(path: Path, descriptor: int, offset: int, target: memoryview, num_threads: int) -> None:
    """Fills `target` with the file's bytes from `offset` on. Raises BadModelFile when the file ends before that,
    ModelFileError when reading fails."""
    errors: list[EdgeError] = []
    pieces = iter([(start, target[start : start + PIECE_BYTES]) for start in range(0, len(target), PIECE_BYTES)])
    lock = threading.Lock()

    def work() -> None:
        while not errors:
            with lock:
                start, piece = next(pieces, (0, None))
            if piece is None:
                return
            try:
                _read_piece(path, descriptor, offset + start, piece)
            except EdgeError as error:
                errors.append(error)

    helpers = [
        threading.Thread(target=work, daemon=True) for _ in range(min(num_threads, -(-len(target) // PIECE_BYTES)) - 1)
    ]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]


def _read_piece(path: Path, descriptor: int, offset: int, target: memoryview) -> None:
    while target:
        try:
            count = os.preadv(descriptor, [target], offset)
        except OSError as error:
            raise ModelFileError(path, f"byte {offset}: cannot be read: {error.strerror}") from error
        if count == 0:
            raise BadModelFile(path, f"byte {offset}: the file ends here, {len(target)} bytes were to follow")
        target = target[count:]
        offset += count
