"""Encoders in NumPy, with ggml's rounding: what the C library's must give, byte for byte.

Each takes values (num_blocks, block_elements) float32, all finite, and returns (num_blocks, block_bytes) uint8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge.formats.types import GGMLType
from edge.quant.decoders import Bytes, Floats
from tests.quant.reference_q6_k import encode_q6_k

__all__ = ["ENCODERS"]


def _half(values: Floats) -> Bytes:
    return values.astype("<f2").view(np.uint8)


def _inverse(scales: Floats) -> Floats:
    """1 / scale, and 0 where that is not finite: such a scale rounds to the half 0, so the codes do not count."""
    inverse = np.float32(1.0) / scales
    inverse[~np.isfinite(inverse)] = 0.0
    return inverse


def _q8_0(values: Floats) -> Bytes:
    scales = np.abs(values).max(axis=1, keepdims=True) / np.float32(127.0)
    scaled = values * _inverse(scales)
    magnitudes = np.abs(scaled)
    whole = np.floor(magnitudes)
    # C's roundf, halves away from zero; floor(magnitude + 0.5) would itself round
    codes = np.copysign(whole + np.floor(np.float32(2.0) * (magnitudes - whole)), scaled)
    return np.concatenate([_half(scales), codes.astype(np.int8).view(np.uint8)], axis=1)


def _q4_0(values: Floats) -> Bytes:
    largest = np.take_along_axis(values, np.abs(values).argmax(axis=1)[:, None], axis=1)  # with its sign
    scales = largest / np.float32(-8.0)
    # ggml computes x * id + 8.5 in float32, fused or not depending on its build. As gguf-py does, take the fused value.
    shifted = (values.astype(np.float64) * _inverse(scales).astype(np.float64) + 8.5).astype(np.float32)
    codes = np.clip(np.trunc(shifted), 0, 15).astype(np.uint8)
    return np.concatenate([_half(scales), codes[:, :16] | codes[:, 16:] << 4], axis=1)


ENCODERS: dict[GGMLType, Callable[[Floats], Bytes]] = {
    GGMLType.Q4_0: _q4_0,
    GGMLType.Q8_0: _q8_0,
    GGMLType.Q6_K: encode_q6_k,
}
