"""Which version of a model's files a packed file was made from."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Self

from edge.errors import ModelFileError
from edge.formats.gguf import GGUFFile

__all__ = ["SourceHash", "SourceStamp", "check_unchanged"]

_PIECE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """What tells one version of a model's files from another without reading the weights. A value for each part."""

    sizes: tuple[int, ...]  # bytes
    mtimes: tuple[int, ...]  # nanoseconds
    inodes: tuple[int, ...]
    header_hash: str  # SHA-256 of everything before the tensors, in all parts

    @classmethod
    def of(cls, file: GGUFFile) -> SourceStamp:
        digest = hashlib.sha256()
        for index, part in enumerate(file.mapped_parts):
            starts = (info.offset for info in file.tensors.values() if info.part == index)
            digest.update(part.view[: min(starts, default=part.size)])
        states = [part.status for part in file.mapped_parts]
        return cls(
            tuple(state.st_size for state in states),
            tuple(state.st_mtime_ns for state in states),
            tuple(state.st_ino for state in states),
            digest.hexdigest(),
        )

    def difference(self, other: SourceStamp) -> str | None:
        """The first field in which they differ, with both values; None when they are equal."""
        for field in fields(self):
            mine, others = getattr(self, field.name), getattr(other, field.name)
            if mine != others:
                return f"{field.name.replace('_', ' ')} {_text(mine)}, the model has {_text(others)}"
        return None


def check_unchanged(file: GGUFFile) -> None:
    """Raises ModelFileError when a part was written to since it was opened, OSError when its name means no file or
    another one by now (what is mapped is then whole, but nothing to keep)."""
    for part in file.mapped_parts:
        now, then = os.stat(part.path), part.status
        if (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino):
            raise FileNotFoundError(0, f"{part.path} was replaced while it was packed")
        if (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            raise ModelFileError(part.path, "was written to while it was packed; load it again")


class SourceHash:
    """SHA-256 of every part, what hubs publish, computed in a thread of its own while the weights are packed.

    A context manager: leaving it ends the thread.
    """

    def __init__(self, file: GGUFFile) -> None:
        self._parts = file.mapped_parts
        self._digests: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edge-source-hash", daemon=True)

    def result(self) -> tuple[str, ...]:
        """Waits for the end."""
        self._thread.join()
        return tuple(self._digests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        for part in self._parts:
            digest = hashlib.sha256()
            for start in range(0, part.size, _PIECE_BYTES):
                if self._stopped.is_set():
                    return
                digest.update(part.view[start : start + _PIECE_BYTES])
                part.let_go(start, min(_PIECE_BYTES, part.size - start))
            self._digests.append(digest.hexdigest())


def _text(value: tuple[int, ...] | str) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)[:16]
