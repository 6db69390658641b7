"""Rows of weights to the bytes of any type: block types by the C library, which also searches the scales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from edge.errors import NumericalError, RequestError
from edge.formats.types import GGMLType, tensor_num_bytes
from edge.native import Refused, Threads, quantise

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ENCODABLE", "encode", "encode_rows"]

_FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)
ENCODABLE: tuple[GGMLType, ...] = (
    *_FLOATS,
    GGMLType.Q8_0,
    GGMLType.Q4_0,
    GGMLType.Q4_1,
    GGMLType.Q5_0,
    GGMLType.Q5_1,
    GGMLType.Q2_K,
    GGMLType.Q3_K,
    GGMLType.Q4_K,
    GGMLType.Q5_K,
    GGMLType.Q6_K,
    GGMLType.IQ4_NL,
    GGMLType.IQ4_XS,
    GGMLType.TQ1_0,
    GGMLType.TQ2_0,
    GGMLType.MXFP4,
)
_SMALLEST_IMPORTANCE = 1e-6  # of the mean: a column that calibration never reached must not become noise
_CHUNK_ELEMENTS = 1 << 20


def encode(
    type_name: str,
    rows: NDArray[np.float32],
    importance: NDArray[np.float32] | None = None,
    *,
    tensor: str = "",
    threads: Threads | None = None,
) -> NDArray[np.uint8]:
    """The bytes of a matrix (n, k) as (n, bytes of a row). The same bytes with any number of threads.

    importance: (k,), how much an error in each column counts (the mean square of what the column is multiplied with);
    its unit does not matter. None: the size of the weights says it, as in llama.cpp.
    Raises NumericalError naming tensor, row, column and value for a weight that is not finite or that the type cannot
    hold; RequestError for a type without an encoder, a row that is no whole number of blocks, and an importance that is
    negative, not finite or of another length.
    """
    where = f"tensor {tensor!r}: " if tensor else ""
    if type_name not in GGMLType.__members__ or GGMLType[type_name] not in ENCODABLE:
        raise RequestError(f"{where}no encoder for {type_name}, there is one for {names(ENCODABLE)}")
    try:
        return encode_rows(GGMLType[type_name], rows, importance, threads)
    except Refused as error:
        row, column = divmod(error.index, rows.shape[1])
        value = float(rows[row, column])
        holder = type_name if np.isfinite(value) else "a model"
        raise NumericalError(f"{where}row {row}, column {column} is {value!r}, which {holder} cannot hold") from None
    except ValueError as error:
        raise RequestError(f"{where}{error}") from error


def encode_rows(
    kind: GGMLType,
    rows: NDArray[Any],
    importance: NDArray[np.float32] | None = None,
    threads: Threads | None = None,
) -> NDArray[np.uint8]:
    """`encode` for who words the errors himself: Refused holds the index of the weight, ValueError says the rest."""
    num_bytes = tensor_num_bytes(kind, rows.shape)
    n, k = rows.shape
    out = np.empty((n, num_bytes // n), np.uint8)
    weights = None if importance is None else _usable(importance, k)
    step = max(_CHUNK_ELEMENTS * (1 if threads is None else threads.num_threads) // k, 1)
    for start in range(0, n, step):
        with np.errstate(all="ignore"):  # what overflows is not finite, and refused
            values = np.ascontiguousarray(rows[start : start + step], np.float32)
        try:
            out[start : start + step] = _encoded(kind, values, weights, threads)
        except Refused as error:
            raise Refused(start * k + error.index, str(error)) from None
    return out


def names(types: tuple[GGMLType, ...]) -> str:
    """Names in a sentence."""
    return ", ".join(sorted(entry.name for entry in types))


def _encoded(
    kind: GGMLType, values: NDArray[np.float32], importance: NDArray[np.float32] | None, threads: Threads | None
) -> NDArray[np.uint8]:
    n, k = values.shape
    if kind not in _FLOATS:
        blocks = quantise(
            kind, n, k, _memory(values), None if importance is None else _memory(importance), threads=threads
        )
        return np.frombuffer(blocks, np.uint8).reshape(n, -1)
    with np.errstate(all="ignore"):
        if kind is GGMLType.F16:
            stored: NDArray[Any] = values.astype("<f2")
            finite = np.isfinite(stored)
        elif kind is GGMLType.BF16:  # to nearest even on the upper 16 bits; finite values may round up to infinity
            bits = values.view(np.uint32)
            stored = ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype("<u2")
            finite = np.isfinite(values) & ((stored & 0x7F80) != 0x7F80)
        else:
            stored = values.astype("<f4", copy=False)
            finite = np.isfinite(stored)
    if not finite.all():
        index = int(finite.argmin())
        raise Refused(index, f"{kind.name} cannot hold value {index}")
    return stored.view(np.uint8)


def _memory(values: NDArray[np.float32]) -> Buffer:
    """An array as what it is, which NumPy's stubs do not say."""
    return cast("Buffer", values)


def _usable(importance: NDArray[np.float32], cols: int) -> NDArray[np.float32] | None:
    """With a mean near 1, so that no product overflows; none when all are zero, which says nothing."""
    if importance.shape != (cols,):
        raise ValueError(f"importance of shape {importance.shape} for {cols} columns")
    values = importance.astype(np.float64)
    good = np.isfinite(values) & (values >= 0)
    if not good.all():
        column = int(good.argmin())
        raise ValueError(f"importance of column {column} is {float(values[column])!r}, wanted a finite number >= 0")
    mean = float(values.mean())
    if mean == 0:
        return None
    _, exponent = np.frexp(mean)  # a power of two: nothing is rounded
    usable: NDArray[np.float32] = np.maximum(np.ldexp(values, -exponent), _SMALLEST_IMPORTANCE).astype(np.float32)
    return usable
