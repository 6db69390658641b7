"""Opens a packed file as untrusted input: its header must be whole and fit the model, its data may be any bytes."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path

from edge import native
from edge.errors import BadModelFile, EdgeError, ModelFileError, NativeError
from edge.formats.cursor import quoted
from edge.formats.header import Header, read_header
from edge.formats.types import GGMLType, type_name
from edge.formats.values import Metadata
from edge.packed.layout import (
    ARCHITECTURE,
    CONTAINER_VERSION,
    FOOTER,
    FOOTER_MAGIC,
    Contents,
    PackedLayout,
    header_digest,
)
from edge.packed.pieces import read_into
from edge.packed.source import SourceStamp

__all__ = ["PackedFile"]

_PIECE_BYTES = 8 * 2**20
_PAGE_BYTES = 4096  # the smallest


class PackedFile:
    """An open packed file that fits the model. `region` holds the bytes, the file mapped or, after `own`, copied;
    pages of a mapping are in memory once they are read.

    Raises ModelFileError: missing, unreadable, someone else's, damaged, of another version or of another model; the
    message says which. Only header, table and footer are read; `verify` reads the rest.
    """

    def __init__(self, path: Path, layout: PackedLayout, *, owners: Collection[int]) -> None:
        """owners: user ids whose file may be believed: whoever writes it decides what the model says."""
        self.path = path
        self.layout = layout
        self._descriptor = _open(path, owners)
        try:
            size = os.fstat(self._descriptor).st_size
            header = _read_header(path, self._descriptor, size, layout.header_bytes)
            self.contents = _check(path, header, size, layout)
            try:
                self.region = native.Region.map_file(self._descriptor, size)
            except EdgeError as error:
                raise ModelFileError(path, f"cannot be mapped: {error}") from None
        except BaseException:
            os.close(self._descriptor)
            raise
        self._base = 0  # where the region begins in the file

    def offset(self, index: int) -> int:
        """Where matrix `index` of the layout begins in the region."""
        return self.layout.offsets[index] - self._base

    def expect_all(self) -> None:
        """Tells the system that all of the file is about to be read."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_WILLNEED)

    def own(self, num_threads: int) -> None:
        """Copies the data to memory of this process, in large reads past the page cache. Errors as `load`."""
        start = self.layout.header_bytes
        with native.Threads(num_threads) as threads:
            region = self.load(start, self.layout.total_bytes - start, threads)
        self.region, mapped = region, self.region
        self._base = start
        mapped.close()

    def load(self, offset: int, num_bytes: int, threads: native.Threads | None) -> native.Region:
        """A stretch of the file in memory of this process.

        Raises ModelFileError when the file is too short by now or cannot be read, DoesNotFit when there is no memory.
        """
        try:
            return native.Region.load(self._descriptor, offset, num_bytes, threads)
        except NativeError as error:
            raise ModelFileError(self.path, str(error)) from None

    def stream(self, spans: Sequence[tuple[int, int]], num_slots: int) -> native.Stream:
        """(offset, bytes) stretches of the file that are read for every step. Raises DoesNotFit."""
        return native.Stream(self.region, self._descriptor, spans, num_slots=num_slots)

    def touch(self, index: int) -> None:
        """Brings all pages of a matrix in a mapping into this process, where they count from then on."""
        start = self.offset(index)
        self.region.view[start : start + self.layout.matrices[index].num_bytes : _PAGE_BYTES].tobytes()

    def read(self, index: int, start: int, target: memoryview) -> None:
        """Fills `target` with the packed bytes of matrix `index` from `start` on, as the file has them. Raises
        ModelFileError when the file is too short by now or cannot be read."""
        read_into(self.path, self._descriptor, self.layout.offsets[index] + start, target)

    def matrix(self, index: int) -> native.Weights:
        """Matrix `index` of the layout, in the region."""
        of = self.layout.matrices[index]
        return native.Weights.mapped(of.type, of.rows, of.cols, self.region, self.offset(index))

    def verify(self, source_hashes: Sequence[str]) -> None:
        """Reads everything; source_hashes: SHA-256 of each part of the model.

        Raises BadModelFile naming what differs from its checksum, ModelFileError for another source.
        """
        if tuple(source_hashes) != self.contents.source_hashes:
            raise ModelFileError(
                self.path,
                f"was made from a model of SHA-256 {', '.join(self.contents.source_hashes)}, "
                f"this one has {', '.join(source_hashes)}",
            )
        piece = memoryview(bytearray(_PIECE_BYTES))  # not the mapping: its pages would stay in this process
        for index, (matrix, wanted) in enumerate(zip(self.layout.matrices, self.contents.checksums, strict=True)):
            start, found = self.layout.offsets[index], 0
            for done in range(0, matrix.num_bytes, _PIECE_BYTES):
                part = piece[: min(_PIECE_BYTES, matrix.num_bytes - done)]
                read_into(self.path, self._descriptor, start + done, part)
                found = zlib.crc32(part, found)
            if found != wanted:
                raise BadModelFile(
                    self.path,
                    f"byte {start}: the {matrix.num_bytes} bytes of tensor {quoted(matrix.name)} "
                    f"have CRC-32 {found:08x}, the header says {wanted:08x}",
                )

    def close(self) -> None:
        """Lets go of the file. Weights in the region keep its memory."""
        self.region.close()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _open(path: Path, owners: Collection[int]) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ModelFileError(path, "no such file") from None
    except OSError as error:
        raise ModelFileError(path, f"cannot be opened: {error.strerror}") from None
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        problem = "is no regular file"
    elif state.st_uid not in owners:
        problem = f"belongs to user {state.st_uid}, neither to you nor to the model's owner"
    else:
        return descriptor
    os.close(descriptor)
    raise ModelFileError(path, problem)


