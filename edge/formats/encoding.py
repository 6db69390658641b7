"""Encodes the parts of a GGUF header: strings, typed values, rows of the tensor table."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeAlias

from edge.formats.types import SCALARS, ValueType

__all__ = ["Value", "encode_string", "encode_tensor", "encode_value"]

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | Sequence[bool] | Sequence[int] | Sequence[float] | Sequence[str]


def encode_string(text: bytes) -> bytes:
    """A string behind its length."""
    return struct.pack("<Q", len(text)) + text


def encode_value(value: Value, kind: ValueType | None) -> bytes:
    """A value as the file holds it, behind its type. `kind`: of the scalar, or of the elements of a sequence.

    TypeError, ValueError or struct.error when it cannot be held.
    """
    if kind is ValueType.ARRAY:
        raise ValueError("give the type of the elements, not ARRAY")
    if isinstance(value, (bool, int, float, str)):
        kind = _infer([value]) if kind is None else kind
        return struct.pack("<I", kind) + _scalar(value, kind)
    elements: list[Scalar] = list(value)
    if kind is None:
        if not elements:
            raise ValueError("an empty array needs a type")
        kind = _infer(elements)
    return struct.pack("<IIQ", ValueType.ARRAY, kind, len(elements)) + b"".join(
        _scalar(item, kind) for item in elements
    )


def encode_tensor(name: bytes, shape: Sequence[int], type: int, offset: int) -> bytes:
    """A row of the tensor table; `shape` in NumPy order, `offset` from the start of the data."""
    return encode_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), type, offset)


def _infer(values: Sequence[Scalar]) -> ValueType:
    """The type that holds all `values`, which must be of one Python type (integers among floats count as floats)."""
    if all(isinstance(value, str) for value in values):
        return ValueType.STRING
    if all(isinstance(value, bool) for value in values):
        return ValueType.BOOL
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) != len(values):
        raise TypeError("the elements of an array must be of one type")
    if any(isinstance(value, float) for value in numbers):
        return ValueType.FLOAT32
    for kind in (ValueType.UINT32, ValueType.INT32, ValueType.UINT64, ValueType.INT64):
        low, high = _int_range(kind)
        if low <= min(numbers) and max(numbers) <= high:
            return kind
    raise ValueError(f"{min(numbers)} to {max(numbers)} fits no integer type of 64 bits")


def _int_range(kind: ValueType) -> tuple[int, int]:
    bits = 8 * SCALARS[kind].size
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind.name.startswith("INT") else (0, 2**bits - 1)


def _scalar(value: Scalar, kind: ValueType) -> bytes:
    """One value as the file holds it. Raises TypeError or struct.error when `kind` cannot hold it."""
    if kind is ValueType.STRING:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a string")
        return encode_string(value.encode())
    if isinstance(value, str) or isinstance(value, bool) != (kind is ValueType.BOOL):
        raise TypeError(f"{value!r} cannot be stored as {kind.name.lower()}")
    try:
        return SCALARS[kind].pack(value)
    except OverflowError as error:
        raise ValueError(f"{value!r}: {error}") from error
