"""Blocks of 32 to 128 elements without sub-scales: integer * scale, plus a minimum in Q4_1 and Q5_1."""

from __future__ import annotations

import numpy as np

from edge.formats.code_books import CODE_BOOKS
from edge.formats.types import GGMLType
from edge.quant.decoders.arrays import Bytes, Floats, FloatType, fields, half, nibbles

__all__ = ["iq4_nl", "mxfp4", "nvfp4", "q1_0", "q2_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]


def q4_0(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = nibbles(blocks[:, 2:18]).astype(np.int8) - 8
    return codes.astype(dtype) * half(blocks, 0, dtype)


def q4_1(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = nibbles(blocks[:, 4:20])
    return codes.astype(dtype) * half(blocks, 0, dtype) + half(blocks, 2, dtype)


def _five_bits(high: Bytes, low: Bytes) -> Bytes:
    """Nibbles, and a fifth bit of each element from four bytes: (num_blocks, 32)."""
    codes: Bytes = nibbles(low) | np.unpackbits(high, axis=1, bitorder="little") << 4
    return codes


def q5_0(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = _five_bits(blocks[:, 2:6], blocks[:, 6:22]).astype(np.int8) - 16
    values: Floats = codes.astype(dtype) * half(blocks, 0, dtype)
    return values


def q5_1(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = _five_bits(blocks[:, 4:8], blocks[:, 8:24])
    return codes.astype(dtype) * half(blocks, 0, dtype) + half(blocks, 2, dtype)


def q8_0(blocks: Bytes, dtype: FloatType) -> Floats:
    codes: Floats = blocks[:, 2:34].view(np.int8).astype(dtype)
    return codes * half(blocks, 0, dtype)


def q1_0(blocks: Bytes, dtype: FloatType) -> Floats:
    """A set bit is +scale, a clear one -scale."""
    bits = np.unpackbits(blocks[:, 2:18], axis=1, bitorder="little").astype(np.int8)
    values: Floats = (2 * bits - 1).astype(dtype) * half(blocks, 0, dtype)
    return values


def q2_0(blocks: Bytes, dtype: FloatType) -> Floats:
    """Codes -1 to 2, four consecutive elements in a byte."""
    codes = fields(blocks[:, 2:18], 2, 4).reshape(len(blocks), 64).astype(np.int8) - 1
    values: Floats = codes.astype(dtype) * half(blocks, 0, dtype)
    return values


def iq4_nl(blocks: Bytes, dtype: FloatType) -> Floats:
    values = CODE_BOOKS[GGMLType.IQ4_NL][nibbles(blocks[:, 2:18])]
    return values.astype(dtype) * half(blocks, 0, dtype)


def mxfp4(blocks: Bytes, dtype: FloatType) -> Floats:
    """The scale is a power of two, half of what the format says: the code book has twice the values."""
    values = CODE_BOOKS[GGMLType.MXFP4][nibbles(blocks[:, 1:17])]
    exponent = blocks[:, 0:1].astype(np.int32) - 128
    scale: Floats = np.ldexp(np.ones_like(exponent, dtype), exponent)
    return values.astype(dtype) * scale


def nvfp4(blocks: Bytes, dtype: FloatType) -> Floats:
    """Four scales in unsigned e4m3, each of 16 elements: 8 bytes, nibbles in order inside them."""
    num_blocks = len(blocks)
    values = CODE_BOOKS[GGMLType.NVFP4][nibbles(blocks[:, 4:36].reshape(num_blocks, 4, 8))]
    scale = _half_of_e4m3(blocks[:, 0:4], dtype)[:, :, None]
    return (values.astype(dtype) * scale).reshape(num_blocks, 64)


def _half_of_e4m3(codes: Bytes, dtype: FloatType) -> Floats:
    """Bit 7 does not count, except that 0x7f, a NaN in e4m3, is zero here and 0xff is not."""
    exponent, mantissa = (codes >> 3 & 15).astype(np.int32), codes & 7
    significand = np.where(exponent > 0, mantissa + 8, mantissa).astype(dtype)
    values: Floats = np.ldexp(significand, np.maximum(exponent, 1) - 11)
    return np.where(codes == 0x7F, dtype(0), values)
