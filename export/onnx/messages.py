"""The messages of an ONNX file as bytes (onnx.proto of ONNX 1.18, IR version 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TypeAlias

from edge.export.onnx.protobuf import floats, integer, integers, nested, number, text

__all__ = ["Attribute", "DataType", "Dim", "graph", "inline_tensor", "model", "node", "outside_tensor", "value_info"]

Attribute: TypeAlias = int | float | str | Sequence[int] | Sequence[float]
Dim: TypeAlias = int | str

MICROSOFT = "com.microsoft"
_IR_VERSION = 11


class DataType(IntEnum):
    """TensorProto.DataType."""

    FLOAT = 1
    UINT8 = 2
    INT8 = 3
    UINT16 = 4
    INT16 = 5
    INT32 = 6
    INT64 = 7
    BOOL = 9
    FLOAT16 = 10
    UINT4 = 21
    INT4 = 22

    @property
    def bits(self) -> int:
        """Of one element."""
        return _BITS[self]


_BITS = {
    DataType.FLOAT: 32,
    DataType.UINT8: 8,
    DataType.INT8: 8,
    DataType.UINT16: 16,
    DataType.INT16: 16,
    DataType.INT32: 32,
    DataType.INT64: 64,
    DataType.BOOL: 8,
    DataType.FLOAT16: 16,
    DataType.UINT4: 4,
    DataType.INT4: 4,
}


def node(
    op_type: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    name: str,
    domain: str = "",
    attributes: Mapping[str, Attribute] | None = None,
) -> bytes:
    """A NodeProto. An empty name among inputs or outputs stands for one that is left out."""
    parts = [text(1, value) for value in inputs] + [text(2, value) for value in outputs]
    parts += [text(3, name), text(4, op_type)]
    parts += [nested(5, _attribute(key, value)) for key, value in (attributes or {}).items()]
    if domain:
        parts.append(text(7, domain))
    return b"".join(parts)


def _attribute(name: str, value: Attribute) -> bytes:
    """An AttributeProto; whole floats must be written as floats by who calls."""
    if isinstance(value, str):
        return text(1, name) + text(4, value) + integer(20, 3)
    if isinstance(value, int):
        return text(1, name) + integer(3, value) + integer(20, 2)
    if isinstance(value, float):
        return text(1, name) + number(2, value) + integer(20, 1)
    if all(isinstance(item, int) for item in value):
        return text(1, name) + integers(8, [int(item) for item in value]) + integer(20, 7)
    return text(1, name) + floats(7, value) + integer(20, 6)


def inline_tensor(name: str, data_type: DataType, shape: Sequence[int], raw: bytes) -> bytes:
    """A TensorProto with its bytes in it."""
    return integers(1, shape) + integer(2, data_type) + text(8, name) + nested(9, raw)


def outside_tensor(
    name: str, data_type: DataType, shape: Sequence[int], location: str, offset: int, num_bytes: int
) -> bytes:
    """A TensorProto whose bytes are in the file `location` of the same folder."""
    entries = {"location": location, "offset": str(offset), "length": str(num_bytes)}
    outside = b"".join(nested(13, text(1, key) + text(2, value)) for key, value in entries.items())
    return integers(1, shape) + integer(2, data_type) + text(8, name) + outside + integer(14, 1)


def value_info(name: str, data_type: DataType, shape: Sequence[Dim]) -> bytes:
    """A ValueInfoProto of a tensor. A dimension that is a name is known when a step runs."""
    dims = b"".join(nested(1, text(2, dim) if isinstance(dim, str) else integer(1, dim)) for dim in shape)
    return text(1, name) + nested(2, nested(1, integer(1, data_type) + nested(2, dims)))


def graph(
    name: str, nodes: Sequence[bytes], initializers: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> bytes:
    """A GraphProto."""
    parts = [nested(1, item) for item in nodes] + [text(2, name)]
    parts += [nested(5, item) for item in initializers]
    parts += [nested(11, item) for item in inputs] + [nested(12, item) for item in outputs]
    return b"".join(parts)


def model(content: bytes, opsets: Mapping[str, int], *, producer: str, metadata: Mapping[str, str]) -> bytes:
    """A ModelProto: a whole file."""
    parts = [integer(1, _IR_VERSION), text(2, producer), nested(7, content)]
    parts += [nested(8, text(1, domain) + integer(2, version)) for domain, version in opsets.items()]
    parts += [nested(14, text(1, key) + text(2, value)) for key, value in metadata.items()]
    return b"".join(parts)
