"""GGUF blocks as the integers and scales that the engine multiplies, for the reference's engine mode.

Written apart from edge.quant, which decodes to floats, so that each can be tested by the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes, type_name

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.float64]  # integers, in a type whose matrix product is fast and, below 2^53, exact
_Scales = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix: value = scale * integers - minimum * minima, by activation group of `group` columns.

    integers: codes, less their offset, times the integer scale of their sub-block: (rows, groups, group).
    minima: integers that multiply the sum of each part of the group: (rows, groups, parts). minimum may be negative.
    """

    group: int
    integers: _Integers
    scale: _Scales  # (rows, groups)
    minima: _Integers | None = None
    minimum: _Scales | None = None  # (rows, groups)


def split_blocks(kind: int, data: bytes | memoryview, shape: tuple[int, ...]) -> Blocks:
    """ValueError when the engine has no kernel for the type, or data does not have the size that the shape needs."""
    splitter = _SPLITTERS.get(kind)
    if splitter is None:
        raise ValueError(f"the engine has no integer kernel for {type_name(kind)}")
    raw = np.frombuffer(data, np.uint8)
    if raw.size != tensor_num_bytes(kind, shape):
        raise ValueError(f"{type_name(kind)} of shape {shape} has {raw.size} bytes")
    rows, cols = shape
    elements, num_bytes = BLOCKS[GGMLType(kind)]
    return splitter(raw.reshape(rows, cols // elements, num_bytes))


def _half(blocks: _Bytes, at: int) -> _Scales:
    return np.ascontiguousarray(blocks[:, :, at : at + 2]).view("<f2")[:, :, 0].astype(np.float32)


def _nibbles(packed: _Bytes) -> _Integers:
    """Low nibbles of all bytes, then the high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float64)


def _q8_0(b: _Bytes) -> Blocks:
    return Blocks(32, np.ascontiguousarray(b[:, :, 2:]).view(np.int8).astype(np.float64), _half(b, 0))


def _q4_0(b: _Bytes) -> Blocks:
    return Blocks(32, _nibbles(b[:, :, 2:]) - 8.0, _half(b, 0))


def _q4_1(b: _Bytes) -> Blocks:
    return Blocks(32, _nibbles(b[:, :, 4:]), _half(b, 0), np.ones((*b.shape[:2], 1)), -_half(b, 2))


def _q5_0(b: _Bytes) -> Blocks:
    high = np.unpackbits(b[:, :, 2:6], axis=2, bitorder="little").astype(np.float64)
    return Blocks(32, _nibbles(b[:, :, 6:]) + 16.0 * high - 16.0, _half(b, 0))


def _q4_k(b: _Bytes) -> Blocks:
    rows, groups, _ = b.shape
    packed = b[:, :, 4:16].astype(np.int64)
    low, middle, high = packed[:, :, 0:4], packed[:, :, 4:8], packed[:, :, 8:12]
    scales = np.concatenate([low & 63, (high & 15) + (low >> 6) * 16], axis=2).astype(np.float64)
    minima = np.concatenate([middle & 63, (high >> 4) + (middle >> 6) * 16], axis=2).astype(np.float64)
    codes = _nibbles(b[:, :, 16:].reshape(rows, groups, 4, 32)).reshape(rows, groups, 8, 32)
    integers = (codes * scales[:, :, :, None]).reshape(rows, groups, 256)
    return Blocks(256, integers, _half(b, 0), minima, _half(b, 2))


def _q6_k(b: _Bytes) -> Blocks:
    rows, groups, _ = b.shape
    low = b[:, :, 0:128].reshape(rows, groups, 2, 2, 32).astype(np.int64)
    high = b[:, :, 128:192].reshape(rows, groups, 2, 32).astype(np.int64)
    quarters = [
        (low[:, :, :, i % 2] >> (4 * (i // 2)) & 15) + ((high >> (2 * i)) & 3) * 16 - 32  # (rows, groups, 2, 32)
        for i in range(4)
    ]
    codes = np.stack(quarters, axis=3).reshape(rows, groups, 16, 16).astype(np.float64)
    scales = np.ascontiguousarray(b[:, :, 192:208]).view(np.int8).astype(np.float64)
    return Blocks(256, (codes * scales[:, :, :, None]).reshape(rows, groups, 256), _half(b, 208))


_SPLITTERS: dict[int, Callable[[_Bytes], Blocks]] = {
    GGMLType.Q8_0: _q8_0,
    GGMLType.Q4_0: _q4_0,
    GGMLType.Q4_1: _q4_1,
    GGMLType.Q5_0: _q5_0,
    GGMLType.Q4_K: _q4_k,
    GGMLType.Q6_K: _q6_k,
}
