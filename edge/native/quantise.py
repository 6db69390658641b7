"""Rows of floats into GGUF blocks."""

from __future__ import annotations

import ctypes
from contextlib import nullcontext
from typing import TYPE_CHECKING

from edge.errors import NativeError
from edge.native.buffers import pin_float
from edge.native.handle import checked_int
from edge.native.isa import isa_number
from edge.native.library import NONFINITE, check, library
from edge.native.threads import Threads
from edge.native.weights import weights_sizes

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Refused(NativeError):
    """A weight that the type cannot hold; `index` counts over the whole matrix."""

    def __init__(self, index: int, message: str) -> None:
        self.index = index
        super().__init__(message)


def quantise(
    type: int,
    rows: int,
    cols: int,
    values: Buffer,
    importance: Buffer | None = None,
    *,
    threads: Threads | None = None,
    isa: str | None = None,
) -> bytearray:
    """The GGUF blocks, row by row, of (rows, cols) float32; the same bytes for any threads and level.

    importance: (cols,) float32 >= 0, how much an error in each column counts. threads: None for the calling one alone.
    Refused: a weight that is not finite, or too large for the type. NativeError: no encoder for the type, or a bad
    shape or size.
    """
    rows, cols = checked_int(rows, "rows", 1, 2**63 - 1), checked_int(cols, "cols", 1, 2**63 - 1)
    what = f"encoding as type {type}, {rows} x {cols}"
    out = bytearray(weights_sizes(type, rows, cols)[0])
    refused = ctypes.c_int64()
    with (
        pin_float(values, what) as source,
        nullcontext() if importance is None else pin_float(importance, what) as column,
        threads.lock if threads is not None else nullcontext(),
    ):
        if source.count != rows * cols:
            raise NativeError(f"{what}: there are {source.count} values, wanted {rows * cols}")
        if column is not None and column.count != cols:
            raise NativeError(f"{what}: there are {column.count} importances, wanted {cols}")
        target = (ctypes.c_uint8 * len(out)).from_buffer(out)
        status = library().edge_quantise(
            target,
            type,
            source.address,
            rows,
            cols,
            column.address if column is not None else None,
            isa_number(isa),
            threads.handle.address if threads is not None else None,
            ctypes.byref(refused),
        )
        del target  # the bytearray may be resized again
    if status == NONFINITE:
        raise Refused(refused.value, f"{what}: value {refused.value} cannot be held")
    check(status, what)
    return out
