"""Protocol buffers, the writing half: fields as bytes (https://protobuf.dev/programming-guides/encoding)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

__all__ = ["floats", "integer", "integers", "nested", "number", "text", "varint"]

_VARINT, _BYTES, _FIXED32 = 0, 2, 5


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64 bits."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    return varint(field << 3 | _VARINT) + varint(value)


def integers(field: int, values: Iterable[int]) -> bytes:
    """A packed repeated field."""
    return nested(field, b"".join(map(varint, values)))


def number(field: int, value: float) -> bytes:
    return varint(field << 3 | _FIXED32) + struct.pack("<f", value)


def floats(field: int, values: Iterable[float]) -> bytes:
    """A packed repeated field."""
    return nested(field, b"".join(struct.pack("<f", value) for value in values))


def nested(field: int, content: bytes) -> bytes:
    """A message inside another, or bytes."""
    return varint(field << 3 | _BYTES) + varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    return nested(field, value.encode())
