"""Rounding with feedback: the inner loop of GPTQ."""

from __future__ import annotations

import ctypes
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge.errors import NativeError
from edge.native import structs
from edge.native.buffers import Pinned
from edge.native.handle import checked_int
from edge.native.library import check, library

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MAX_COLS = 1024  # EDGE_GPTQ_MAX_COLS


def gptq_round(
    weights: Buffer,
    scales: Buffer,
    minima: Buffer,
    factor: Buffer,
    codes: Buffer,
    errors: Buffer,
    *,
    rows: int,
    cols: int,
    levels: int,
) -> None:
    """Rounds a block of columns to codes q that stand for scale * q - minimum, 0 <= q < levels, and moves the error of
    each column to those behind it (Frantar et al. 2022, arXiv:2210.17323).

    weights, scales, minima: float32 (rows, cols), the first overwritten. factor: float32 (cols, cols), upper
    triangular. codes: uint8 (rows, cols), and errors: float32 (rows, cols), are written.
    NativeError: an array of another size or read-only, sizes out of range, a diagonal that is not positive.
    """
    cells = checked_int(rows, "rows", 0, 2**31 - 1) * checked_int(cols, "cols", 1, _MAX_COLS)
    error, block = (
        structs.Error(),
        structs.GptqBlock(rows=rows, cols=cols, levels=checked_int(levels, "levels", 2, 256)),
    )
    arrays = (
        ("weights", weights, 4 * cells, True),
        ("scales", scales, 4 * cells, False),
        ("minima", minima, 4 * cells, False),
        ("factor", factor, 4 * cols * cols, False),
        ("codes", codes, cells, True),
        ("errors", errors, 4 * cells, True),
    )
    with ExitStack() as stack:
        for name, array, num_bytes, is_written in arrays:
            pinned = stack.enter_context(Pinned(array, name))
            if pinned.num_bytes != num_bytes:
                raise NativeError(f"{name} has {pinned.num_bytes} bytes, wanted {num_bytes}")
            if is_written and memoryview(array).readonly:
                raise NativeError(f"{name} is read-only")
            setattr(block, name, pinned.address)
        if rows:  # an empty array may have no address
            check(library().edge_gptq_round(ctypes.byref(block), ctypes.byref(error)), "gptq", error)
