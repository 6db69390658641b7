"""Typed access to metadata: every value is checked for its type and range when it is asked for."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeVar, overload

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.known_keys import FLOAT_TYPES, INT_TYPES
from edge.formats.metadata import Entry, describe_type
from edge.formats.types import SCALARS, ValueType

__all__ = ["MISSING", "Metadata", "Missing", "StringArray"]

_T = TypeVar("_T")
_LENGTH = struct.Struct("<Q")
_STRIDE = 8  # strings from one that is found at once to the next


# Views are native-endian, as the engine is: every supported machine is little-endian, like the file.
_VIEW_FORMATS: Final[dict[ValueType, Literal["B", "b", "H", "h", "I", "i", "Q", "q"]]] = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
}


class Missing:
    """The type of MISSING: a key without a default must be in the file."""


MISSING: Final = Missing()


class StringArray(Sequence[str]):
    """Strings of an array, decoded when they are read. Reading all of them, or the first one by its index, finds where
    every _STRIDE-th lies.

    Every string that is read is checked to be UTF-8, and raises BadModelFile naming key, index and byte otherwise.
    """

    def __init__(self, path: Path, key: str, view: memoryview, base: int, count: int) -> None:
        """`view` holds `count` strings, each behind its length; it starts at byte `base` of the file."""
        self._path, self._key, self._view, self._base, self._count = path, key, view, base, count
        self._marks: array[int] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(f"string {index} of {self._count} in {self._key}")
        index %= self._count
        try:
            return self.raw(index).decode()
        except UnicodeDecodeError as error:
            self._fail(index, error)

    def __iter__(self) -> Iterator[str]:
        # One copy of the region: slicing bytes is twice as fast as slicing a view.
        data, unpack, position, marks = bytes(self._view), _LENGTH.unpack_from, 0, array("Q")
        for index in range(self._count):
            if index % _STRIDE == 0:
                marks.append(position)
            start = position + 8
            position = start + unpack(data, position)[0]
            try:
                yield data[start:position].decode()
            except UnicodeDecodeError as error:
                self._fail(index, error)
        self._marks = marks

    def copied(self) -> StringArray:
        """The same strings in memory of their own: what becomes of the file does not matter to them."""
        return StringArray(self._path, self._key, memoryview(bytes(self._view)), self._base, self._count)

    def raw(self, index: int) -> bytes:
        """The bytes of string `index`, 0 <= index < len, unchecked."""
        start, end = self._place(index)
        return bytes(self._view[start:end])

    def _place(self, index: int) -> tuple[int, int]:
        """Where a string begins and ends."""
        if self._marks is None:
            self._marks = self._find()
        position, unpack = self._marks[index // _STRIDE], _LENGTH.unpack_from
        for _ in range(index % _STRIDE):
            position += unpack(self._view, position)[0] + 8
        return position + 8, position + 8 + unpack(self._view, position)[0]

    def _find(self) -> array[int]:
        marks, position, unpack = array("Q"), 0, _LENGTH.unpack_from
        for index in range(self._count):
            if index % _STRIDE == 0:
                marks.append(position)
            position += unpack(self._view, position)[0] + 8
        return marks

    def _fail(self, index: int, error: UnicodeDecodeError) -> NoReturn:
        at = self._base + self._place(index)[0] + error.start
        raise BadModelFile(
            self._path,
            f"key {self._key!r}: string {index} is not UTF-8 (byte {at}: 0x{error.object[error.start]:02x}, "
            f"{error.reason})",
        ) from None


class Metadata:
    """The key-value pairs of a file. Accessors raise BadModelFile naming the key, what it is and what it must be."""

    def __init__(self, path: Path, view: memoryview, entries: Mapping[str, Entry]) -> None:
        self.path = path
        self._view = view
        self._entries = entries

    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the file."""
        return tuple(self._entries)

    def has(self, key: str) -> bool:
        return key in self._entries

    def is_array(self, key: str) -> bool:
        """Whether the key holds an array."""
        return self._entry(key).item is not None

    def value_type(self, key: str) -> str:
        """The type of a value, in the words of the specification: "uint32", "array of string"."""
        return describe_type(self._entry(key))

    def value_end(self, key: str) -> int:
        """The byte of the file behind a value: where the next key begins, or the tensor table."""
        entry = self._entry(key)
        return entry.offset + entry.num_bytes

    @overload
    def get_int(self, key: str, *, minimum: int | None = ..., maximum: int | None = ...) -> int: ...
    @overload
    def get_int(self, key: str, default: _T, minimum: int | None = ..., maximum: int | None = ...) -> int | _T: ...
    def get_int(
        self, key: str, default: object = MISSING, minimum: int | None = None, maximum: int | None = None
    ) -> object:
        """An integer of any width, in [minimum, maximum]."""
        entry = self._find(key, default)
        if entry is None:
            return default
        if entry.type not in INT_TYPES:
            self._wrong_type(key, entry, "an integer")
        value: int = SCALARS[entry.type].unpack_from(self._view, entry.offset)[0]
        self._check_range(key, entry, value, minimum, maximum)
        return value

    @overload
    def get_float(self, key: str, *, minimum: float | None = ..., maximum: float | None = ...) -> float: ...
    @overload
    def get_float(
        self, key: str, default: _T, minimum: float | None = ..., maximum: float | None = ...
    ) -> float | _T: ...
    def get_float(
        self, key: str, default: object = MISSING, minimum: float | None = None, maximum: float | None = None
    ) -> object:
        """A finite float32 or float64, in [minimum, maximum]."""
        entry = self._find(key, default)
        if entry is None:
            return default
        if entry.type not in FLOAT_TYPES:
            self._wrong_type(key, entry, "a float")
        value: float = SCALARS[entry.type].unpack_from(self._view, entry.offset)[0]
        if not math.isfinite(value):
            raise BadModelFile(self.path, f"key {key!r} (byte {entry.offset}) is {value}, it must be finite")
        self._check_range(key, entry, value, minimum, maximum)
        return value

    @overload
    def get_bool(self, key: str) -> bool: ...
    @overload
    def get_bool(self, key: str, default: _T) -> bool | _T: ...
    def get_bool(self, key: str, default: object = MISSING) -> object:
        entry = self._find(key, default)
        if entry is None:
            return default
        if entry.type is not ValueType.BOOL:
            self._wrong_type(key, entry, "a bool")
        return self._view[entry.offset] == 1

    @overload
    def get_str(self, key: str) -> str: ...
    @overload
    def get_str(self, key: str, default: _T) -> str | _T: ...
    def get_str(self, key: str, default: object = MISSING) -> object:
        entry = self._find(key, default)
        if entry is None:
            return default
        if entry.type is not ValueType.STRING:
            self._wrong_type(key, entry, "a string")
        return str(self._payload(entry), "utf-8")  # checked when the file was opened

    def get_strings(self, key: str) -> StringArray:
        """An array of strings, decoded one by one when read."""
        entry = self._array(key, frozenset({ValueType.STRING}), "an array of strings")
        return StringArray(self.path, key, self._payload(entry), entry.offset, entry.num_items)

    def get_bools(self, key: str) -> list[bool]:
        """An array of bools, copied from the file."""
        entry = self._array(key, frozenset({ValueType.BOOL}), "an array of bools")
        return [value == 1 for value in self._payload(entry)]

    def get_ints(self, key: str) -> Sequence[int]:
        """An array of integers of any width, as a view of the file."""
        entry = self._array(key, INT_TYPES, "an array of integers")
        assert entry.item is not None
        view: Sequence[int] = self._payload(entry).cast(_VIEW_FORMATS[entry.item])
        return view

    def get_floats(self, key: str) -> Sequence[float]:
        """An array of floats, copied from the file. Elements may be infinite or NaN."""
        entry = self._array(key, FLOAT_TYPES, "an array of floats")
        copy = memoryview(self._payload(entry).tobytes())
        view: Sequence[float] = copy.cast("f" if entry.item is ValueType.FLOAT32 else "d")
        return view

    def location(self, key: str) -> str:
        """Key and byte offset of its value, for error messages about the value."""
        return f"key {key!r} (byte {self._entry(key).offset})"

    def _entry(self, key: str) -> Entry:
        entry = self._entries.get(key)
        if entry is None:
            raise BadModelFile(self.path, f"missing key {key!r}")
        return entry

    def _find(self, key: str, default: object) -> Entry | None:
        return self._entry(key) if default is MISSING else self._entries.get(key)

    def _array(self, key: str, items: frozenset[ValueType], wanted: str) -> Entry:
        entry = self._entry(key)
        if entry.item not in items:
            self._wrong_type(key, entry, wanted)
        return entry

    def _payload(self, entry: Entry) -> memoryview:
        return self._view[entry.offset : entry.offset + entry.num_bytes]

    def _wrong_type(self, key: str, entry: Entry, wanted: str) -> NoReturn:
        raise BadModelFile(
            self.path, f"key {quoted(key)} (byte {entry.offset}) is {describe_type(entry)}, it must be {wanted}"
        )

    def _check_range(self, key: str, entry: Entry, value: float, minimum: float | None, maximum: float | None) -> None:
        if minimum is not None and value < minimum:
            limit = f"at least {minimum}"
        elif maximum is not None and value > maximum:
            limit = f"at most {maximum}"
        else:
            return
        raise BadModelFile(self.path, f"key {quoted(key)} (byte {entry.offset}) is {value}, it must be {limit}")