def _read_header(path: Path, descriptor: int, size: int, wanted_bytes: int) -> bytearray:
    """The header, of `wanted_bytes`, once the footer has vouched for it."""
    if size < FOOTER.size:
        raise BadModelFile(path, f"has {size} bytes, a packed file has at least a footer of {FOOTER.size}")
    at = size - FOOTER.size
    footer = _read(path, descriptor, at, FOOTER.size)
    magic, version, _, header_bytes, total_bytes, digest = FOOTER.unpack(footer)
    if magic != FOOTER_MAGIC:
        raise BadModelFile(path, f"byte {at}: {magic!r} is no footer ({FOOTER_MAGIC!r}): it was cut or never finished")
    if version != CONTAINER_VERSION:
        raise ModelFileError(
            path, f"byte {at + 8}: container version {version}, this version reads {CONTAINER_VERSION}"
        )
    if total_bytes != size:
        raise BadModelFile(path, f"byte {at + 24}: says that the file has {total_bytes} bytes, it has {size}")
    if header_bytes != wanted_bytes or header_bytes > at:
        raise BadModelFile(
            path, f"byte {at + 16}: a header of {header_bytes} bytes, it has {wanted_bytes} for this model"
        )
    header = _read(path, descriptor, 0, header_bytes)
    if header_digest(header, footer) != digest:
        raise BadModelFile(path, f"byte {at + 32}: the checksum of header, table and footer does not match")
    return header


def _read(path: Path, descriptor: int, offset: int, num_bytes: int) -> bytearray:
    data = bytearray(num_bytes)
    read_into(path, descriptor, offset, memoryview(data))
    return data


def _check(path: Path, data: bytearray, size: int, layout: PackedLayout) -> Contents:
    """Whether a header is the one that this model and this version would have. Nothing else of it is used."""
    header = read_header(path, memoryview(data), file_size=size)
    keys = Metadata(path, memoryview(data), header.entries)
    _same(path, "general.architecture", keys.get_str("general.architecture"), ARCHITECTURE)
    _same(path, "edge.packed.container_version", keys.get_int("edge.packed.container_version"), CONTAINER_VERSION)
    _same(path, "edge.packed.layout_version", keys.get_int("edge.packed.layout_version"), native.layout_version())
    stamp = SourceStamp(
        tuple(keys.get_ints("edge.packed.source.sizes")),
        tuple(keys.get_ints("edge.packed.source.mtimes")),
        tuple(keys.get_ints("edge.packed.source.inodes")),
        keys.get_str("edge.packed.source.header_hash"),
    )
    difference = stamp.difference(layout.stamp)
    if difference is not None:
        raise ModelFileError(path, f"was made from another version of the model: {difference}")
    _check_matrices(path, keys, header, layout)
    contents = Contents(
        tuple(keys.get_strings("edge.packed.source.sha256")), tuple(keys.get_ints("edge.packed.matrix.crc32"))
    )
    _same(path, "number of SHA-256 hashes", len(contents.source_hashes), len(stamp.sizes))
    _same(path, "number of CRC-32 checksums", len(contents.checksums), len(layout.matrices))
    _same(path, "bytes of the file", size, layout.total_bytes)
    return contents


def _check_matrices(path: Path, keys: Metadata, header: Header, layout: PackedLayout) -> None:
    infos = list(header.tensors.values())
    types, rows, cols = (keys.get_ints(f"edge.packed.matrix.{name}") for name in ("types", "rows", "cols"))
    counts = (len(infos), len(types), len(rows), len(cols))
    _same(path, "numbers of tensors, types, rows and cols", counts, (len(layout.matrices),) * 4)
    for index, (matrix, info) in enumerate(zip(layout.matrices, infos, strict=True)):
        what = f"matrix {index}"
        found = f"{quoted(info.name)}, {type_name(types[index])}, {rows[index]} x {cols[index]}"
        wanted = f"{quoted(matrix.name)}, {type_name(matrix.type)}, {matrix.rows} x {matrix.cols}"
        _same(path, what, found, wanted)
        _same(path, f"{what}: type of its tensor", type_name(info.type), GGMLType.I8.name)
        _same(path, f"{what}: bytes", info.shape, (matrix.num_bytes,))
        _same(path, f"{what}: byte offset", info.offset, layout.offsets[index])


def _same(path: Path, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise ModelFileError(path, f"{what}: {found}, this model and version have {wanted}")
