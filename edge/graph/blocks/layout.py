"""What splitting gives, and how fields are read from the bytes of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Bytes", "Integers", "Scales", "Whole", "half", "signed", "word"]

Bytes = NDArray[np.int64]  # the bytes of blocks, (rows, blocks, bytes), in a type in which nothing overflows
Integers = NDArray[np.float64]  # integers, in a type whose matrix product is fast and, below 2^53, exact
Scales = NDArray[np.float32]
Whole = NDArray[np.signedinteger[Any]]  # integers of any width


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix: value = scale * integers - minimum * minima, by activation group of `group` columns.

    integers: codes, less their offset, times the integer scale of their sub-block: (rows, groups, group).
    scale: (rows, groups), or (rows, groups * spans) where each of a group's spans has its own.
    minima: integers that multiply the sum of each part of the group: (rows, groups, parts). minimum may be negative.
    """

    group: int
    integers: Integers
    scale: Scales
    minima: Integers | None = None
    minimum: Scales | None = None  # (rows, groups)


def word(b: Bytes, at: int | NDArray[Any], size: int) -> Bytes:
    """Little-endian numbers of `size` bytes that begin at byte `at`."""
    total = b[:, :, at]
    for i in range(1, size):
        total = total + (b[:, :, at + i] << 8 * i)
    return total


def half(b: Bytes, at: int) -> Scales:
    """The f16 at byte `at`: (rows, blocks)."""
    return word(b, at, 2).astype("<u2").view("<f2").astype(np.float32)


def signed(b: Bytes) -> Bytes:
    """Bytes as int8."""
    return b - (b >> 7 << 8)
