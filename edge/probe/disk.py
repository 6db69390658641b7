"""How fast files are read from the disk, not from the page cache."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.probe.proof import proof, rounded
from edge.probe.tasks import Clock, Part, Task
from edge.profiles.records import Disk

_PIECE = 8 << 20
_MOST = 256 << 20  # bytes to write and to read
_LEAST = 16 << 20
_MAX_NAME = 100


def disk_part(folder: Path, file: Path | None, seconds: float, clock: Clock) -> Part:
    """Reads `file`, or a file that is written to `folder` for it."""
    return Part([Task("reading from the disk", lambda: disk_record(folder, file, seconds, clock))], seconds)


def disk_record(folder: Path, file: Path | None, seconds: float, clock: Clock) -> Disk:
    """OSError: the file cannot be written or read."""
    if file is not None and file.stat().st_size >= _LEAST:
        return _read(file, seconds / 2, clock)
    with _written(folder, seconds / 2, clock) as path:
        return _read(path, seconds / 2, clock)


@contextmanager
def _written(folder: Path, seconds: float, clock: Clock) -> Generator[Path]:
    """A file on the disk, as large as time allows."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as file:
        started_at, size = clock(), 0
        while size < _LEAST or (size < _MOST and clock() - started_at < seconds):
            file.write(os.urandom(_PIECE))  # a disk that compresses gains nothing
            file.flush()
            os.fsync(file.fileno())
            size += _PIECE
        yield Path(file.name)


def _read(path: Path, seconds: float, clock: Clock) -> Disk:
    descriptor, direct = _open(path)
    try:
        method = "O_DIRECT"
        if not direct:
            method = "through the page cache, which may hold some of it: no O_DIRECT here"
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                method = "through the page cache, emptied of it by posix_fadvise: no O_DIRECT here"
        size = path.stat().st_size // _PIECE * _PIECE
        with mmap.mmap(-1, _PIECE) as piece:  # at a page boundary, as O_DIRECT wants it
            started_at, done = clock(), 0
            while done < min(size, _MOST):
                count = os.readv(descriptor, [piece])
                if count == 0:
                    break
                done += count
                if clock() - started_at >= seconds:
                    break
            taken = max(clock() - started_at, 1e-9)
    finally:
        os.close(descriptor)
    return Disk(
        name=disk_name(path),
        read_mb_s=rounded(done / 1e6 / taken),
        evidence=proof(f"{done >> 20} MiB in pieces of 8 MiB, one after the other, {method}"),
    )


def _open(path: Path) -> tuple[int, bool]:
    """(descriptor, whether reads go past the page cache)."""
    flag = getattr(os, "O_DIRECT", 0)
    if flag:
        with suppress(OSError):  # tmpfs, overlays and some network file systems refuse it
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | flag), True
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC), False


def disk_name(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """File system and device that hold the path."""
    best, name = -1, "unknown file system"
    real = os.path.realpath(path)
    with suppress(OSError):
        for line in mounts.read_text(errors="replace").splitlines():
            fields = line.split()
            if len(fields) < 3:
                continue
            device, place, kind = fields[:3]
            inside = real == place or real.startswith(place.rstrip("/") + "/")
            if inside and len(place) >= best:
                best, name = len(place), f"{kind} on {device}"
    return "".join(c for c in name if c.isprintable())[:_MAX_NAME].strip() or "unknown file system"
