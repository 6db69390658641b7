"""A control group that limits memory, for a process that is measured. Needs root, or a folder that is writable."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_numbers = itertools.count()


class MemoryGroup:
    """Version 1 or 2, whichever the parent is; made at once, removed at the end, when it must be empty. `join` is
    for `preexec_fn` of subprocess. OSError where it cannot be made."""

    def __init__(self, parent: Path, num_bytes: int) -> None:
        self._folder = parent / f"edge-{os.getpid()}-{next(_numbers)}"
        self._folder.mkdir()
        version_1 = self._folder / "memory.limit_in_bytes"
        (version_1 if version_1.exists() else self._folder / "memory.max").write_text(str(num_bytes))

    def join(self) -> None:
        """Puts the calling process into the group: what it allocates from now on is counted there."""
        (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.rmdir()


def find_parent() -> Path | None:
    """Where this process may make one."""
    for parent in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")):
        if (parent / "cgroup.procs").exists():
            try:
                with MemoryGroup(parent, 2**40):
                    return parent
            except OSError:
                continue
    return None


def forget_pages(*paths: Path) -> None:
    """Drops what the page cache holds of the files: pages that are there already are not counted against a group."""
    for path in paths:
        if path.exists():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
