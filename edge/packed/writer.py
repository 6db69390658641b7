"""Writes a packed file: matrices as they come, then the header, then the footer that makes it valid."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from edge.packed.layout import ALIGNMENT, FOOTER, Contents, PackedLayout

__all__ = ["PackedWriter"]

WRITE_BYTES = 8 * 2**20  # at multiples of itself: from 2 MiB on the system can hold a file in large pages


class PackedWriter:
    """Fills a new file of `layout`: `add` for each matrix in turn, then `finish`. OSError when writing fails."""

    def __init__(self, file: BinaryIO, layout: PackedLayout) -> None:
        self._file = file
        self._layout = layout
        self._pending = bytearray()
        self._checksums: list[int] = []
        file.seek(layout.header_bytes)

    def add(self, packed: memoryview) -> None:
        """The bytes of the next matrix; read before this returns."""
        matrix = self._layout.matrices[len(self._checksums)]
        if len(packed) != matrix.num_bytes:
            raise ValueError(f"matrix {matrix.name} has {len(packed)} packed bytes, its layout {matrix.num_bytes}")
        self._checksums.append(zlib.crc32(packed))
        self._put(packed)
        self._put(memoryview(bytes(-len(packed) % ALIGNMENT)))

    def finish(self, source_hashes: tuple[str, ...]) -> None:
        """Writes the rest. Only a file that ends with the footer is one."""
        layout = self._layout
        if len(self._checksums) != len(layout.matrices):
            raise ValueError(f"{len(self._checksums)} matrices of {len(layout.matrices)} were added")
        self._flush()
        header = layout.header(Contents(source_hashes, tuple(self._checksums)))
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(layout.total_bytes - FOOTER.size)
        self._file.write(layout.footer(header))

    def _put(self, data: memoryview) -> None:
        while data:
            room = WRITE_BYTES - len(self._pending)
            self._pending += data[:room]
            data = data[room:]
            if len(self._pending) == WRITE_BYTES:
                self._flush()

    def _flush(self) -> None:
        self._file.write(self._pending)
        self._pending.clear()
