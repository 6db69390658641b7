"""Decodes blocks of GGUF types to floats, in the operation order of the engine's embedding rows.

Each decoder takes blocks (num_blocks, block_bytes) uint8 and returns (num_blocks, block_elements) in `dtype`. In
float32 the result is bit for bit what the engine computes; float64 gives the value that the file means, for reference
runs.
Layouts: the GGUF specification and ggml-common.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.formats.types import GGMLType

__all__ = ["DECODERS", "Bytes", "FloatType", "Floats"]

# Arrays of bytes and of floats. NumPy's stubs lose the element type in arithmetic, so these names say it to the reader.
Bytes: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[Any]
FloatType: TypeAlias = type[np.float32] | type[np.float64]


def _half(blocks: Bytes, offset: int, dtype: FloatType) -> Floats:
    """The f16 at byte `offset` of every block: (num_blocks, 1)."""
    return np.ascontiguousarray(blocks[:, offset : offset + 2]).view("<f2").astype(dtype)


def _nibbles(packed: Bytes) -> Bytes:
    """Low nibbles of all bytes, then high nibbles: (num_blocks, 2 * bytes)."""
    return np.concatenate([packed & 15, packed >> 4], axis=1)


def _f32(blocks: Bytes, dtype: FloatType) -> Floats:
    return blocks.view("<f4").astype(dtype)


def _f16(blocks: Bytes, dtype: FloatType) -> Floats:
    return blocks.view("<f2").astype(dtype)


def _bf16(blocks: Bytes, dtype: FloatType) -> Floats:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32).astype(dtype)


def _q4_0(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = _nibbles(blocks[:, 2:18]).astype(np.int8) - 8
    return codes.astype(dtype) * _half(blocks, 0, dtype)


def _q4_1(blocks: Bytes, dtype: FloatType) -> Floats:
    codes = _nibbles(blocks[:, 4:20])
    return codes.astype(dtype) * _half(blocks, 0, dtype) + _half(blocks, 2, dtype)


def _q5_0(blocks: Bytes, dtype: FloatType) -> Floats:
    high = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")  # (num_blocks, 32)
    codes = (_nibbles(blocks[:, 6:22]) | high << 4).astype(np.int8) - 16
    values: Floats = codes.astype(dtype) * _half(blocks, 0, dtype)
    return values


def _q8_0(blocks: Bytes, dtype: FloatType) -> Floats:
    codes: Floats = blocks[:, 2:34].view(np.int8).astype(dtype)
    return codes * _half(blocks, 0, dtype)


def _scales_and_minima(packed: Bytes) -> tuple[Bytes, Bytes]:
    """The 6-bit scales and minima of 8 sub-blocks from 12 bytes: two (num_blocks, 8)."""
    first, second, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (high & 15) | (first >> 6) << 4], axis=1)
    minima = np.concatenate([second & 63, (high >> 4) | (second >> 6) << 4], axis=1)
    return scales, minima


def _q4_k(blocks: Bytes, dtype: FloatType) -> Floats:
    num_blocks = len(blocks)
    scales, minima = _scales_and_minima(blocks[:, 4:16])
    # 4 runs of 32 bytes; the low nibbles of a run are one sub-block of 32, the high nibbles the next
    packed = blocks[:, 16:144].reshape(num_blocks, 4, 1, 32)
    codes = np.concatenate([packed & 15, packed >> 4], axis=2).reshape(num_blocks, 8, 32).astype(dtype)
    scale = (_half(blocks, 0, dtype) * scales.astype(dtype))[:, :, None]
    minimum = (_half(blocks, 2, dtype) * minima.astype(dtype))[:, :, None]
    values: Floats = scale * codes - minimum
    return values.reshape(num_blocks, 256)


def _q6_k(blocks: Bytes, dtype: FloatType) -> Floats:
    num_blocks = len(blocks)
    # two halves of 128 elements; inside, quarters of 32: 0 and 1 low nibbles of 64 bytes, 2 and 3 the high ones
    low = blocks[:, 0:128].reshape(num_blocks, 2, 1, 64)
    low = np.concatenate([low & 15, low >> 4], axis=2).reshape(num_blocks, 2, 4, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8).reshape(1, 1, 4, 1)
    high = blocks[:, 128:192].reshape(num_blocks, 2, 1, 32) >> shifts & 3
    codes = (low | high << 4).reshape(num_blocks, 16, 16).astype(np.int8) - 32
    scales = blocks[:, 192:208].view(np.int8).astype(dtype)
    scale = (_half(blocks, 208, dtype) * scales)[:, :, None]
    values: Floats = scale * codes.astype(dtype)
    return values.reshape(num_blocks, 256)


DECODERS: dict[GGMLType, Callable[[Bytes, FloatType], Floats]] = {
    GGMLType.F32: _f32,
    GGMLType.F16: _f16,
    GGMLType.BF16: _bf16,
    GGMLType.Q4_0: _q4_0,
    GGMLType.Q4_1: _q4_1,
    GGMLType.Q5_0: _q5_0,
    GGMLType.Q8_0: _q8_0,
    GGMLType.Q4_K: _q4_k,
    GGMLType.Q6_K: _q6_k,
}
