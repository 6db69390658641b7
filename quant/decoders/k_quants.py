"""Q2_K to Q6_K: 256 elements, sub-blocks of 16 or 32 with integer scales; Q2_K, Q4_K and Q5_K have minima too."""

from __future__ import annotations

import numpy as np

from edge.quant.decoders.arrays import Bytes, Floats, FloatType, fields, half, quarters, scaled

__all__ = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"]


def q2_k(blocks: Bytes, dtype: FloatType) -> Floats:
    scales, minima = blocks[:, 0:16] & 15, blocks[:, 0:16] >> 4
    return _less_minima(blocks, 80, scales, minima, quarters(blocks[:, 16:80]), dtype)


def q3_k(blocks: Bytes, dtype: FloatType) -> Floats:
    num_blocks = len(blocks)
    # bit i of the 32 bytes belongs to the i-th run of 32 elements; where it is clear, 4 is subtracted
    high = fields(blocks[:, 0:32], 1, 8).transpose(0, 2, 1).reshape(num_blocks, 256)
    codes = (quarters(blocks[:, 32:96]) | high << 2).astype(np.int8) - 4
    packed = blocks[:, 96:108]
    low = np.concatenate([packed[:, 0:8] & 15, packed[:, 0:8] >> 4], axis=1)
    two_bits = fields(packed[:, 8:12], 2, 4).transpose(0, 2, 1).reshape(num_blocks, 16)
    scales = (low | two_bits << 4).astype(np.int8) - 32
    return scaled(half(blocks, 108, dtype), scales, codes, dtype)


def q4_k(blocks: Bytes, dtype: FloatType) -> Floats:
    scales, minima = _scales_and_minima(blocks[:, 4:16])
    return _less_minima(blocks, 0, scales, minima, _nibble_runs(blocks[:, 16:144]), dtype)


def q5_k(blocks: Bytes, dtype: FloatType) -> Floats:
    scales, minima = _scales_and_minima(blocks[:, 4:16])
    high = fields(blocks[:, 16:48], 1, 8).transpose(0, 2, 1)  # (num_blocks, 8, 32)
    return _less_minima(blocks, 0, scales, minima, _nibble_runs(blocks[:, 48:176]) | high << 4, dtype)


def q6_k(blocks: Bytes, dtype: FloatType) -> Floats:
    num_blocks = len(blocks)
    # two halves of 128 elements; inside, quarters of 32: 0 and 1 low nibbles of 64 bytes, 2 and 3 the high ones
    packed = blocks[:, 0:128].reshape(num_blocks, 2, 1, 64)
    low = np.concatenate([packed & 15, packed >> 4], axis=2).reshape(num_blocks, 256)
    codes = (low | quarters(blocks[:, 128:192]) << 4).astype(np.int8) - 32
    return scaled(half(blocks, 208, dtype), blocks[:, 192:208].view(np.int8), codes, dtype)


def _nibble_runs(packed: Bytes) -> Bytes:
    """4 runs of 32 bytes; the low nibbles of a run are one sub-block of 32, the high nibbles the next."""
    runs = packed.reshape(-1, 4, 1, 32)
    return np.concatenate([runs & 15, runs >> 4], axis=2).reshape(-1, 8, 32)


def _scales_and_minima(packed: Bytes) -> tuple[Bytes, Bytes]:
    """The 6-bit scales and minima of 8 sub-blocks from 12 bytes: two (num_blocks, 8)."""
    first, second, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (high & 15) | (first >> 6) << 4], axis=1)
    minima = np.concatenate([second & 63, (high >> 4) | (second >> 6) << 4], axis=1)
    return scales, minima


def _less_minima(blocks: Bytes, halves_at: int, scales: Bytes, minima: Bytes, codes: Bytes, dtype: FloatType) -> Floats:
    """(d * scale) * code - dmin * minimum; d and dmin are the two halves at byte `halves_at`."""
    num_blocks, parts = scales.shape
    values = scaled(half(blocks, halves_at, dtype), scales, codes, dtype).reshape(num_blocks, parts, -1)
    minimum = (half(blocks, halves_at + 2, dtype) * minima.astype(dtype))[:, :, None]
    result: Floats = values - minimum
    return result.reshape(num_blocks, 256)
