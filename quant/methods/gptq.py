"""GPTQ: columns are rounded one after the other, and what each adds to the output is taken from those behind it.

Frantar et al. 2022, arXiv:2210.17323. Grids are those of Q4_0 and Q4_K: blocks with scales that the type's encoder
finds for the columns' importance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge import native
from edge.errors import NumericalError
from edge.formats.types import BLOCKS, GGMLType
from edge.quant.codec import decode
from edge.quant.methods.source import Encode, Floats

__all__ = ["GRIDS", "gptq"]

DAMPING = 0.01  # of the mean of the diagonal, added to it
_DAMPING_LIMIT = 1.0
_STATIC_WIDTH = 128  # columns of a block with static scales


class _Grid(NamedTuple):
    """Where a block's codes of four bits lie: from byte `codes_at` on, in runs of `run` bytes whose low nibbles come
    before their high ones. What stands before them says what the codes mean."""

    codes_at: int
    run: int


GRIDS = {"Q4_0": _Grid(2, 16), "Q4_K": _Grid(16, 32)}
_LEVELS = 16


def gptq(
    type_name: str,
    rows: Floats,
    gram: NDArray[np.float64],
    encode: Encode,
    *,
    damping: float = DAMPING,
    act_order: bool = True,
) -> NDArray[np.uint8]:
    """The bytes (n, bytes of a row) of a matrix (n, k) in one of GRIDS whose output on the calibration text is near.

    gram: mean of x x^T (k, k) over its inputs x. encode: gives blocks their scales. act_order: columns in falling order
    of their input's size, with scales of the matrix as it was; otherwise from left to right, with scales of what each
    block has become when its turn comes.
    Raises ValueError for another type, or a shape that does not fit. NumericalError: the Gram matrix is not finite.
    """
    if type_name not in GRIDS:
        raise ValueError(f"no GPTQ for {type_name}, there is one for {', '.join(GRIDS)}")
    n, k = rows.shape
    elements, block_bytes = BLOCKS[GGMLType[type_name]]
    if gram.shape != (k, k) or k % elements:
        raise ValueError(f"{type_name}: {k} columns in blocks of {elements}, with a Gram matrix of {gram.shape}")
    importance = np.diag(gram).astype(np.float32)
    falling = sorted(range(k), key=lambda i: -float(importance[i]))
    order = np.array(falling if act_order else range(k), np.intp)
    factor = _factor(gram[np.ix_(order, order)] if act_order else gram, damping)
    weights = rows[:, order].astype(np.float32)  # a copy, in the order of rounding
    codes = np.empty((n, k), np.uint8)
    stored = np.empty((n, k // elements, block_bytes), np.uint8)
    scales = minima = np.empty((0, 0), np.float32)
    if act_order:
        stored[:] = encode(type_name, rows, importance).reshape(stored.shape)
        scales, minima = _grid(type_name, stored)
    width = _STATIC_WIDTH if act_order else elements
    for start in range(0, k, width):
        part = slice(start, min(start + width, k))
        columns = order[part]
        block = np.ascontiguousarray(weights[:, part])
        if act_order:
            block_scales, block_minima = scales[:, columns], minima[:, columns]
        else:
            at = stored[:, start // elements : part.stop // elements]
            at[:] = encode(type_name, block, importance[part]).reshape(at.shape)
            block_scales, block_minima = _grid(type_name, at)
        codes[:, columns], errors = _round(block, block_scales, block_minima, factor[part, part])
        weights[:, part.stop :] -= errors @ factor[part, part.stop :]
    _put_codes(GRIDS[type_name], stored, codes)
    return stored.reshape(n, -1)


def _factor(gram: NDArray[np.float64], damping: float) -> Floats:
    """The upper triangular U with U^T U = (gram + damping)^-1, whose row i says how column i's error is best undone.

    Of gram = R R^T, R upper triangular, it is R^-1. Damping grows until there is such an R.
    """
    mean = float(np.diag(gram).mean())
    if not np.isfinite(gram).all():
        raise NumericalError("the Gram matrix of calibration inputs is not finite")
    while damping <= _DAMPING_LIMIT:
        damped = gram + (damping * mean if mean > 0 else 1.0) * np.eye(len(gram))
        try:
            root = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]
        except np.linalg.LinAlgError:
            damping *= 10
            continue
        # scaled so that the diagonal is about 1, in single precision too: only ratios within a row count
        factor: Floats = np.triu(np.linalg.inv(root) * np.sqrt(mean if mean > 0 else 1.0)).astype(np.float32)
        return factor
    raise NumericalError("the Gram matrix of calibration inputs is not positive, however much it is damped")


def _round(block: Floats, scales: Floats, minima: Floats, factor: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Codes and errors (n, cols) of a block of columns, which is overwritten."""
    codes, errors = np.empty(block.shape, np.uint8), np.empty(block.shape, np.float32)
    native.gptq_round(
        block.data,
        np.ascontiguousarray(scales).data,
        np.ascontiguousarray(minima).data,
        np.ascontiguousarray(factor).data,
        codes.data,
        errors.data,
        rows=block.shape[0],
        cols=block.shape[1],
        levels=_LEVELS,
    )
    return codes, errors


def _grid(type_name: str, stored: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """scale and minimum (n, cols) of each element of blocks (n, blocks, bytes), whose codes q mean scale q - minimum:
    what blocks mean whose codes are all 0, or all 1."""
    kind, grid = GGMLType[type_name], GRIDS[type_name]
    shape = (stored.shape[0], stored.shape[1] * BLOCKS[kind][0])
    values: list[NDArray[np.float64]] = []
    for nibbles in (0x00, 0x11):
        blocks = stored.copy()
        blocks[:, :, grid.codes_at : grid.codes_at + BLOCKS[kind][0] // 2] = nibbles
        values.append(decode(kind, np.ascontiguousarray(blocks), shape, np.float64))
    return (values[1] - values[0]).astype(np.float32), (-values[0]).astype(np.float32)


def _put_codes(grid: _Grid, stored: NDArray[np.uint8], codes: NDArray[np.uint8]) -> None:
    """Writes codes (n, k) into blocks (n, blocks, bytes) that have their scales."""
    runs = codes.reshape(*stored.shape[:2], -1, 2, grid.run)
    packed = (runs[..., 0, :] | runs[..., 1, :] << 4).reshape(*stored.shape[:2], -1)
    stored[:, :, grid.codes_at : grid.codes_at + packed.shape[2]] = packed
