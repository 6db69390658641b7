"""Protocol buffers, the reading half: fields of a message in a mapped file, each checked before it is believed.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, NoReturn

from edge.errors import BadModelFile

__all__ = ["Field", "Message", "WireType"]

MAX_FIELD_NUMBER = 2**29 - 1


class WireType(IntEnum):
    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    FIXED32 = 5


class Field(NamedTuple):
    """A field of a message. value: the number, or for bytes the offset of the first. end: behind its last byte."""

    number: int
    type: WireType
    at: int  # where its tag begins
    value: int
    end: int


class Message:
    """The bytes first .. end - 1 of a file as one message of a kind, "NodeProto", which errors name."""

    def __init__(self, path: Path, view: memoryview, kind: str, first: int, end: int) -> None:
        self.path, self.view, self.kind, self.first, self.end = path, view, kind, first, end

    def fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise BadModelFile(self.path, f"byte {self.first if at is None else at}: {self.kind}: {reason}")

    def fields(self) -> Iterator[Field]:
        """All fields, in order. BadModelFile: one that breaks the encoding or does not end inside of the message."""
        at = self.first
        while at < self.end:
            tag, value_at = self.varint(at, self.end)
            number = tag >> 3
            if not 1 <= number <= MAX_FIELD_NUMBER:
                self.fail(f"field number {number}, wanted 1 to {MAX_FIELD_NUMBER}", at)
            kind = tag & 7
            if kind == WireType.VARINT:
                value, end = self.varint(value_at, self.end)
            elif kind == WireType.BYTES:
                size, value = self.varint(value_at, self.end)
                end = value + size
                if end > self.end:
                    self.fail(f"field {number} has {size} bytes, {self.end - value} are left of it", at)
            elif kind in (WireType.FIXED32, WireType.FIXED64):
                size = 4 if kind == WireType.FIXED32 else 8
                if size > self.end - value_at:
                    self.fail(f"field {number} has {size} bytes, {self.end - value_at} are left of it", at)
                value, end = int.from_bytes(self.view[value_at : value_at + size], "little"), value_at + size
            else:
                self.fail(f"field {number} has the wire type {kind}, wanted 0, 1, 2 or 5", at)
            yield Field(number, WireType(kind), at, value, end)
            at = end

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """An unsigned number of at most 64 bits, and where it ends."""
        value = shift = 0
        start = at
        while True:
            if at >= end:
                self.fail("ends inside a number", start)
            byte = self.view[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                self.fail("a number of more than 10 bytes", start)
        if value >= 2**64:
            self.fail("a number of more than 64 bits", start)
        return value, at

    def inside(self, field: Field, kind: str) -> Message:
        """The message that a field holds."""
        self.want(field, WireType.BYTES)
        return Message(self.path, self.view, kind, field.value, field.end)

    def text(self, field: Field, what: str, max_bytes: int) -> str:
        self.want(field, WireType.BYTES)
        size = field.end - field.value
        if size > max_bytes:
            self.fail(f"{what} has {size} bytes, the limit is {max_bytes}", field.at)
        try:
            return str(self.view[field.value : field.end], "utf-8")
        except UnicodeDecodeError as error:
            self.fail(f"{what} is not UTF-8 at byte {error.start}", field.at)

    def signed(self, field: Field) -> int:
        """An int64 or int32."""
        self.want(field, WireType.VARINT)
        return field.value - 2**64 if field.value >= 2**63 else field.value

    def integers(self, field: Field) -> list[int]:
        """One element of a repeated int64 or int32 field, or many, packed."""
        if field.type is WireType.VARINT:
            return [self.signed(field)]
        self.want(field, WireType.BYTES)
        values, at = list[int](), field.value
        while at < field.end:
            value, at = self.varint(at, field.end)
            values.append(value - 2**64 if value >= 2**63 else value)
        return values

    def floats(self, field: Field) -> list[float]:
        """One element of a repeated float field, or many, packed."""
        if field.type is WireType.FIXED32:
            return [self.float(field)]
        self.want(field, WireType.BYTES)
        size = field.end - field.value
        if size % 4:
            self.fail(f"field {field.number} holds {size} bytes of floats, wanted a multiple of 4", field.at)
        return list(struct.unpack(f"<{size // 4}f", self.view[field.value : field.end]))

    def float(self, field: Field) -> float:
        self.want(field, WireType.FIXED32)
        value: float = struct.unpack("<f", field.value.to_bytes(4, "little"))[0]
        return value

    def want(self, field: Field, kind: WireType) -> None:
        if field.type is not kind:
            self.fail(f"field {field.number} has the wire type {int(field.type)}, wanted {int(kind)}", field.at)
