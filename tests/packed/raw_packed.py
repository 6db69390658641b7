"""Builds packed files byte by byte, right or wrong. It shares no code with edge.packed: the format, written twice.

A header, whose keys and table can be changed one by one, data, and a footer that vouches for the header.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.formats.raw_gguf import STRING, UINT32, array, entry, string, strings, tensor, text, u32, u64

INT64, UINT64, I8 = 11, 10, 24
HUGE_PAGE = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Matrix:
    name: str
    type: int
    rows: int
    cols: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class Source:
    sizes: Sequence[int]
    mtimes: Sequence[int]
    inodes: Sequence[int]
    header_hash: str
    sha256: Sequence[str]


@dataclass(frozen=True, slots=True)
class Changes:
    """entries: key -> its encoded entry, or None to leave it out. table: rows of the tensor table instead of the right
    ones. footer: field -> value. digest: instead of the right one."""

    entries: Mapping[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    table: Sequence[bytes] | None = None
    num_tensors: int | None = None
    footer: Mapping[str, int | bytes] = field(default_factory=dict[str, int | bytes])
    data: bytes | None = None


def offsets(matrices: Sequence[Matrix]) -> list[int]:
    """From the start of the data: each at a multiple of 64."""
    places: list[int] = []
    end = 0
    for matrix in matrices:
        places.append(end)
        end += (len(matrix.packed) + 63) // 64 * 64
    return places


def table_of(matrices: Sequence[Matrix]) -> list[bytes]:
    return [tensor(m.name, [len(m.packed)], I8, o) for m, o in zip(matrices, offsets(matrices), strict=True)]


def entries_of(matrices: Sequence[Matrix], source: Source, layout_version: int) -> dict[str, bytes]:
    def numbers(key: str, kind: int, form: str, values: Sequence[int]) -> bytes:
        return array(key, kind, [struct.pack(form, value) for value in values])

    packed, of = "edge.packed.", "edge.packed.source."
    rows = [
        string("general.architecture", "edge-packed"),
        entry("general.alignment", UINT32, u32(64)),
        entry(packed + "container_version", UINT32, u32(1)),
        entry(packed + "layout_version", UINT32, u32(layout_version)),
        numbers(of + "sizes", UINT64, "<Q", source.sizes),
        numbers(of + "mtimes", INT64, "<q", source.mtimes),
        numbers(of + "inodes", UINT64, "<Q", source.inodes),
        string(of + "header_hash", source.header_hash),
        strings(of + "sha256", source.sha256),
        numbers(packed + "matrix.types", UINT32, "<I", [m.type for m in matrices]),
        numbers(packed + "matrix.rows", UINT64, "<Q", [m.rows for m in matrices]),
        numbers(packed + "matrix.cols", UINT64, "<Q", [m.cols for m in matrices]),
        numbers(packed + "matrix.crc32", UINT32, "<I", [zlib.crc32(m.packed) for m in matrices]),
    ]
    return {row[8 : 8 + struct.unpack_from("<Q", row)[0]].decode(): row for row in rows}


def packed_file(
    matrices: Sequence[Matrix], source: Source, layout_version: int, changes: Changes | None = None
) -> bytes:
    changes = Changes() if changes is None else changes
    merged = {**entries_of(matrices, source, layout_version), **changes.entries}
    kept = [value for value in merged.values() if value is not None]
    rows = table_of(matrices) if changes.table is None else changes.table
    head = b"GGUF" + u32(3) + u64(len(rows) if changes.num_tensors is None else changes.num_tensors)
    head += u64(len(kept) + 1) + b"".join(kept)
    key = text("edge.packed.padding") + u32(STRING)
    padding = -(len(head) + len(key) + 8 + sum(map(len, rows))) % HUGE_PAGE
    header = head + key + u64(padding) + b" " * padding + b"".join(rows)
    data = b"".join(m.packed + bytes(-len(m.packed) % 64) for m in matrices) if changes.data is None else changes.data
    total = len(header) + len(data) + 64
    fields: dict[str, int | bytes] = {
        "magic": b"EDGEPACK",
        "version": 1,
        "zero": 0,
        "header_bytes": len(header),
        "total_bytes": total,
        **{name: value for name, value in changes.footer.items() if name != "digest"},
    }
    footer = struct.pack("<8sIIQQ", *fields.values())
    digest = changes.footer.get("digest", hashlib.sha256(header + footer).digest())
    assert isinstance(digest, bytes)
    return header + data + footer + digest
