"""Writes small SentencePiece models by hand, sound or not: a protocol buffer of pieces, trainer and normalizer."""

from __future__ import annotations

import struct
from pathlib import Path


def _number(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | bytes | float) -> bytes:
    """One field: an integer, bytes behind their length, or a float."""
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    if isinstance(value, float):
        return _number(number << 3 | 5) + struct.pack("<f", value)
    return _number(number << 3 | 2) + _number(len(value)) + value


def write_sentencepiece(
    path: Path,
    *,
    kind: int = 2,
    charsmap: bytes = b"",
    extra_spaces: int = 0,
    piece: bytes = b"th",
    score: float = -1.0,
    piece_type: int = 1,
) -> None:
    """<unk>, <s>, </s>, the bytes, some letters, and one more piece."""
    pieces: list[tuple[bytes, float, int]] = [(b"<unk>", 0.0, 2), (b"<s>", 0.0, 3), (b"</s>", 0.0, 3)]
    pieces += [(f"<0x{byte:02X}>".encode(), 0.0, 6) for byte in range(256)]
    pieces += [(character.encode(), -10.0 - i, 1) for i, character in enumerate("▁the")]
    pieces.append((piece, score, piece_type))
    data = b"".join(field(1, field(1, text) + field(2, value) + field(3, kind)) for text, value, kind in pieces)
    trainer = field(3, kind)
    normalizer = field(1, b"identity") + field(2, charsmap) + field(3, 1) + field(4, extra_spaces) + field(5, 1)
    path.write_bytes(data + field(2, trainer) + field(3, normalizer))
