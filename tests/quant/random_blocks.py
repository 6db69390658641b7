"""Random blocks of every block type, with scales of a chosen size: weights for types without an encoder too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import BLOCKS, GGMLType
from edge.quant import DECODABLE, ENCODABLE, decode, encode

BLOCK_TYPES = tuple(kind for kind in DECODABLE if BLOCKS[kind][0] > 1)

# Byte at which the f16 scale lies, where it is not 0; a minimum follows it.
_SCALE_AT = {
    GGMLType.Q2_K: 80,
    GGMLType.Q3_K: 108,
    GGMLType.Q6_K: 208,
    GGMLType.TQ1_0: 52,
    GGMLType.TQ2_0: 64,
}
# The minimum that brings the mean of random codes to about zero, as a factor of the scale.
_MINIMUM = {
    GGMLType.Q4_1: -7.5,
    GGMLType.Q5_1: -15.5,
    GGMLType.Q2_K: 1.5,
    GGMLType.Q4_K: 7.5,
    GGMLType.Q5_K: 15.5,
}
_CODES = np.arange(127)  # of NVFP4's scales: exponent and mantissa
_NVFP4 = (_CODES % 8 + np.where(_CODES < 8, 0, 8)) * 2.0 ** (np.maximum(_CODES // 8, 1) - 11)


def stored(kind: GGMLType, values: NDArray[np.float32], seed: int) -> bytes:
    """A matrix as `kind`: the values where there is an encoder, random blocks of about their size where not."""
    if kind in ENCODABLE:
        return bytes(encode(kind, values))
    num_blocks = values.size // BLOCKS[kind][0]
    return random_blocks(kind, num_blocks, float(values.std()), np.random.default_rng(seed)).tobytes()


def random_blocks(kind: GGMLType, num_blocks: int, deviation: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(num_blocks, block_bytes): values with about that standard deviation; the scales of blocks differ."""
    elements, num_bytes = BLOCKS[kind]
    blocks = rng.integers(0, 256, (num_blocks, num_bytes), dtype=np.uint8)
    _set_scales(kind, blocks, np.ones(num_blocks))
    unit = float(decode(kind, blocks, (num_blocks, elements), np.float64).std())
    _set_scales(kind, blocks, deviation / unit * rng.uniform(0.5, 1.5, num_blocks))
    return blocks


def _set_scales(kind: GGMLType, blocks: NDArray[np.uint8], scale: NDArray[np.float64]) -> None:
    match kind:
        case GGMLType.MXFP4:
            blocks[:, 0] = np.clip(np.rint(np.log2(scale)) + 128, 0, 255)
        case GGMLType.NVFP4:
            wanted = scale[:, None] * (0.7, 0.9, 1.1, 1.3)  # the four parts of a block differ
            blocks[:, 0:4] = np.abs(wanted[:, :, None] - _NVFP4).argmin(axis=2)
        case GGMLType.IQ1_M:
            bits = scale.astype("<f2").view("<u2")
            for i in range(4):
                blocks[:, 49 + 2 * i] = blocks[:, 49 + 2 * i] & 15 | (bits >> 4 * i & 15) << 4
        case _:
            at = _SCALE_AT.get(kind, 0)
            blocks[:, at : at + 2] = _halves(scale)
            if kind in _MINIMUM:
                blocks[:, at + 2 : at + 4] = _halves(scale * _MINIMUM[kind])


def _halves(values: NDArray[Any]) -> NDArray[np.uint8]:
    return values.astype("<f2").view(np.uint8).reshape(-1, 2)
