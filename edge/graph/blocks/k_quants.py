"""Q2_K to Q6_K: groups of 256, integer scales in front of 16 or 32 elements."""

from __future__ import annotations

import numpy as np

from edge.graph.blocks.layout import Blocks, Bytes, Integers, half, signed

__all__ = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"]

_E = np.arange(256)  # elements of a block
_HALF, _QUARTER, _LANE = _E // 128, _E % 128 // 32, _E % 32
_RUN = _E // 32
_J8, _J16 = np.arange(8), np.arange(16)  # sub-blocks


def q2_k(b: Bytes) -> Blocks:
    return _with_minima(_two_bits(b, 16), b[:, :, 0:16] & 15, b[:, :, 0:16] >> 4, b, 80)


def q3_k(b: Bytes) -> Blocks:
    codes = _two_bits(b, 32) + 4 * (b[:, :, _LANE] >> _RUN & 1) - 4
    low = b[:, :, 96 + _J16 % 8] >> 4 * (_J16 // 8) & 15
    high = b[:, :, 104 + _J16 % 4] >> 2 * (_J16 // 4) & 3
    return Blocks(256, _times(codes, low + 16 * high - 32), half(b, 108))


def q4_k(b: Bytes) -> Blocks:
    return _with_minima(_four_bits(b, 16), *_six_bits(b, 4), b, 0)


def q5_k(b: Bytes) -> Blocks:
    codes = _four_bits(b, 48) + 16 * (b[:, :, 16 + _LANE] >> _RUN & 1)
    return _with_minima(codes, *_six_bits(b, 4), b, 0)


def q6_k(b: Bytes) -> Blocks:
    low = b[:, :, 64 * _HALF + 32 * (_QUARTER % 2) + _LANE] >> 4 * (_QUARTER // 2) & 15
    codes = low + 16 * _two_bits(b, 128) - 32
    return Blocks(256, _times(codes, signed(b[:, :, 192:208])), half(b, 208))


def _two_bits(b: Bytes, at: int) -> Bytes:
    return b[:, :, at + 32 * _HALF + _LANE] >> 2 * _QUARTER & 3


def _four_bits(b: Bytes, at: int) -> Bytes:
    return b[:, :, at + 32 * (_RUN // 2) + _LANE] >> 4 * (_RUN % 2) & 15


def _six_bits(b: Bytes, at: int) -> tuple[Bytes, Bytes]:
    """Scales and minima of eight sub-blocks: four in six bits of a byte, four with their high bits in those bytes."""
    first, second, rest = (b[:, :, at + 4 * i + _J8 % 4] for i in range(3))
    scales = np.where(_J8 < 4, first & 63, (rest & 15) + (first >> 6) * 16)
    minima = np.where(_J8 < 4, second & 63, (rest >> 4) + (second >> 6) * 16)
    return scales, minima


def _times(codes: Bytes, scales: Bytes) -> Integers:
    """Every code times the scale of its sub-block."""
    return (codes * np.repeat(scales, 256 // scales.shape[2], axis=2)).astype(np.float64)


def _with_minima(codes: Bytes, scales: Bytes, minima: Bytes, b: Bytes, halves_at: int) -> Blocks:
    return Blocks(256, _times(codes, scales), half(b, halves_at), minima.astype(np.float64), half(b, halves_at + 2))
