"""IQ1 to IQ4_XS: groups of 256, integers from code books times integer scales."""

from __future__ import annotations

import numpy as np

from edge.formats.code_books import CODE_BOOKS
from edge.formats.types import GGMLType
from edge.graph.blocks.layout import Blocks, Bytes, Scales, Whole, half, word

__all__ = ["iq1_m", "iq1_s", "iq2_s", "iq2_xs", "iq2_xxs", "iq3_s", "iq3_xxs", "iq4_xs"]

_E = np.arange(256)  # elements of a block
_P32, _P16, _P8, _P4 = _E // 32, _E // 16, _E // 8, _E // 4  # the run of 32, 16, 8 or 4 elements that each is in
_L = _P8 % 4  # which eight of 32
_J = _E % 8  # which of eight

# The integer scale n stands for n + 1/2 in IQ2 and IQ3_XXS: 2n + 1, and half the factor.
_EIGHTH, _QUARTER = np.float32(0.125), np.float32(0.25)


def iq2_xxs(b: Bytes) -> Blocks:
    packed = word(b, 6 + 8 * _P32, 4)
    points = CODE_BOOKS[GGMLType.IQ2_XXS][b[:, :, 2 + 8 * _P32 + _L], _J]
    return _blocks(points * _even_sign(packed >> 7 * _L & 127), 2 * (packed >> 28) + 1, half(b, 0) * _EIGHTH)


def iq2_xs(b: Bytes) -> Blocks:
    codes = word(b, 2 + 2 * _P8, 2)
    points = CODE_BOOKS[GGMLType.IQ2_XS][codes & 511, _J]
    return _blocks(points * _even_sign(codes >> 9), 2 * _nibble(b, 66, _P16) + 1, half(b, 0) * _EIGHTH)


def iq2_s(b: Bytes) -> Blocks:
    codes = b[:, :, 2 + _P8] + 256 * (b[:, :, 66 + _P32] >> 2 * _L & 3)
    points = CODE_BOOKS[GGMLType.IQ2_S][codes, _J]
    return _blocks(points * _sign(b, 34), 2 * _nibble(b, 74, _P16) + 1, half(b, 0) * _EIGHTH)


def iq3_xxs(b: Bytes) -> Blocks:
    packed = word(b, 66 + 4 * _P32, 4)
    points = CODE_BOOKS[GGMLType.IQ3_XXS][b[:, :, 2 + _P4], _E % 4]
    return _blocks(points * _even_sign(packed >> 7 * _L & 127), 2 * (packed >> 28) + 1, half(b, 0) * _QUARTER)


def iq3_s(b: Bytes) -> Blocks:
    codes = b[:, :, 2 + _P4] + 256 * (b[:, :, 66 + _P32] >> _P4 % 8 & 1)
    points = CODE_BOOKS[GGMLType.IQ3_S][codes, _E % 4]
    return _blocks(points * _sign(b, 74), 2 * _nibble(b, 106, _P32) + 1, half(b, 0))


def iq1_s(b: Bytes) -> Blocks:
    packed = word(b, 34 + 2 * _P32, 2)
    codes = b[:, :, 2 + _P8] + 256 * (packed >> 3 * _L & 7)
    return _blocks(_shifted(codes, packed >> 15), 2 * (packed >> 12 & 7) + 1, half(b, 0) * _EIGHTH)


def iq1_m(b: Bytes) -> Blocks:
    """The block's scale is spread over the highest four bits of four words; three fields of three bits lie below."""
    high = _nibble(b, 32, _P8)
    values = _shifted(b[:, :, _P8] + 256 * (high & 7), high >> 3)
    scales = word(b, 48 + 2 * (_P16 // 4), 2) >> 3 * (_P16 % 4) & 7
    bits = sum(((b[:, :, 49 + 2 * i] >> 4) << 4 * i for i in range(4)), np.int64(0))
    scale = bits.astype("<u2").view("<f2").astype(np.float32)
    return _blocks(values, 2 * scales + 1, scale * _EIGHTH)


def iq4_xs(b: Bytes) -> Blocks:
    codes = b[:, :, 8 + 16 * _P32 + _E % 16] >> 4 * (_P16 % 2) & 15
    scales = _nibble(b, 4, _P32) + 16 * (word(b, 2, 2)[:, :, None] >> 2 * _P32 & 3) - 32
    return _blocks(CODE_BOOKS[GGMLType.IQ4_XS][codes], scales, half(b, 0))


def _blocks(values: Whole, scales: Bytes, scale: Scales) -> Blocks:
    return Blocks(256, (values * scales).astype(np.float64), scale)


def _nibble(b: Bytes, at: int, index: Whole) -> Bytes:
    """The nibble of that index, two in a byte, the low one first."""
    return b[:, :, at + index // 2] >> 4 * (index % 2) & 15


def _sign(b: Bytes, at: int) -> Bytes:
    """A bit for each element."""
    return 1 - 2 * (b[:, :, at + _P8] >> _J & 1)


def _even_sign(seven: Bytes) -> Bytes:
    """Seven bits for eight elements: the eighth sign makes the number of minus signs even."""
    eighth = sum((seven >> i for i in range(7)), np.int64(0))
    return 1 - 2 * (np.where(_J < 7, seven >> _J, eighth) & 1)


def _shifted(codes: Bytes, down: Bytes) -> Bytes:
    """Eight times a ternary point, one up or down."""
    return 8 * CODE_BOOKS[GGMLType.IQ1_S][codes, _J] + 1 - 2 * down
