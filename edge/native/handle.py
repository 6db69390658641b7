"""Ownership of C objects: freed when the last Python object that needs them lets go."""

from __future__ import annotations

import ctypes
import operator
from types import TracebackType
from typing import Any, Self, SupportsIndex

from edge.errors import NativeError


class Handle:
    """An address and the function that destroys it. `keep`: objects that must live at least as long.

    Views and programs hold the handles of what they read, so closing an object early is safe: its memory goes when
    nothing refers to it.
    """

    __slots__ = ("_destroy", "address", "keep")

    def __init__(self, address: ctypes.c_void_p, destroy: Any, keep: object = None) -> None:
        self.address = address
        self.keep = keep
        self._destroy = destroy

    def __del__(self) -> None:
        self._destroy(ctypes.byref(self.address))


class Closable:
    """Base of the objects: holds a handle until close(). Subclasses set `_handle`."""

    _handle: Handle | None = None

    @property
    def handle(self) -> Handle:
        """NativeError after close. Only for this package."""
        handle = self._handle
        if handle is None:
            raise NativeError(f"this {type(self).__name__} is closed")
        return handle

    def close(self) -> None:
        """Lets go of the C object; allowed twice. It is freed once no view or program uses it any more."""
        self._handle = None

    @property
    def closed(self) -> bool:
        return self._handle is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def checked_int(value: object, what: str, low: int, high: int) -> int:
    """The value as int. NativeError unless it is a whole number in low .. high."""
    if type(value) is int:  # nearly always, and asking a protocol takes 20 us
        number = value
    elif isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise NativeError(f"{what} is {value!r}, wanted a whole number")
    else:
        number = operator.index(value)
    if not low <= number <= high:
        raise NativeError(f"{what} is {number}, wanted {low} .. {high}")
    return number
