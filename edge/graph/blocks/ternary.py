"""TQ1_0 and TQ2_0: groups of 256, integers -1, 0 and 1."""

from __future__ import annotations

import numpy as np

from edge.graph.blocks.layout import Blocks, Bytes, half

__all__ = ["tq1_0", "tq2_0"]

_E = np.arange(256)  # elements of a block
# In TQ1_0, the byte that holds the element, and the place of its digit in that byte.
_BYTE = np.select([_E < 160, _E < 240], [_E % 32, 32 + _E % 16], 48 + _E % 4)
_PLACE = np.select([_E < 160, _E < 240], [_E // 32, (_E - 160) // 16], (_E - 240) // 4)


def tq1_0(b: Bytes) -> Blocks:
    digits = (b[:, :, _BYTE] * 3**_PLACE % 256) * 3 // 256
    return Blocks(256, (digits - 1).astype(np.float64), half(b, 52))


def tq2_0(b: Bytes) -> Blocks:
    codes = b[:, :, 32 * (_E // 128) + _E % 32] >> 2 * (_E % 128 // 32) & 3
    return Blocks(256, (codes - 1).astype(np.float64), half(b, 64))
