"""What lies where in a saved file. docs/session-files.md describes the format for people.

A GGUF file (version 3), so that common tools can list it: metadata, one tensor of type I8 with the blocks of K and V
one after another from a multiple of 4096 bytes on, and a footer of 64 bytes that vouches for the header. A file without
it was never finished.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeAlias

from edge.formats.encoding import Value, encode_string, encode_tensor, encode_value
from edge.formats.header import MAGIC
from edge.formats.types import GGMLType, ValueType
from edge.sessions.fingerprint import Fingerprint

__all__ = ["ARCHITECTURE", "CONTAINER_VERSION", "FOOTER", "Contents", "Kind", "encode_footer", "encode_header"]

Kind: TypeAlias = Literal["session", "prepared"]

ARCHITECTURE = "edge-session"
CONTAINER_VERSION = 1
PREFIX = "edge.session."
TENSOR = "kv"
ALIGNMENT = 64
DATA_ALIGNMENT = 4096  # a page
MAX_HEADER_BYTES = 64 * 2**20
MAX_TEXT = 4096  # characters of a name, a path or a field of the fingerprint
MAX_CONVERSATION_BYTES = 4 * 2**20  # of JSON: as objects it may take twenty times that

# Magic, CONTAINER_VERSION, 0, bytes of the header, bytes of the file, SHA-256 of the header and of these fields.
FOOTER = struct.Struct("<8sIIQQ32s")
FOOTER_MAGIC = b"EDGESESS"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says beside K and V. conversation: JSON; empty for a prepared prompt. saved_at: seconds since 1970.

    tokens: those of the conversation as the model read them; the blocks hold the first of them.
    """

    kind: Kind
    fingerprint: Fingerprint
    model_path: str  # for lists; another path does not make it another model
    model_name: str
    saved_at: int
    tokens: tuple[int, ...]
    conversation: str
    checksums: tuple[int, ...]  # CRC-32 of each block

    @property
    def num_blocks(self) -> int:
        return len(self.checksums)

    @property
    def num_kept_tokens(self) -> int:
        """Tokens whose K and V the blocks hold."""
        return self.num_blocks * self.fingerprint.block_size


def header_bytes(contents: Contents, num_blocks: int) -> int:
    """Room that the header needs with so many blocks."""
    size = sum(map(len, _encode(replace(contents, checksums=(0,) * num_blocks))))
    return size + -size % DATA_ALIGNMENT


def encode_header(contents: Contents, num_bytes: int) -> bytes:
    """Metadata and tensor table, filled up to num_bytes, which `header_bytes` gave for as many blocks or more."""
    head, table = _encode(contents)
    empty = len(encode_string(b""))
    return b"".join((head[:-empty], encode_string(b" " * (num_bytes - len(head) - len(table))), table))


def encode_footer(header: bytes, total_bytes: int) -> bytes:
    """The last bytes of a file with this header: what says that all the others were written."""
    fields = FOOTER.pack(FOOTER_MAGIC, CONTAINER_VERSION, 0, len(header), total_bytes, bytes(_DIGEST_BYTES))
    return fields[:-_DIGEST_BYTES] + header_digest(header, fields)


def header_digest(header: bytes | bytearray, footer: bytes | bytearray) -> bytes:
    """The digest that ends the footer of a file with this header."""
    digest = hashlib.sha256(header)
    digest.update(footer[: FOOTER.size - _DIGEST_BYTES])
    return digest.digest()


def _encode(contents: Contents) -> tuple[bytes, bytes]:
    """The header up to its last value, an empty string that takes the padding; and the tensor table behind that."""
    values: list[tuple[str, Value, ValueType]] = [
        ("general.architecture", ARCHITECTURE, ValueType.STRING),
        ("general.alignment", ALIGNMENT, ValueType.UINT32),
        (PREFIX + "container_version", CONTAINER_VERSION, ValueType.UINT32),
        (PREFIX + "kind", contents.kind, ValueType.STRING),
        (PREFIX + "model_path", contents.model_path, ValueType.STRING),
        (PREFIX + "model_name", contents.model_name, ValueType.STRING),
        (PREFIX + "saved_at", contents.saved_at, ValueType.UINT64),
        (PREFIX + "tokens", contents.tokens, ValueType.INT32),
        (PREFIX + "conversation", contents.conversation, ValueType.STRING),
        (PREFIX + "crc32", contents.checksums, ValueType.UINT32),
    ]
    for field in fields(Fingerprint):
        value = getattr(contents.fingerprint, field.name)
        if field.name == "adapter" and not value:
            continue
        values.append((fingerprint_key(field.name), value, _type_of(value)))
    kv_bytes = contents.num_blocks * contents.fingerprint.block_bytes
    table = encode_tensor(TENSOR.encode(), (kv_bytes,), GGMLType.I8, 0) if kv_bytes else b""
    head = MAGIC + struct.pack("<IQQ", 3, 1 if kv_bytes else 0, len(values) + 1)
    head += b"".join(encode_string(key.encode()) + encode_value(value, kind) for key, value, kind in values)
    head += encode_string((PREFIX + "padding").encode()) + struct.pack("<I", ValueType.STRING) + encode_string(b"")
    return head, table


def fingerprint_key(name: str) -> str:
    """The key of a fingerprint's field."""
    return f"{PREFIX}fingerprint.{name}"


def _type_of(value: str | int | Sequence[str]) -> ValueType:
    return ValueType.UINT64 if isinstance(value, int) else ValueType.STRING
