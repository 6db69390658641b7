"""Parses the header of one GGUF file: version, metadata and tensor table, each checked against the file's real size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NoReturn

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import Cursor, quoted
from edge.formats.known_keys import check_known_keys
from edge.formats.metadata import MAX_KEYS, Entry, read_entries
from edge.formats.sniff import describe_foreign_file
from edge.formats.types import MAX_DIMS, SCALARS, ValueType, tensor_num_bytes

__all__ = ["Header", "TensorInfo", "read_header"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MIN_ALIGNMENT = 8
MAX_ALIGNMENT = 65_536
MAX_TENSORS = 262_144
MAX_TENSOR_NAME_BYTES = 64
_SMALLEST_ENTRY = 8 + 1 + 4 + 1  # key length, one character, type, a one-byte value
_SMALLEST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8  # name length, one character, dimensions, one size, type, offset


class TensorInfo(NamedTuple):
    """One tensor: `shape` in NumPy order, (rows, cols) for a matrix, (n,) for a vector; where its bytes lie."""

    name: str
    type: int  # number of a GGMLType
    shape: tuple[int, ...]
    num_bytes: int
    part: int  # index of the file it lies in
    offset: int  # absolute, in that file


class Header(NamedTuple):
    """What one file declares: where each value lies and where each tensor lies."""

    version: int
    entries: dict[str, Entry]
    tensors: dict[str, TensorInfo]


def read_header(path: Path, view: memoryview, part: int = 0, file_size: int | None = None) -> Header:
    """Parse the file `view`, or the beginning of a file of `file_size` bytes.

    Raises BadModelFile or, for GGUF that edge does not read, UnsupportedModel.
    """
    if bytes(view[:4]) != MAGIC:
        head = bytes(view[:64])
        raise BadModelFile(path, f"{describe_foreign_file(head)} (byte 0: {head[:4]!r}, wanted {MAGIC!r})")
    cursor = Cursor(path, view, file_size)
    cursor.offset = 4
    version = cursor.u32("version")
    if version not in VERSIONS:
        _refuse_version(path, version)
    start = cursor.offset
    num_tensors = cursor.u64("tensor count")
    num_entries = cursor.u64("key count")
    _check_count(cursor, num_tensors, _SMALLEST_TENSOR, "tensor count", start, MAX_TENSORS)
    _check_count(cursor, num_entries, _SMALLEST_ENTRY, "key count", start + 8, MAX_KEYS)
    entries = read_entries(cursor, num_entries)
    check_known_keys(path, entries, _architecture(view, entries))
    alignment = _alignment(path, view, entries)
    declared = [_read_tensor(cursor, index, num_tensors) for index in range(num_tensors)]
    data_start = -(-cursor.offset // alignment) * alignment
    return Header(version, entries, _place(cursor, declared, alignment, data_start, part))


def _refuse_version(path: Path, version: int) -> NoReturn:
    if version and version & 0xFFFF == 0:
        raise UnsupportedModel(
            path, f"byte 4: a big-endian GGUF file (version bytes {version:#010x}): convert it to little-endian"
        )
    if version == 1:
        raise UnsupportedModel(path, "byte 4: GGUF version 1 is no longer read, edge reads 2 and 3: convert it again")
    if version > max(VERSIONS):
        raise UnsupportedModel(path, f"byte 4: GGUF version {version} is newer than 3, the last one that edge reads")
    raise BadModelFile(path, f"byte 4: GGUF version {version} does not exist, edge reads 2 and 3")


def _check_count(cursor: Cursor, count: int, smallest: int, what: str, offset: int, limit: int) -> None:
    """Refuse a count that cannot be true before anything is read or allocated for it."""
    if count > limit:
        cursor.fail(f"{what} {count} exceeds the limit {limit}", offset)
    if count > cursor.remaining // smallest:
        cursor.fail(f"{what} {count} takes at least {count * smallest} bytes, only {cursor.limit_text()}", offset)


def _architecture(view: memoryview, entries: dict[str, Entry]) -> str:
    entry = entries.get("general.architecture")
    if entry is None or entry.type is not ValueType.STRING:
        return ""
    return str(view[entry.offset : entry.offset + entry.num_bytes], "utf-8")


def _alignment(path: Path, view: memoryview, entries: dict[str, Entry]) -> int:
    entry = entries.get("general.alignment")
    if entry is None:
        return DEFAULT_ALIGNMENT
    value: int = SCALARS[entry.type].unpack_from(view, entry.offset)[0]
    if not MIN_ALIGNMENT <= value <= MAX_ALIGNMENT or value & (value - 1):
        raise BadModelFile(
            path,
            f"key 'general.alignment' (byte {entry.offset}) is {value}, "
            f"it must be a power of two from {MIN_ALIGNMENT} to {MAX_ALIGNMENT}",
        )
    return value


class _Declared(NamedTuple):
    """A row of the tensor table, and where in the file it says its offset."""

    name: str
    type: int
    shape: tuple[int, ...]
    num_bytes: int
    relative: int
    at: int


def _read_tensor(cursor: Cursor, index: int, count: int) -> _Declared:
    name = cursor.text(f"name of tensor {index} of {count}", MAX_TENSOR_NAME_BYTES)
    what = f"tensor {quoted(name)}"
    start = cursor.offset
    num_dims = cursor.u32(f"{what}: number of dimensions")
    if not 1 <= num_dims <= MAX_DIMS:
        cursor.fail(f"{what}: {num_dims} dimensions, allowed are 1 to {MAX_DIMS}", start)
    # The file lists the contiguous dimension first, NumPy last.
    shape = tuple(cursor.u64(f"{what}: dimension {axis}") for axis in range(num_dims))[::-1]
    number = cursor.u32(f"{what}: type")
    try:
        num_bytes = tensor_num_bytes(number, shape)
    except ValueError as error:
        cursor.fail(f"{what}: {error}", start)
    at = cursor.offset
    return _Declared(name, number, shape, num_bytes, cursor.u64(f"{what}: offset"), at)


def _place(
    cursor: Cursor, declared: Sequence[_Declared], alignment: int, data_start: int, part: int
) -> dict[str, TensorInfo]:
    """Check every tensor against the file and against its neighbours. Only then does the table exist."""
    tensors: dict[str, TensorInfo] = {}
    available = cursor.file_size - data_start
    for tensor in declared:
        what = f"tensor {quoted(tensor.name)}"
        if tensor.name in tensors:
            cursor.fail(f"{what} occurs twice", tensor.at)
        if tensor.relative % alignment:
            cursor.fail(f"{what}: offset {tensor.relative} is not a multiple of the alignment {alignment}", tensor.at)
        if tensor.relative + tensor.num_bytes > available:
            cursor.fail(
                f"{what}: offset {tensor.relative} and {tensor.num_bytes} bytes end at byte "
                f"{data_start + tensor.relative + tensor.num_bytes}, the file has {cursor.file_size} "
                "(was the download interrupted?)",
                tensor.at,
            )
        tensors[tensor.name] = TensorInfo(
            tensor.name, tensor.type, tensor.shape, tensor.num_bytes, part, data_start + tensor.relative
        )
    for before, after in pairwise(sorted(declared, key=lambda tensor: tensor.relative)):
        if before.relative + before.num_bytes > after.relative:
            cursor.fail(
                f"tensor {quoted(after.name)} at offset {after.relative} overlaps {quoted(before.name)}, "
                f"which ends at {before.relative + before.num_bytes}",
                after.at,
            )
    return tensors
