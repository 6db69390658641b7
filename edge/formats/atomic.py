"""Writes a file so that its name holds the old content or the new, never half of one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edge.errors import DoesNotFit

__all__ = ["atomic_file", "atomic_folder", "remove_orphans", "scratch_folder", "sync_folder"]

_MAX_NAME = 100  # characters of the final name in the temporary one
_ORPHAN_SECONDS = 60.0  # a temporary file that was just created may not be locked yet


@contextmanager
def atomic_file(path: Path, num_bytes: int, *, through_links: bool = True) -> Generator[BinaryIO]:
    """A file to write `num_bytes` to; it takes the name `path` when the block ends without an error.

    Until then it is a temporary file in the same folder, removed when the block fails. through_links: when `path` is a
    symbolic link, what it points to is written; otherwise the link itself is replaced. Raises DoesNotFit when the file
    system has less space free, OSError when writing fails.
    """
    path = Path(os.path.realpath(path)) if through_links else path
    space = os.statvfs(path.parent)
    free = space.f_bavail * space.f_frsize
    if num_bytes > free:
        raise DoesNotFit(f"{path}: writing takes {num_bytes} bytes, the file system has {free} free")
    temporary = path.parent / f"{_prefix(path)}{os.urandom(6).hex()}.part"
    try:
        with open(temporary, "xb") as file:
            with suppress(OSError):  # a file system without locks: then nobody can tell an orphan
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if through_links and path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)  # while it is locked: until then it must not look like an orphan
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def scratch_folder(path: Path) -> Generator[Path]:
    """A folder beside `path` for what is needed while it is made; gone, with what is in it, when the block ends."""
    folder = path.parent / f"{_prefix(path)}{os.urandom(6).hex()}.part"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # as above
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_folder(path: Path, num_bytes: int) -> Generator[Path]:
    """A folder to write `num_bytes` to; it takes the name `path` when the block ends without an error.

    A folder of that name is replaced then. Raises DoesNotFit when the file system has less space free, OSError when
    writing fails.
    """
    path = Path(os.path.realpath(path))
    space = os.statvfs(path.parent)
    free = space.f_bavail * space.f_frsize
    if num_bytes > free:
        raise DoesNotFit(f"{path}: writing takes {num_bytes} bytes, the file system has {free} free")
    with scratch_folder(path) as scratch:
        new = scratch / "new"
        new.mkdir()
        yield new
        for entry in new.iterdir():
            with entry.open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(new)
        if path.exists():
            os.replace(path, scratch / "old")
        os.replace(new, path)
    sync_folder(path.parent)


def remove_orphans(path: Path) -> None:
    """Removes temporary files and folders of writers of `path` that were killed.

    Those that are being written are locked, and stay. What cannot be looked at or removed stays too.
    """
    with suppress(OSError):
        for entry in os.scandir(path.parent):
            if entry.name.startswith(_prefix(path)) and entry.name.endswith(".part"):
                _remove_orphan(entry.path)


def _prefix(path: Path) -> str:
    return f".{path.name[:_MAX_NAME]}."


def _remove_orphan(temporary: str) -> None:
    with suppress(OSError):
        descriptor = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(descriptor).st_mtime > _ORPHAN_SECONDS:
                if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    shutil.rmtree(temporary)
                else:
                    os.unlink(temporary)
        finally:
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the new name durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
