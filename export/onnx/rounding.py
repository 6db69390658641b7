"""Weights to codes in blocks, for the widths and block sizes that no GGUF type has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import NumericalError

__all__ = ["pack_codes", "round_blocks"]

_SHRINK = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)  # of the range: what is cut off costs less than a finer step gains
_CHUNK_ELEMENTS = 1 << 20

Codes = NDArray[np.uint8]
Scales = NDArray[np.float32]


def round_blocks(values: NDArray[np.float32], bits: int, block_size: int) -> tuple[Codes, Scales, Codes | None]:
    """values (n, k) as codes (n, blocks, block_size), scales (n, blocks), and zero points (n, blocks) with two bits.

    value = scale * (code - zero point), the zero point 2^(bits - 1) where there is none. The last block is filled up
    with zeros. Of several ranges the one with the least square error is taken. NumericalError: a value that is not
    finite.
    """
    rows, columns = values.shape
    blocks = -(-columns // block_size)
    codes = np.empty((rows, blocks, block_size), np.uint8)
    scales = np.empty((rows, blocks), np.float32)
    zeros = np.empty((rows, blocks), np.uint8) if bits == 2 else None
    step = max(1, _CHUNK_ELEMENTS // max(1, blocks * block_size))
    for first in range(0, rows, step):
        part = values[first : first + step]
        if not np.isfinite(part).all():
            row, column = np.argwhere(~np.isfinite(part))[0]
            raise NumericalError(f"row {first + row}, column {column} is {part[row, column]!r}, wanted a finite number")
        padded = np.pad(part, ((0, 0), (0, blocks * block_size - columns))).reshape(-1, blocks, block_size)
        chosen = _best(padded, bits)
        codes[first : first + step], scales[first : first + step] = chosen[0], chosen[1]
        if zeros is not None:
            zeros[first : first + step] = chosen[2]
    return codes, scales, zeros


def pack_codes(codes: Codes, bits: int) -> Codes:
    """Codes (..., n) as bytes (..., ceil(n bits / 8)), the first in the lowest bits."""
    each = 8 // bits
    missing = -codes.shape[-1] % each
    if missing:
        codes = np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, missing)])
    packed = codes[..., 0::each].copy()
    for place in range(1, each):
        packed |= codes[..., place::each] << np.uint8(bits * place)
    return packed


def _best(x: NDArray[np.float32], bits: int) -> tuple[Codes, Scales, Codes]:
    """x (n, blocks, block_size): the codes, scales and zero points with the least error."""
    top = 2**bits - 1
    best_error = np.full(x.shape[:2], np.inf, np.float32)
    codes, scales = np.zeros(x.shape, np.uint8), np.zeros(x.shape[:2], np.float32)
    zeros = np.zeros(x.shape[:2], np.uint8)
    for shrink in _SHRINK:
        scale, zero = _range(x, bits, np.float32(shrink))
        safe = np.where(scale == 0, np.float32(1.0), scale)
        code = np.clip(np.rint(x / safe[..., None]) + zero[..., None], 0, top)
        centred = code - zero[..., None]
        weight = np.square(centred).sum(-1)
        fitted = np.where(weight > 0, (x * centred).sum(-1) / np.where(weight > 0, weight, 1), scale)
        scale = fitted.astype(np.float32)
        error = np.square(x - centred * scale[..., None]).sum(-1)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        codes = np.where(better[..., None], code, codes).astype(np.uint8)
        scales, zeros = np.where(better, scale, scales), np.where(better, zero, zeros).astype(np.uint8)
    return codes, scales, zeros


def _range(x: NDArray[np.float32], bits: int, shrink: np.float32) -> tuple[Scales, NDArray[np.float32]]:
    """Step and zero point for the block's range, shrunk. With two bits the range need not be even about zero."""
    if bits > 2:
        index = np.abs(x).argmax(-1)[..., None]
        largest = np.take_along_axis(x, index, -1)[..., 0]
        half = 2 ** (bits - 1)
        return largest * shrink / np.float32(-half), np.full(x.shape[:2], half, np.float32)
    low, high = np.minimum(x.min(-1), 0) * shrink, np.maximum(x.max(-1), 0) * shrink
    scale = (high - low) / np.float32(2**bits - 1)
    zero = np.rint(-low / np.where(scale == 0, np.float32(1.0), scale))
    return scale, np.clip(zero, 0, 2**bits - 1).astype(np.float32)
