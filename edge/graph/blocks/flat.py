"""Types whose activations are quantised in groups of 32: no integer scales inside a block."""

from __future__ import annotations

import numpy as np

from edge.formats.code_books import CODE_BOOKS
from edge.formats.types import GGMLType
from edge.graph.blocks.layout import Blocks, Bytes, Scales, Whole, half, signed, word

__all__ = ["iq4_nl", "mxfp4", "nvfp4", "q1_0", "q2_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]

_E32, _E64, _E128 = np.arange(32), np.arange(64), np.arange(128)  # elements of a block


def q8_0(b: Bytes) -> Blocks:
    return _groups(signed(b[:, :, 2:]), half(b, 0))


def q4_0(b: Bytes) -> Blocks:
    return _groups(_nibbles(b, 2) - 8, half(b, 0))


def q4_1(b: Bytes) -> Blocks:
    return _groups(_nibbles(b, 4), half(b, 0), -half(b, 2))


def q5_0(b: Bytes) -> Blocks:
    return _groups(_nibbles(b, 6) + 16 * _bits(b, 2) - 16, half(b, 0))


def q5_1(b: Bytes) -> Blocks:
    return _groups(_nibbles(b, 8) + 16 * _bits(b, 4), half(b, 0), -half(b, 2))


def q1_0(b: Bytes) -> Blocks:
    return _groups(2 * (b[:, :, 2 + _E128 // 8] >> _E128 % 8 & 1) - 1, half(b, 0))


def q2_0(b: Bytes) -> Blocks:
    return _groups((b[:, :, 2 + _E64 // 4] >> 2 * (_E64 % 4) & 3) - 1, half(b, 0))


def iq4_nl(b: Bytes) -> Blocks:
    return _groups(CODE_BOOKS[GGMLType.IQ4_NL][_nibbles(b, 2)], half(b, 0))


def mxfp4(b: Bytes) -> Blocks:
    return _groups(CODE_BOOKS[GGMLType.MXFP4][_nibbles(b, 1)], _HALF_OF_E8M0[b[:, :, 0]])


def nvfp4(b: Bytes) -> Blocks:
    """Two scales in a group: each is of 16 elements."""
    codes = b[:, :, 4 + 8 * (_E64 // 16) + _E64 % 8] >> 4 * (_E64 % 16 // 8) & 15
    integers = CODE_BOOKS[GGMLType.NVFP4][codes].astype(np.float64)
    rows = len(b)
    return Blocks(32, integers.reshape(rows, -1, 32), _HALF_OF_E4M3[b[:, :, 0:4]].reshape(rows, -1))


def _groups(integers: Whole, scale: Scales, minimum: Scales | None = None) -> Blocks:
    """(rows, blocks, elements) and (rows, blocks): groups of 32, the scale repeated where a block has several."""
    rows, blocks, elements = integers.shape
    values = integers.astype(np.float64).reshape(rows, -1, 32)
    minima = None if minimum is None else np.ones((rows, blocks, 1))
    return Blocks(32, values, np.repeat(scale, elements // 32, axis=1), minima, minimum)


def _nibbles(b: Bytes, at: int) -> Bytes:
    """Elements 0 to 15 are the low nibbles of 16 bytes, 16 to 31 the high ones."""
    return b[:, :, at + _E32 % 16] >> 4 * (_E32 // 16) & 15


def _bits(b: Bytes, at: int) -> Bytes:
    return word(b, at, 4)[:, :, None] >> _E32 & 1


def _half_of_e4m3(code: int) -> float:
    """Unsigned: bit 7 does not count. 0x7f is no number in e4m3 and zero in GGUF."""
    exponent, mantissa = code >> 3 & 15, code & 7
    if code == 0x7F:
        return 0.0
    return mantissa * 2.0**-10 if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - 8)


# The code books of MXFP4 and NVFP4 hold twice the values, so the scales are halves of what the bytes say.
_HALF_OF_E8M0 = np.array([2.0 ** (code - 128) for code in range(256)], np.float32)
_HALF_OF_E4M3 = np.array([_half_of_e4m3(code) for code in range(256)], np.float32)
