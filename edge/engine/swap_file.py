"""KV blocks on the disk: slots of an unlinked temporary file, which nobody else can open and no crash leaves behind."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_LEFT_TO_OTHERS = 256 * 2**20  # bytes of the disk that are never taken


class SwapFile:
    """Slots of slot_bytes, at most max_slots, in the first of `folders` that can be written.

    The file is made when the first slot is written, and never longer than its last slot in use. Every method but `free`
    and `close` may raise OSError: nothing was kept then, or it cannot be read again.
    """

    def __init__(self, folders: Iterable[Path], slot_bytes: int, max_slots: int) -> None:
        self._folders = tuple(folders)
        self._slot_bytes = slot_bytes
        self._max_slots = max_slots
        self._file: int | None = None
        self._used: dict[int, int] = {}  # slot -> CRC-32 of its content

    @property
    def num_used(self) -> int:
        return len(self._used)

    @property
    def num_bytes(self) -> int:
        """Length of the file."""
        return 0 if self._file is None else os.fstat(self._file).st_size

    def write(self, contents: Iterable[bytes | bytearray]) -> list[int]:
        """Writes each content to a slot of its own, and returns the slots in order."""
        slots: list[int] = []
        try:
            for content in contents:
                slots.append(self._take())
                self._write_slot(slots[-1], content)
        except OSError:
            self.free(slots)
            raise
        return slots

    def read(self, slot: int) -> bytes:
        """What was written; OSError also when that was damaged."""
        assert self._file is not None
        content = bytearray()
        start = slot * self._slot_bytes
        while len(content) < self._slot_bytes:
            piece = os.pread(self._file, self._slot_bytes - len(content), start + len(content))
            if not piece:
                raise OSError(f"the swap file ends inside slot {slot}")
            content += piece
        if zlib.crc32(content) != self._used[slot]:
            raise OSError(f"slot {slot} of the swap file does not hold what was written")
        return bytes(content)

    def free(self, slots: Iterable[int]) -> None:
        """Gives slots back, and to the disk what lies behind the last that is in use."""
        for slot in slots:
            del self._used[slot]
        if self._file is not None:
            with suppress(OSError):  # it is shortened the next time
                os.ftruncate(self._file, self._slot_bytes * (max(self._used, default=-1) + 1))

    def close(self) -> None:
        """Allowed twice."""
        self._used.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self) -> int:
        if len(self._used) >= self._max_slots:
            raise OSError(f"the swap file has its {self._max_slots} blocks in use")
        slot = next(slot for slot in range(len(self._used) + 1) if slot not in self._used)
        self._used[slot] = 0
        return slot

    def _write_slot(self, slot: int, content: bytes | bytearray) -> None:
        if self._file is None:
            self._file = _open_unlinked(self._folders)
        disk = os.fstatvfs(self._file)
        if disk.f_bavail * disk.f_frsize < self._slot_bytes + _LEFT_TO_OTHERS:
            raise OSError(f"swapping would leave less than {_LEFT_TO_OTHERS >> 20} MiB of the disk")
        self._used[slot] = zlib.crc32(content)
        rest = memoryview(content)
        start = slot * self._slot_bytes
        while rest:
            written = os.pwrite(self._file, rest, start)
            rest, start = rest[written:], start + written


def _open_unlinked(folders: Iterable[Path]) -> int:
    problems: list[str] = []
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(prefix="edge-swap-", dir=folder) as file:
                return os.dup(file.fileno())
        except OSError as error:
            problems.append(str(error))
    raise OSError("; ".join(problems) or "no folder to swap to")
