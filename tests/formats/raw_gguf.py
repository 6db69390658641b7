"""Builds GGUF files byte by byte, right or wrong. It shares no code with the reader or the writer under test."""

from __future__ import annotations

import struct
from collections.abc import Sequence

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
F32, F16, Q4_0, Q8_0, Q6_K = 0, 1, 2, 8, 14
MINUS_ONE = 2**64 - 1  # -1 read as an unsigned length


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def i32(value: int) -> bytes:
    return struct.pack("<i", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def f32(value: float) -> bytes:
    return struct.pack("<f", value)


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return u64(len(raw)) + raw


def entry(key: str | bytes, kind: int, payload: bytes) -> bytes:
    return text(key) + u32(kind) + payload


def string(key: str, value: str | bytes) -> bytes:
    return entry(key, STRING, text(value))


def array(key: str, item: int, elements: Sequence[bytes], count: int | None = None) -> bytes:
    length = len(elements) if count is None else count
    return entry(key, ARRAY, u32(item) + u64(length) + b"".join(elements))


def strings(key: str, values: Sequence[str | bytes]) -> bytes:
    return array(key, STRING, [text(value) for value in values])


def tensor(name: str | bytes, dims: Sequence[int], kind: int = F32, offset: int = 0) -> bytes:
    """A row of the tensor table; `dims` in the order of the file (contiguous dimension first)."""
    return text(name) + u32(len(dims)) + b"".join(map(u64, dims)) + u32(kind) + u64(offset)


def gguf(
    entries: Sequence[bytes] = (),
    tensors: Sequence[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    num_entries: int | None = None,
    num_tensors: int | None = None,
    alignment: int = 32,
) -> bytes:
    """A file; the counts are true unless given."""
    head = b"GGUF" + u32(version)
    head += u64(len(tensors) if num_tensors is None else num_tensors)
    head += u64(len(entries) if num_entries is None else num_entries)
    head += b"".join(entries) + b"".join(tensors)
    if tensors or data:
        head += bytes(-len(head) % alignment)
    return head + data
