"""Parses GGUF's key-value section into a table of locations; values are decoded when they are asked for."""

from __future__ import annotations

import re
import struct
from itertools import repeat
from typing import NamedTuple

from edge.formats.cursor import Cursor, quoted
from edge.formats.types import SCALARS, ValueType

__all__ = ["MAX_KEYS", "Entry", "describe_type", "read_entries"]

# Bounds of time and memory for hostile files; real files hold about 50 keys and 300,000 merges.
MAX_KEYS = 65_536
MAX_KEY_BYTES = 65_535
MAX_STRINGS = 8 * 2**20
MAX_NESTING = 4
MAX_NESTED_ARRAYS = 4096
_STRING_LENGTH = struct.Struct("<Q")
_NOT_A_BOOL = re.compile(rb"[^\x00\x01]")


class Entry(NamedTuple):
    """Where a metadata value lies. For arrays `item` is the element type and `num_items` the number of elements."""

    type: ValueType
    offset: int  # of the value's first byte: behind a string's length or an array's type and count
    num_bytes: int
    item: ValueType | None = None
    num_items: int = 0


def describe_type(entry: Entry) -> str:
    """The type in words of the specification: "uint32", "array of string"."""
    return entry.type.name.lower() if entry.item is None else f"array of {entry.item.name.lower()}"


def read_entries(cursor: Cursor, count: int) -> dict[str, Entry]:
    """Read `count` key-value pairs at the cursor. Raises BadModelFile at the first that breaks the format."""
    entries: dict[str, Entry] = {}
    reader = _ValueReader(cursor)
    for index in range(count):
        start = cursor.offset
        key = cursor.text(f"key {index} of {count}", MAX_KEY_BYTES)
        if key in entries:
            cursor.fail(f"key {quoted(key)} occurs twice", start)
        entries[key] = reader.read(key)
    return entries


class _ValueReader:
    """Steps over values, checking each; holds the budgets that all values of a file share."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._nested_arrays_left = MAX_NESTED_ARRAYS
        self._strings_left = MAX_STRINGS

    def read(self, key: str) -> Entry:
        cursor, name = self._cursor, f"key {quoted(key)}"
        value_type = self._type(name)
        if value_type is ValueType.STRING:
            length = cursor.u64(f"{name}: length of the string")
            cursor.need(length, f"{name}: a string of length {length}")
            offset = cursor.offset
            cursor.skip_text(length, f"{name}: the string")
            return Entry(value_type, offset, length)
        if value_type is ValueType.ARRAY:
            return self._array(name, 1)
        size = SCALARS[value_type].size
        cursor.need(size, f"{name}: a value of type {value_type.name.lower()}")
        offset = cursor.offset
        if value_type is ValueType.BOOL and cursor.window[offset] > 1:
            cursor.fail(f"{name}: bool {cursor.window[offset]}, allowed are 0 and 1")
        cursor.offset += size
        return Entry(value_type, offset, size)

    def _type(self, name: str) -> ValueType:
        start = self._cursor.offset
        number = self._cursor.u32(f"{name}: value type")
        try:
            return ValueType(number)
        except ValueError:
            self._cursor.fail(f"{name}: value type {number} is unknown, the highest is {max(ValueType)}", start)

    def _array(self, name: str, depth: int) -> Entry:
        cursor = self._cursor
        if depth > MAX_NESTING:
            cursor.fail(f"{name}: arrays are nested {depth} deep, the limit is {MAX_NESTING}")
        item = self._type(f"{name}: elements")
        start = cursor.offset
        count = cursor.u64(f"{name}: array length")
        smallest = SCALARS[item].size if item in SCALARS else 12 if item is ValueType.ARRAY else 8
        if count > cursor.remaining // smallest:
            cursor.fail(
                f"{name}: array length {count} of {item.name.lower()} takes at least {count * smallest} bytes, "
                f"only {cursor.limit_text()}",
                start,
            )
        offset = cursor.offset
        if item is ValueType.STRING:
            self._skip_strings(name, count)
        elif item is ValueType.ARRAY:
            for _ in range(count):
                self._nested_arrays_left -= 1
                if self._nested_arrays_left < 0:
                    cursor.fail(f"{name}: more than {MAX_NESTED_ARRAYS} nested arrays in the file")
                self._array(name, depth + 1)
        else:
            cursor.offset += count * smallest
            if item is ValueType.BOOL:
                wrong = _NOT_A_BOOL.search(cursor.window, offset, cursor.offset)
                if wrong:
                    value = cursor.window[wrong.start()]
                    cursor.fail(f"{name}: bool {value}, allowed are 0 and 1", wrong.start())
        return Entry(ValueType.ARRAY, offset, cursor.offset - offset, item, count)

    def _skip_strings(self, name: str, count: int) -> None:
        """Step over `count` strings. Only lengths are read: this loop is what opening a large vocabulary costs."""
        cursor = self._cursor
        self._strings_left -= count
        if self._strings_left < 0:
            cursor.fail(f"{name}: more than {MAX_STRINGS} strings in arrays of the file")
        window, unpack, position = cursor.window, _STRING_LENGTH.unpack_from, cursor.offset
        try:
            for _ in repeat(None, count):
                position += unpack(window, position)[0] + 8
        except (struct.error, OverflowError):  # a length led beyond the window: find which one
            position = cursor.end + 1
        if position > cursor.end:
            self._fail_at_long_string(name, count)
        cursor.offset = position

    def _fail_at_long_string(self, name: str, count: int) -> None:
        cursor = self._cursor
        for index in range(count):
            start = cursor.offset
            length = cursor.u64(f"{name}: length of string {index}")
            if length > cursor.remaining:
                cursor.fail(f"{name}: string {index} has length {length}, only {cursor.limit_text()}", start)
            cursor.offset += length
