"""Reads one safetensors file: the header is checked whole, tensors are mapped and decoded one at a time.

Format: a length (u64), so many bytes of JSON, then data that the JSON's offsets cover without gap or overlap
(huggingface/safetensors, "Format").
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.json_file import is_list, is_object, parse_object
from edge.formats.mapping import MappedFile
from edge.formats.sniff import describe_foreign_file

__all__ = ["SafetensorsFile", "StoredTensor"]

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_DIMS = 8
_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64"), 8),
}
_FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
_KEYS = {"dtype", "shape", "data_offsets"}


class StoredTensor(NamedTuple):
    """A tensor as the file holds it. start, end: bytes from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class SafetensorsFile:
    """An open file. `tensors`: by name, in the file's order."""

    def __init__(self, path: Path, file: MappedFile) -> None:
        """Takes `file` over. BadModelFile: the header breaks the format; key, value and limit are named."""
        self.path, self._file = path, file
        try:
            self.tensors: Mapping[str, StoredTensor] = _read_header(path, file.view)
        except BaseException:
            file.close()
            raise

    @property
    def file(self) -> MappedFile:
        return self._file

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor of floats as float32, in its shape. UnsupportedModel: it holds something else."""
        stored = self.tensors[name]
        data = self._bytes(stored)
        if stored.dtype in _FLOATS:
            values = np.frombuffer(data, _FLOATS[stored.dtype]).astype(np.float32)
        elif stored.dtype == "BF16":
            values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif stored.dtype in ("F8_E4M3", "F8_E5M2"):
            table = _float8(4, 3, 7) if stored.dtype == "F8_E4M3" else _float8(5, 2, 15)
            values = table[np.frombuffer(data, np.uint8)]
        else:
            raise UnsupportedModel(self.path, f"tensor {quoted(name)} is {stored.dtype}, wanted floats")
        data.release()
        self._file.let_go(stored.start, stored.end - stored.start)
        return values.reshape(stored.shape)

    def codes(self, name: str) -> NDArray[np.uint8]:
        """A tensor of U8 as it is, copied. UnsupportedModel: it holds something else."""
        stored = self.tensors[name]
        if stored.dtype != "U8":
            raise UnsupportedModel(self.path, f"tensor {quoted(name)} is {stored.dtype}, wanted U8")
        data = self._bytes(stored)
        values = np.frombuffer(data, np.uint8).copy().reshape(stored.shape)
        data.release()
        self._file.let_go(stored.start, stored.end - stored.start)
        return values

    def close(self) -> None:
        self._file.close()

    def _bytes(self, stored: StoredTensor) -> memoryview:
        return self._file.view[stored.start : stored.end]


def _read_header(path: Path, view: memoryview) -> dict[str, StoredTensor]:
    if len(view) < 8:
        raise BadModelFile(path, f"has {len(view)} bytes, a safetensors file has at least 8")
    length: int = struct.unpack_from("<Q", view)[0]
    if length > min(MAX_HEADER_BYTES, len(view) - 8):
        limit = (
            f"the limit is {MAX_HEADER_BYTES}" if length > MAX_HEADER_BYTES else f"only {len(view) - 8} bytes follow"
        )
        clue = describe_foreign_file(bytes(view[:64]))
        raise BadModelFile(
            path, f"byte 0: header length {length}, {limit}" + (f"; it {clue}" if clue.startswith("looks") else "")
        )
    if bytes(view[8:9]) != b"{":
        raise BadModelFile(path, "byte 8: the header must begin with '{'")
    header = parse_object(path, view[8 : 8 + length], "header")
    _check_metadata(path, header.pop("__metadata__", None))
    start = 8 + length
    tensors = {name: _tensor(path, name, entry, start) for name, entry in header.items()}
    _check_coverage(path, tensors, start, len(view))
    return tensors


def _check_metadata(path: Path, metadata: object) -> None:
    """Texts that nobody reads here."""
    if metadata is None:
        return
    if not is_object(metadata) or not all(isinstance(value, str) for value in metadata.values()):
        raise BadModelFile(path, "header: key '__metadata__' must be an object of texts")


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    what = f"header: tensor {quoted(name)}"
    if not is_object(entry) or set(entry) != _KEYS:
        raise BadModelFile(path, f"{what} must have exactly the keys {', '.join(sorted(_KEYS))}")
    dtype = entry["dtype"]
    if not isinstance(dtype, str):
        raise BadModelFile(path, f"{what}: dtype must be a text")
    if dtype not in _BYTES:
        raise UnsupportedModel(path, f"{what}: dtype {quoted(dtype)}; edge reads {', '.join(_BYTES)}")
    shape = _whole_numbers(entry["shape"])
    if shape is None or len(shape) > MAX_DIMS:
        raise BadModelFile(path, f"{what}: shape must be at most {MAX_DIMS} whole numbers from 0 to 2**63 - 1")
    offsets = _whole_numbers(entry["data_offsets"])
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise BadModelFile(path, f"{what}: data_offsets must be two whole numbers, the first not above the second")
    wanted = math.prod(shape) * _BYTES[dtype]
    if wanted != offsets[1] - offsets[0]:
        raise BadModelFile(
            path, f"{what}: {dtype} of shape {shape} takes {wanted} bytes, data_offsets span {offsets[1] - offsets[0]}"
        )
    return StoredTensor(dtype, shape, start + offsets[0], start + offsets[1])


def _whole_numbers(value: Any) -> tuple[int, ...] | None:
    if not is_list(value) or any(type(number) is not int or not 0 <= number < 2**63 for number in value):
        return None
    return tuple(value)


def _check_coverage(path: Path, tensors: Mapping[str, StoredTensor], start: int, size: int) -> None:
    """The tensors lie one behind the other and fill the file, so that nothing is read twice or hidden."""
    position = start
    for name, stored in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if stored.start != position:
            kind = "overlaps the one before it" if stored.start < position else "leaves a gap before it"
            raise BadModelFile(path, f"header: tensor {quoted(name)} begins at byte {stored.start} and {kind}")
        if stored.end > size:
            raise BadModelFile(
                path,
                f"header: tensor {quoted(name)} ends at byte {stored.end}, the file has {size} bytes; was the download "
                "interrupted?",
            )
        position = stored.end
    if position != size:
        raise BadModelFile(path, f"{size - position} bytes follow the last tensor, there must be none")


def _float8(exponent_bits: int, mantissa_bits: int, bias: int) -> NDArray[np.float32]:
    """The values of all 256 codes. E4M3 (OCP, "fn") has no infinity, only two NaN; E5M2 has both."""
    values: list[float] = []
    for code in range(128):
        exponent, mantissa = code >> mantissa_bits, code % 2**mantissa_bits / 2**mantissa_bits
        if exponent_bits == 5 and exponent == 31:
            values.append(math.nan if mantissa else math.inf)
        elif exponent_bits == 4 and code == 127:
            values.append(math.nan)
        elif exponent == 0:
            values.append(math.ldexp(mantissa, 1 - bias))
        else:
            values.append(math.ldexp(1.0 + mantissa, exponent - bias))
    return np.array([*values, *(-value for value in values)], np.float32)
