"""Tensors of an ONNX file: type, shape, and exactly the bytes that these need, inside the file or beside it."""

from __future__ import annotations

from typing import NamedTuple

from edge.formats.cursor import quoted
from edge.formats.onnx.parts import MAX_DIMS, MAX_ELEMENTS, MAX_NAME_BYTES, MAX_TEXT_BYTES, Outside, TensorSpec
from edge.formats.onnx.wire import Field, Message, WireType

__all__ = ["data_type_name", "read_tensor"]


class _Type(NamedTuple):
    name: str
    bits: int  # of an element; 0: texts, which have no size
    list_field: int = 5  # TensorProto's list that may hold it instead of raw_data: int32_data


# TensorProto.DataType
_TYPES = {
    1: _Type("float32", 32, 4),
    2: _Type("uint8", 8),
    3: _Type("int8", 8),
    4: _Type("uint16", 16),
    5: _Type("int16", 16),
    6: _Type("int32", 32),
    7: _Type("int64", 64, 7),
    9: _Type("bool", 8),
    10: _Type("float16", 16),
    11: _Type("float64", 64, 10),
    12: _Type("uint32", 32, 11),
    13: _Type("uint64", 64, 11),
    16: _Type("bfloat16", 16),
    17: _Type("float8e4m3fn", 8),
    18: _Type("float8e4m3fnuz", 8),
    19: _Type("float8e5m2", 8),
    20: _Type("float8e5m2fnuz", 8),
    21: _Type("uint4", 4),
    22: _Type("int4", 4),
    23: _Type("float4e2m1", 4),
    24: _Type("float8e8m0", 8),
    25: _Type("uint2", 2),
    26: _Type("int2", 2),
}
_LISTS = {4: "float_data", 5: "int32_data", 6: "string_data", 7: "int64_data", 10: "double_data", 11: "uint64_data"}
_EXTERNAL_KEYS = ("location", "offset", "length", "checksum")
_MAX_DIGITS = 19


def data_type_name(number: int) -> str:
    """ "float32", or "type 99" for a number that is none."""
    return _TYPES[number].name if number in _TYPES else f"type {number}"


def read_tensor(message: Message) -> TensorSpec:
    """A TensorProto. BadModelFile: one that is malformed, sparse or segmented, has texts, or not its shape's bytes."""
    dims, data_type, name = list[int](), 0, ""
    stored: dict[int, int] = {}  # list field -> elements
    raw: int | None = None
    entries: dict[str, str] = {}
    is_outside = False
    for field in message.fields():
        match field.number:
            case 1:
                dims += message.integers(field)
                if len(dims) > MAX_DIMS:
                    message.fail(f"has {len(dims)} dimensions, the limit is {MAX_DIMS}", field.at)
            case 2:
                data_type = message.signed(field)
            case 3:
                message.fail("is a segment of a tensor, which edge does not read", field.at)
            case 4 | 5 | 6 | 7 | 10 | 11:
                stored[field.number] = stored.get(field.number, 0) + _count(message, field)
            case 8:
                name = message.text(field, "name", MAX_NAME_BYTES)
            case 9:
                message.want(field, WireType.BYTES)
                if raw is not None:
                    message.fail("has raw_data twice", field.at)
                raw = field.end - field.value
            case 12:
                message.text(field, "doc_string", MAX_TEXT_BYTES)
            case 13:
                key, value = _entry(message.inside(field, "StringStringEntryProto"))
                if key in entries:
                    message.fail(f"external data has {quoted(key)} twice", field.at)
                if key not in _EXTERNAL_KEYS:
                    message.fail(f"external data has the key {quoted(key)}, which ONNX does not have", field.at)
                entries[key] = value
            case 14:
                where = message.signed(field)
                if where not in (0, 1):
                    message.fail(f"data_location is {where}, wanted 0 or 1", field.at)
                is_outside = where == 1
            case 16:
                _entry(message.inside(field, "StringStringEntryProto"))
            case _:
                message.fail(f"field {field.number}, which ONNX does not have", field.at)
    num_bytes, elements, kind = _size(message, name, data_type, dims)
    outside = None
    if is_outside:
        if raw is not None or stored:
            message.fail(f"tensor {quoted(name)} has bytes inside the file and beside it")
        outside = _outside(message, name, entries, num_bytes)
    elif entries:
        message.fail(f"tensor {quoted(name)} names external data but does not say that it is outside")
    else:
        _check_inside(message, name, kind, raw, stored, elements, num_bytes)
    return TensorSpec(name, data_type, tuple(dims), num_bytes, outside, message.first)


