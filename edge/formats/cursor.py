"""Reads little-endian fields from the window of a file that may hold metadata; every length is checked first."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NoReturn

from edge.errors import BadModelFile

__all__ = ["MAX_HEADER_BYTES", "Cursor", "quoted"]

# Metadata and tensor table lie in this window. The largest known headers (a 262k vocabulary with merges) take 16 MiB.
MAX_HEADER_BYTES = 128 * 2**20

_PIECE = 2**20

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class Cursor:
    """A position in the header of `path`; `offset` only moves forward over bytes that exist."""

    def __init__(self, path: Path, view: memoryview, file_size: int | None = None) -> None:
        self.path = path
        self.file_size = len(view) if file_size is None else file_size
        self.window = view[:MAX_HEADER_BYTES]
        self.end = len(self.window)
        self.offset = 0

    def fail(self, message: str, offset: int | None = None) -> NoReturn:
        """Raise BadModelFile naming the byte offset (of the current position unless given)."""
        raise BadModelFile(self.path, f"byte {self.offset if offset is None else offset}: {message}")

    @property
    def remaining(self) -> int:
        return self.end - self.offset

    def need(self, num_bytes: int, what: str) -> None:
        """Fail unless `num_bytes` more bytes lie in the window."""
        if num_bytes > self.end - self.offset:
            self.fail(f"{what} needs {num_bytes} bytes, only {self.limit_text()}")

    def limit_text(self) -> str:
        """The bytes that remain, and what ends them."""
        if self.end < self.file_size:
            return f"{self.remaining} remain of the {MAX_HEADER_BYTES} bytes that metadata may take"
        return f"{self.remaining} remain of the file's {self.file_size} bytes"

    def u32(self, what: str) -> int:
        self.need(4, what)
        value: int = _U32.unpack_from(self.window, self.offset)[0]
        self.offset += 4
        return value

    def u64(self, what: str) -> int:
        self.need(8, what)
        value: int = _U64.unpack_from(self.window, self.offset)[0]
        self.offset += 8
        return value

    def text(self, what: str, max_bytes: int) -> str:
        """A string: its length as u64, then UTF-8. Fails when empty, longer than `max_bytes`, or not UTF-8."""
        start = self.offset
        length = self.u64(f"length of {what}")
        if length == 0:
            self.fail(f"{what} is empty", start)
        if length > max_bytes:
            self.fail(f"{what} has length {length}, the limit is {max_bytes}", start)
        self.need(length, what)
        return self.decode(length, what)

    def skip_text(self, length: int, what: str) -> None:
        """Step over `length` bytes, which must exist and be UTF-8. A long text is never decoded as a whole."""
        end = self.offset + length
        while self.offset < end:
            stop = min(end, self.offset + _PIECE)
            for _ in range(3):  # do not cut a character: at most three bytes continue one
                if stop < end and self.window[stop] & 0xC0 == 0x80:
                    stop -= 1
            self.decode(stop - self.offset, what)

    def decode(self, length: int, what: str) -> str:
        """The next `length` bytes, which must exist, as UTF-8."""
        try:
            text = str(self.window[self.offset : self.offset + length], "utf-8")
        except UnicodeDecodeError as error:
            byte = self.window[self.offset + error.start]
            self.fail(f"{what} is not UTF-8 (byte 0x{byte:02x}: {error.reason})", self.offset + error.start)
        self.offset += length
        return text


def quoted(text: str, limit: int = 80) -> str:
    """`text` as one printable line for an error message, cut after `limit` characters."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}..."
