"""IQ1 to IQ4_XS: 256 elements, codes that stand for points of a code book, integer scales of 8 to 32 elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.formats.code_books import CODE_BOOKS
from edge.formats.types import GGMLType
from edge.quant.decoders.arrays import Bytes, Floats, FloatType, fields, half, nibbles, scaled, words

__all__ = ["iq1_m", "iq1_s", "iq2_s", "iq2_xs", "iq2_xxs", "iq3_s", "iq3_xxs", "iq4_xs"]

_Integers = npt.NDArray[Any]


def iq2_xxs(blocks: Bytes, dtype: FloatType) -> Floats:
    """Per 32 elements: four codes, then four times seven bits of signs and a scale in one word."""
    num_blocks = len(blocks)
    parts = blocks[:, 2:66].reshape(num_blocks, 8, 8)
    points = CODE_BOOKS[GGMLType.IQ2_XXS][parts[:, :, 0:4]]  # (num_blocks, 8, 4, 8)
    packed = words(parts[:, :, 4:8], "<u4")[:, :, 0]
    return _eighths(blocks, _odd(packed >> 28), points * _even_signs(fields(packed, 7, 4)), dtype)


def iq2_xs(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = words(blocks[:, 2:66], "<u2")  # nine bits of code, seven of signs
    points = CODE_BOOKS[GGMLType.IQ2_XS][codes & 511]  # (num_blocks, 32, 8)
    return _eighths(blocks, _odd(_pairs(blocks[:, 66:74])), points * _even_signs(codes >> 9), dtype)


def iq2_s(blocks: Bytes, dtype: FloatType) -> Floats:
    high = fields(blocks[:, 66:74], 2, 4).reshape(-1, 32)
    points = CODE_BOOKS[GGMLType.IQ2_S][_with_high(blocks[:, 2:34], high)]
    return _eighths(blocks, _odd(_pairs(blocks[:, 74:82])), points * _signs(blocks[:, 34:66]), dtype)


def iq3_xxs(blocks: Bytes, dtype: FloatType) -> Floats:
    points = CODE_BOOKS[GGMLType.IQ3_XXS][blocks[:, 2:66]].reshape(-1, 8, 4, 8)  # two codes of four elements each
    packed = words(blocks[:, 66:98], "<u4")
    values = points * _even_signs(fields(packed, 7, 4))
    return scaled(half(blocks, 0, dtype) * dtype(0.25), _odd(packed >> 28), values, dtype)


def iq3_s(blocks: Bytes, dtype: FloatType) -> Floats:
    high = fields(blocks[:, 66:74], 1, 8).reshape(-1, 64)
    points = CODE_BOOKS[GGMLType.IQ3_S][_with_high(blocks[:, 2:66], high)].reshape(-1, 32, 8)
    values = points * _signs(blocks[:, 74:106])
    return scaled(half(blocks, 0, dtype), _odd(_pairs(blocks[:, 106:110])), values, dtype)


def iq1_s(blocks: Bytes, dtype: FloatType) -> Floats:
    packed = words(blocks[:, 34:50], "<u2")  # per 32 elements: three bits of four codes, scale, direction of the shift
    codes = _with_high(blocks[:, 2:34], fields(packed, 3, 4).reshape(-1, 32))
    values = _shifted(codes, np.repeat(packed >> 15, 4, axis=1))
    return _eighths(blocks, _odd(packed >> 12 & 7), values, dtype)


def iq1_m(blocks: Bytes, dtype: FloatType) -> Floats:
    high = _pairs(blocks[:, 32:48])  # three bits of code, and the direction of the shift
    values = _shifted(_with_high(blocks[:, 0:32], high & 7), high >> 3)
    packed = words(blocks[:, 48:56], "<u2")  # four scales of 16 elements, and a quarter of the block's own
    d = np.bitwise_or.reduce(packed >> 12 << np.array([0, 4, 8, 12], np.uint16), axis=1, keepdims=True)
    scale: Floats = d.view(np.float16).astype(dtype)
    return scaled(scale * dtype(0.125), _odd(fields(packed, 3, 4).reshape(-1, 16)), values, dtype)


def iq4_xs(blocks: Bytes, dtype: FloatType) -> Floats:
    high = fields(words(blocks[:, 2:4], "<u2"), 2, 8).reshape(-1, 8).astype(np.uint8)
    scales = (_pairs(blocks[:, 4:8]) | high << 4).astype(np.int8) - 32
    values = CODE_BOOKS[GGMLType.IQ4_XS][nibbles(blocks[:, 8:136].reshape(-1, 8, 16))]
    return scaled(half(blocks, 0, dtype), scales, values, dtype)


def _eighths(blocks: Bytes, sub_scales: _Integers, values: _Integers, dtype: FloatType) -> Floats:
    return scaled(half(blocks, 0, dtype) * dtype(0.125), sub_scales, values, dtype)


def _odd(scales: _Integers) -> _Integers:
    """2n + 1. Where the format says n + 1/2, the half is in the other factor."""
    return 2 * scales + 1


def _pairs(packed: Bytes) -> Bytes:
    """Nibbles byte by byte, the low one first: (num_blocks, 2 * bytes)."""
    return fields(packed, 4, 2).reshape(len(packed), -1)


def _with_high(low: Bytes, high: Bytes) -> _Integers:
    codes: _Integers = low | high.astype(np.uint16) << 8
    return codes


def _signs(bits: Bytes) -> _Integers:
    """-1 where a bit is set; a byte becomes eight elements of a new last axis."""
    return 1 - 2 * fields(bits, 1, 8).astype(np.int8)


def _even_signs(seven: _Integers) -> _Integers:
    """Signs of eight elements from seven bits: the number of minus signs is even."""
    parity = np.bitwise_xor.reduce(fields(seven, 1, 7), axis=-1)
    return _signs((seven | parity << 7).astype(np.uint8))


def _shifted(codes: _Integers, down: _Integers) -> _Integers:
    """Eight times the ternary points, and all of them one up or down: (num_blocks, 32, 8)."""
    return 8 * CODE_BOOKS[GGMLType.IQ1_S][codes] + (1 - 2 * down.astype(np.int8))[:, :, None]
