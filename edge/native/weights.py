"""Weight matrices and vectors, packed for the kernels."""

from __future__ import annotations

import ctypes
from array import array
from contextlib import nullcontext
from typing import TYPE_CHECKING

from edge.errors import NativeError
from edge.native.buffers import Pinned
from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import byte_array, check, library
from edge.native.region import Region
from edge.native.stream import Stream
from edge.native.threads import Threads

if TYPE_CHECKING:
    from typing_extensions import Buffer

OVERREAD_BYTES = 64  # EDGE_OVERREAD: kernels may read (never use) so many behind a matrix
_MAX_INT32, _MAX_INT64, _MAX_UINT64 = 2**31 - 1, 2**63 - 1, 2**64 - 1


def layout_version() -> int:
    """Version of the packed bytes that this library makes and reads."""
    return int(library().edge_weights_layout_version())


def weights_sizes(type: int, rows: int, cols: int) -> tuple[int, int]:
    """(bytes in GGUF blocks, bytes packed) of a matrix of a ggml type. NativeError: unknown type or a bad shape."""
    source, packed = ctypes.c_uint64(), ctypes.c_uint64()
    type, rows, cols = _shape(type, rows, cols)
    status = library().edge_weights_sizes(type, rows, cols, ctypes.byref(source), ctypes.byref(packed))
    check(status, f"weights of type {type}, {rows} x {cols}")
    return source.value, packed.value


class Weights(Closable):
    """Made by `matrix` or `vector`, whose source is only read while they run, or by `mapped` or `streamed`."""

    def __init__(self, handle: Handle, rows: int, cols: int, is_vector: bool) -> None:
        self._handle = handle
        self.rows, self.cols, self.is_vector = rows, cols, is_vector

    @classmethod
    def matrix(cls, type: int, rows: int, cols: int, data: Buffer, threads: Threads | None = None) -> Weights:
        """Packs (rows, cols) from GGUF blocks of a ggml type, row by row.

        NativeError: unknown type, bad shape, or `data` has another size. DoesNotFit: not enough memory.
        """
        type, rows, cols = _shape(type, rows, cols)
        what = f"matrix of type {type}, {rows} x {cols}"
        lib, out = library(), ctypes.c_void_p()
        expected, _ = weights_sizes(type, rows, cols)
        with Pinned(data, what) as source, threads.lock if threads is not None else nullcontext():
            if source.num_bytes != expected:
                raise NativeError(f"{what}: has {source.num_bytes} bytes, wanted {expected}")
            pool = threads.handle.address if threads is not None else None
            check(
                lib.edge_weights_create(ctypes.byref(out), type, rows, cols, source.address, source.num_bytes, pool),
                what,
            )
        return cls(Handle(out, lib.edge_weights_destroy), rows, cols, is_vector=False)

    @classmethod
    def mapped(cls, type: int, rows: int, cols: int, region: Region, offset: int) -> Weights:
        """(rows, cols) whose packed bytes (what `packed` gave) lie in a region, `offset` bytes from its start.

        Nothing is copied; the region may be closed at any time, its memory stays. Any bytes are safe.
        NativeError: unknown type, bad shape, an offset that is no multiple of 64, or the matrix and 64 bytes behind it
        leave the region.
        """
        type, rows, cols = _shape(type, rows, cols)
        offset = checked_int(offset, "offset", 0, _MAX_UINT64)
        lib, out, memory = library(), ctypes.c_void_p(), region.handle
        status = lib.edge_weights_map(ctypes.byref(out), type, rows, cols, memory.address, offset)
        check(status, f"matrix of type {type}, {rows} x {cols}, at byte {offset} of a region of {region.num_bytes}")
        return cls(Handle(out, lib.edge_weights_destroy, keep=memory), rows, cols, is_vector=False)

    @classmethod
    def streamed(cls, type: int, rows: int, cols: int, stream: Stream, span: int, offset: int) -> Weights:
        """(rows, cols) whose packed bytes lie in a span of a stream, `offset` bytes from the start of the file.

        The stream may be closed at any time; it reads on until no weights need it.
        NativeError: unknown type, bad shape, no such span, or the matrix leaves it.
        """
        type, rows, cols = _shape(type, rows, cols)
        span = checked_int(span, "span", 0, _MAX_INT32)
        offset = checked_int(offset, "offset", 0, _MAX_UINT64)
        lib, out, source = library(), ctypes.c_void_p(), stream.handle
        status = lib.edge_weights_stream(ctypes.byref(out), type, rows, cols, source.address, span, offset)
        check(status, f"matrix of type {type}, {rows} x {cols}, at byte {offset} of span {span} of a stream")
        return cls(Handle(out, lib.edge_weights_destroy, keep=source), rows, cols, is_vector=False)

    @classmethod
    def vector(cls, type: int, size: int, data: Buffer) -> Weights:
        """(size,) of F32, F16 or BF16, kept as float32. Errors as for `matrix`."""
        type, _, size = _shape(type, 1, size)
        what = f"vector of type {type}, {size} values"
        lib, out = library(), ctypes.c_void_p()
        with Pinned(data, what) as source:
            status = lib.edge_weights_create_vector(ctypes.byref(out), type, size, source.address, source.num_bytes)
            check(status, f"{what} from {source.num_bytes} bytes")
        return cls(Handle(out, lib.edge_weights_destroy), 1, size, is_vector=True)

    @property
    def packed_bytes(self) -> int:
        """Bytes that the packed form takes."""
        return int(library().edge_weights_packed_bytes(self.handle.address))

    @property
    def packed(self) -> memoryview:
        """The packed bytes themselves, read-only; the view keeps them, also after close. NativeError: streamed."""
        address = library().edge_weights_data(self.handle.address)
        if address is None:
            raise NativeError("a streamed matrix is nowhere between two steps")
        return byte_array(int(address), self.packed_bytes, self.handle).toreadonly()

    def row(self, index: int) -> array[float]:
        """Row of a matrix, decoded to float32: (cols,). NativeError: no such row, a vector, or streamed."""
        if self.is_vector:
            raise NativeError("a vector has no rows")
        index = checked_int(index, "row", 0, self.rows - 1)
        out = array("f", bytes(4 * self.cols))
        address, _ = out.buffer_info()
        check(library().edge_weights_row(self.handle.address, index, address), f"row {index}")
        return out


def _shape(type: int, rows: int, cols: int) -> tuple[int, int, int]:
    return (
        checked_int(type, "type", 0, _MAX_INT32),
        checked_int(rows, "rows", 1, _MAX_INT64),
        checked_int(cols, "cols", 1, _MAX_INT64),
    )
