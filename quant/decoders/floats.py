"""Elements that are floats themselves: F32, F16, BF16."""

from __future__ import annotations

import numpy as np

from edge.quant.decoders.arrays import Bytes, Floats, FloatType

__all__ = ["bf16", "f16", "f32"]


def f32(blocks: Bytes, dtype: FloatType) -> Floats:
    return blocks.view("<f4").astype(dtype)


def f16(blocks: Bytes, dtype: FloatType) -> Floats:
    return blocks.view("<f2").astype(dtype)


def bf16(blocks: Bytes, dtype: FloatType) -> Floats:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32).astype(dtype)
