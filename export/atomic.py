"""Writes a file so that its name holds the old content or the new, never half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge.errors import DoesNotFit

__all__ = ["atomic_file"]


@contextmanager
def atomic_file(path: Path, num_bytes: int) -> Generator[BinaryIO]:
    """A file to write `num_bytes` to; it takes the name `path` when the block ends without an error.

    Until then it is a temporary file in the same folder, removed when the block fails. A symbolic link is written
    through. Raises DoesNotFit when the file system has less space free, OSError when writing fails.
    """
    path = Path(os.path.realpath(path))
    space = os.statvfs(path.parent)
    free = space.f_bavail * space.f_frsize
    if num_bytes > free:
        raise DoesNotFit(f"{path}: writing takes {num_bytes} bytes, the file system has {free} free")
    temporary = path.parent / f".{path.name[:100]}.{secrets.token_hex(6)}.part"
    try:
        with open(temporary, "xb") as file:
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
