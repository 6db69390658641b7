"""Addresses of Python buffers: bytes, array, mmap, memoryview, NumPy; read-only ones too, and never a copy."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from edge.errors import NativeError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    Int32s = Buffer | Sequence[int]  # int32 values; a sequence of int is copied into an array


class _PyBuffer(ctypes.Structure):
    """Py_buffer, part of the stable interface since Python 3.11 (PEP 688 and the C API's "Buffer Protocol")."""

    _fields_: ClassVar = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]

    buf: int | None
    len: int


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = (ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int)
_get_buffer.restype = ctypes.c_int
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = (ctypes.POINTER(_PyBuffer),)
_release_buffer.restype = None

_SIMPLE = 0  # PyBUF_SIMPLE: contiguous bytes
_INT32_FORMATS = frozenset({"i", "=i", "<i", "@i"} | ({"l", "@l"} if ctypes.sizeof(ctypes.c_long) == 4 else set()))
_FLOAT_FORMATS = frozenset({"f", "=f", "<f", "@f"})


class Pinned:
    """A buffer held in place while the block runs: `address` (0 when empty) and `num_bytes`.

    NativeError: the object has no buffer, or it is not contiguous.
    """

    __slots__ = ("_held", "address", "format", "num_bytes")

    def __init__(self, source: Buffer, what: str) -> None:
        self._held: ctypes.c_char | _PyBuffer | None = None
        self.address: int = 0
        try:
            view = memoryview(source)
            if view.nbytes and not view.readonly:
                self._held = ctypes.c_char.from_buffer(view)  # much quicker than the way that read-only memory needs
                self.address = ctypes.addressof(self._held)
            else:
                held = _PyBuffer()
                _get_buffer(source, ctypes.byref(held), _SIMPLE)
                self._held, self.address = held, held.buf or 0
        except (TypeError, BufferError, ValueError) as error:
            raise NativeError(f"{what}: wanted contiguous memory, got {type(source).__name__}: {error}") from error
        self.format, self.num_bytes = view.format, view.nbytes

    def close(self) -> None:
        held, self._held = self._held, None
        if isinstance(held, _PyBuffer):
            _release_buffer(ctypes.byref(held))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class PinnedItems(Pinned):
    """Items of one type: `count` of them at `address`."""

    __slots__ = ("count",)

    def __init__(self, source: Buffer, what: str, formats: frozenset[str]) -> None:
        super().__init__(source, what)
        if self.format not in formats:
            raise NativeError(f"{what}: wanted items of format {min(formats, key=len)!r}, got {self.format!r}")
        self.count: int = self.num_bytes // 4


def pin_int32(values: Int32s, what: str) -> PinnedItems:
    """int32 items in place; a plain sequence of int becomes an array first."""
    if isinstance(values, (list, tuple, range)):
        values = int32_array(values, what)
    return PinnedItems(values, what, _INT32_FORMATS)  # type: ignore[arg-type]


def pin_float(values: Buffer, what: str) -> PinnedItems:
    return PinnedItems(values, what, _FLOAT_FORMATS)


def int32_array(values: Sequence[int], what: str) -> array[int]:
    try:
        return array("i", values)
    except (OverflowError, TypeError) as error:
        raise NativeError(f"{what}: wanted int32 values: {error}") from error
