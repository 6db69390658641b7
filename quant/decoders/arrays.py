"""What decoders have in common: the types of their arrays, and how blocks hold halves, nibbles and fields of bits."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Bytes", "FloatType", "Floats", "fields", "half", "nibbles", "quarters", "scaled", "words"]

# Arrays of bytes and of floats. NumPy's stubs lose the element type in arithmetic, so these names say it to the reader.
Bytes: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[Any]
FloatType: TypeAlias = type[np.float32] | type[np.float64]


def half(blocks: Bytes, offset: int, dtype: FloatType) -> Floats:
    """The f16 at byte `offset` of every block: (num_blocks, 1)."""
    return words(blocks[:, offset : offset + 2], "<f2").astype(dtype)


def words(part: Bytes, dtype: str) -> npt.NDArray[Any]:
    """The bytes of the last axis as numbers of more than one byte."""
    return np.ascontiguousarray(part).view(dtype)


def nibbles(packed: Bytes) -> Bytes:
    """Low nibbles of all bytes of the last axis, then high nibbles."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def fields(packed: npt.NDArray[Any], bits: int, count: int) -> npt.NDArray[Any]:
    """The `count` lowest fields of `bits` bits of every number, lowest first, as a new last axis."""
    shifts = np.arange(0, bits * count, bits).astype(packed.dtype)
    values: npt.NDArray[Any] = packed[..., None] >> shifts & packed.dtype.type(2**bits - 1)
    return values


def quarters(packed: Bytes) -> Bytes:
    """Two bits of 256 elements from 64 bytes: 32 bytes hold four runs of 32 elements, the first in the lowest bits."""
    return fields(packed.reshape(-1, 2, 32), 2, 4).transpose(0, 1, 3, 2).reshape(-1, 256)


def scaled(d: Floats, sub_scales: npt.NDArray[Any], values: npt.NDArray[Any], dtype: FloatType) -> Floats:
    """(d * sub_scale) * value. d: (num_blocks, 1). sub_scales: (num_blocks, n), each for an n-th of the values."""
    num_blocks, parts = sub_scales.shape
    scale = (d * sub_scales.astype(dtype))[:, :, None]
    result: Floats = scale * values.reshape(num_blocks, parts, -1).astype(dtype)
    return result.reshape(num_blocks, -1)
