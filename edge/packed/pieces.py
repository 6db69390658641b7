"""Reads a stretch of a file into memory."""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import BadModelFile, ModelFileError

__all__ = ["read_into"]


def read_into(path: Path, descriptor: int, offset: int, target: memoryview) -> None:
    """Fills `target` with the file's bytes from `offset` on. Raises BadModelFile when the file ends before that,
    ModelFileError when reading fails."""
    while target:
        try:
            count = os.preadv(descriptor, [target], offset)
        except OSError as error:
            raise ModelFileError(path, f"byte {offset}: cannot be read: {error.strerror}") from error
        if count == 0:
            raise BadModelFile(path, f"byte {offset}: the file ends here, {len(target)} bytes were to follow")
        offset += count
        target = target[count:]