def _count(message: Message, field: Field) -> int:
    """Elements in one field of a list."""
    if field.type is not WireType.BYTES:
        return 1
    size = field.end - field.value
    if field.number == 6:
        return 1
    if field.number in (4, 10):
        width = 4 if field.number == 4 else 8
        if size % width:
            message.fail(f"{_LISTS[field.number]} holds {size} bytes, wanted a multiple of {width}", field.at)
        return size // width
    return sum(byte < 0x80 for byte in message.view[field.value : field.end])


def _size(message: Message, name: str, data_type: int, dims: list[int]) -> tuple[int, int, _Type]:
    """Bytes and elements that the shape needs."""
    if data_type == 8:
        message.fail(f"tensor {quoted(name)} holds texts, which no model for edge needs")
    kind = _TYPES.get(data_type)
    if kind is None:
        message.fail(f"tensor {quoted(name)} has the data type {data_type}, which ONNX does not have")
    elements = 1
    for size in dims:
        if not 0 <= size <= MAX_ELEMENTS:
            message.fail(f"tensor {quoted(name)} has a dimension of {size}, wanted 0 to {MAX_ELEMENTS}")
        elements *= size
        if elements > MAX_ELEMENTS:
            message.fail(f"tensor {quoted(name)} of shape {dims} has more than {MAX_ELEMENTS} elements")
    return -(-elements * kind.bits // 8), elements, kind


def _check_inside(
    message: Message, name: str, kind: _Type, raw: int | None, stored: dict[int, int], elements: int, num_bytes: int
) -> None:
    if raw is not None:
        if stored:
            message.fail(f"tensor {quoted(name)} has raw_data and {_LISTS[next(iter(stored))]}")
        if raw != num_bytes:
            message.fail(f"tensor {quoted(name)} has {raw} bytes, its shape takes {num_bytes}")
        return
    wrong = next((number for number in stored if number != kind.list_field), None)
    if wrong is not None:
        message.fail(f"tensor {quoted(name)} of {kind.name} is in {_LISTS[wrong]}")
    wanted = -(-elements * kind.bits // 8) if kind.bits < 8 else elements
    found = stored.get(kind.list_field, 0)
    if found != wanted:
        message.fail(f"tensor {quoted(name)} has {found} elements, its shape takes {wanted}")


def _entry(message: Message) -> tuple[str, str]:
    """A StringStringEntryProto."""
    key = value = ""
    for field in message.fields():
        if field.number == 1:
            key = message.text(field, "key", MAX_NAME_BYTES)
        elif field.number == 2:
            value = message.text(field, "value", MAX_TEXT_BYTES)
        else:
            message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return key, value


def _outside(message: Message, name: str, entries: dict[str, str], num_bytes: int) -> Outside:
    """BadModelFile for numbers that are none, and a length that is not the tensor's. The file is looked at later."""
    location = entries.get("location")
    if not location:
        message.fail(f"tensor {quoted(name)} is outside, but no location says where")
    if location.startswith("*/"):
        message.fail(
            f"tensor {quoted(name)} has the location {quoted(location)}, a mark of memory inside a running program"
        )
    offset = _number(message, name, "offset", entries.get("offset", "0"))
    length = _number(message, name, "length", entries.get("length", str(num_bytes)))
    if length != num_bytes:
        message.fail(f"tensor {quoted(name)} has {length} bytes of external data, its shape takes {num_bytes}")
    return Outside(location, offset, length)


def _number(message: Message, name: str, key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) < 2**63):
        message.fail(f"tensor {quoted(name)} has the external {key} {quoted(text)}, wanted a number below 2^63")
    return int(text)


read_entry = _entry
