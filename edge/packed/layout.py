"""What lies where in a packed file.

A GGUF file (version 3), so that common tools can list it: metadata that says what it was made from, a table with one
tensor of type I8 per matrix, and from a multiple of 2 MiB on the packed bytes, each matrix at a multiple of 64. The
last 64 bytes are a footer; a file without it was never finished. All places follow from the matrices: what is known
only once they are packed (checksums) has a fixed length, so that the header can be written behind the data.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from edge import native
from edge.formats.encoding import Value, encode_string, encode_tensor, encode_value
from edge.formats.header import MAGIC
from edge.formats.types import GGMLType, ValueType
from edge.packed.source import SourceStamp

__all__ = [
    "ALIGNMENT",
    "ARCHITECTURE",
    "CONTAINER_VERSION",
    "FOOTER",
    "Contents",
    "PackedLayout",
    "PackedMatrix",
    "place",
]

ARCHITECTURE = "edge-packed"
CONTAINER_VERSION = 1
ALIGNMENT = 64  # of a matrix; kernels may read so many bytes behind one, too: the next one or the footer
DATA_ALIGNMENT = 2 * 2**20  # a large page

# Magic, CONTAINER_VERSION, 0, bytes of the header, bytes of the file, SHA-256 of the header and of these fields.
FOOTER = struct.Struct("<8sIIQQ32s")
FOOTER_MAGIC = b"EDGEPACK"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A matrix of the model: its tensor's name and ggml type, (rows, cols), and the bytes of its packed form."""

    name: str
    type: int
    rows: int
    cols: int
    num_bytes: int

    @classmethod
    def of(cls, name: str, type: int, rows: int, cols: int) -> PackedMatrix:
        """Raises NativeError for a type or shape that cannot be packed."""
        return cls(name, type, rows, cols, native.weights_sizes(type, rows, cols)[1])


@dataclass(frozen=True, slots=True)
class Contents:
    """What a header says about the bytes: the SHA-256 of each part of the source, the CRC-32 of each matrix."""

    source_hashes: tuple[str, ...]
    checksums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PackedLayout:
    """Places in a packed file, in bytes from its start. `offsets`: of each matrix."""

    matrices: tuple[PackedMatrix, ...]
    stamp: SourceStamp
    offsets: tuple[int, ...]
    header_bytes: int
    total_bytes: int

    @classmethod
    def of(cls, matrices: Sequence[PackedMatrix], stamp: SourceStamp) -> PackedLayout:
        fixed_length = Contents(("0" * 64,) * len(stamp.sizes), (0,) * len(matrices))
        size = sum(map(len, _encode(matrices, stamp, fixed_length)))
        header_bytes = size + _padding(size)
        offsets, end = place(matrices, header_bytes)
        return cls(tuple(matrices), stamp, offsets, header_bytes, end + FOOTER.size)

    def header(self, contents: Contents) -> bytes:
        """Metadata and tensor table, filled up to a multiple of 2 MiB."""
        head, table = _encode(self.matrices, self.stamp, contents)
        padding = _padding(len(head) + len(table))
        empty = len(encode_string(b""))
        return b"".join((head[:-empty], encode_string(b" " * padding), table))

    def footer(self, header: bytes) -> bytes:
        """The last bytes of a file with this header: what says that all the others were written."""
        fields = FOOTER.pack(
            FOOTER_MAGIC, CONTAINER_VERSION, 0, self.header_bytes, self.total_bytes, bytes(_DIGEST_BYTES)
        )
        return fields[:-_DIGEST_BYTES] + header_digest(header, fields)


def header_digest(header: bytes | bytearray, footer: bytes | bytearray) -> bytes:
    """The digest that ends the footer of a file with this header."""
    digest = hashlib.sha256(header)
    digest.update(footer[: FOOTER.size - _DIGEST_BYTES])
    return digest.digest()


def _padding(size: int) -> int:
    """Spaces that bring the data behind a header of `size` bytes to a multiple of 2 MiB."""
    return -size % DATA_ALIGNMENT


def place(matrices: Sequence[PackedMatrix], start: int) -> tuple[tuple[int, ...], int]:
    """(where each matrix begins, where the last one ends) when the first begins at `start`, a multiple of 64."""
    offsets: list[int] = []
    end = start
    for matrix in matrices:
        offsets.append(end)
        end += matrix.num_bytes + -matrix.num_bytes % ALIGNMENT
    return tuple(offsets), end


def _encode(matrices: Sequence[PackedMatrix], stamp: SourceStamp, contents: Contents) -> tuple[bytes, bytes]:
    """The header up to its last value, an empty string that takes the padding; and the tensor table behind that."""
    values: list[tuple[str, Value, ValueType]] = [
        ("general.architecture", ARCHITECTURE, ValueType.STRING),
        ("general.alignment", ALIGNMENT, ValueType.UINT32),
        ("edge.packed.container_version", CONTAINER_VERSION, ValueType.UINT32),
        ("edge.packed.layout_version", native.layout_version(), ValueType.UINT32),
        ("edge.packed.source.sizes", stamp.sizes, ValueType.UINT64),
        ("edge.packed.source.mtimes", stamp.mtimes, ValueType.INT64),
        ("edge.packed.source.inodes", stamp.inodes, ValueType.UINT64),
        ("edge.packed.source.header_hash", stamp.header_hash, ValueType.STRING),
        ("edge.packed.source.sha256", contents.source_hashes, ValueType.STRING),
        ("edge.packed.matrix.types", [matrix.type for matrix in matrices], ValueType.UINT32),
        ("edge.packed.matrix.rows", [matrix.rows for matrix in matrices], ValueType.UINT64),
        ("edge.packed.matrix.cols", [matrix.cols for matrix in matrices], ValueType.UINT64),
        ("edge.packed.matrix.crc32", contents.checksums, ValueType.UINT32),
    ]
    head = MAGIC + struct.pack("<IQQ", 3, len(matrices), len(values) + 1)
    head += b"".join(encode_string(key.encode()) + encode_value(value, kind) for key, value, kind in values)
    head += encode_string(b"edge.packed.padding") + struct.pack("<I", ValueType.STRING) + encode_string(b"")
    offsets, _ = place(matrices, 0)
    table = b"".join(
        encode_tensor(matrix.name.encode(), (matrix.num_bytes,), GGMLType.I8, offset)
        for matrix, offset in zip(matrices, offsets, strict=True)
    )
    return head, table
