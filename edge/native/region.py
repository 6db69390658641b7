"""Memory that packed matrices lie in, and a watch over files that are mapped elsewhere."""

from __future__ import annotations

import ctypes
from contextlib import nullcontext
from typing import TYPE_CHECKING

from edge.native.buffers import Pinned
from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import byte_array, check, library
from edge.native.structs import Error
from edge.native.threads import Threads

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MAX_INT32, _MAX_UINT64 = 2**31 - 1, 2**64 - 1


class Region(Closable):
    """Made by `map_file`, `allocate`, `load` or `watch`.

    A mapped or watched file that becomes shorter reads as zeros where it was, instead of ending the process with
    SIGBUS, and `readable_bytes` falls below `num_bytes`: whoever computed from it must ask.
    """

    def __init__(self, handle: Handle, num_bytes: int, writable: bool) -> None:
        self._handle = handle
        self.num_bytes = num_bytes
        self._writable = writable

    @classmethod
    def map_file(cls, descriptor: int, num_bytes: int) -> Region:
        """The first `num_bytes` of an open file, which has them, read-only. The descriptor may be closed afterwards.

        DoesNotFit: the system does not map it, or too many files are mapped.
        """
        lib, out = library(), ctypes.c_void_p()
        descriptor = checked_int(descriptor, "descriptor", 0, _MAX_INT32)
        size = checked_int(num_bytes, "bytes of a mapped file", 1, _MAX_UINT64)
        check(lib.edge_region_map(ctypes.byref(out), descriptor, size), f"mapping {size} bytes of a file")
        return cls(Handle(out, lib.edge_region_destroy), size, writable=False)

    @classmethod
    def allocate(cls, num_bytes: int) -> Region:
        """Zeroed memory to fill through `view`, in huge pages where the system has them. DoesNotFit: there is none."""
        lib, out = library(), ctypes.c_void_p()
        size = checked_int(num_bytes, "bytes of memory", 1, _MAX_UINT64)
        check(lib.edge_region_allocate(ctypes.byref(out), size), f"{size} bytes of memory")
        return cls(Handle(out, lib.edge_region_destroy), size, writable=True)

    @classmethod
    def load(
        cls, descriptor: int, offset: int, num_bytes: int, threads: Threads | None = None, *, buffered: bool = False
    ) -> Region:
        """Memory filled with an open file's bytes from `offset` on, by all threads, in large reads past the page cache.

        buffered, or where the system refuses that: through it, and what they leave there is dropped; `is_direct` says.
        NativeError: the file ends before, or cannot be read; with the place. DoesNotFit: no memory.
        """
        lib, out, error = library(), ctypes.c_void_p(), Error()
        descriptor = checked_int(descriptor, "descriptor", 0, _MAX_INT32)
        start = checked_int(offset, "offset", 0, _MAX_UINT64)
        size = checked_int(num_bytes, "bytes of a file", 1, _MAX_UINT64)
        with threads.lock if threads is not None else nullcontext():
            pool = threads.handle.address if threads is not None else None
            status = lib.edge_region_load(
                ctypes.byref(out), descriptor, start, size, int(buffered), pool, ctypes.byref(error)
            )
        check(status, f"reading {size} bytes from byte {start} on", error)
        return cls(Handle(out, lib.edge_region_destroy), size, writable=False)

    @classmethod
    def watch(cls, mapped: Buffer) -> Region:
        """Watches a file that `mapped` maps from its start (mmap, or a view of it); it stays mapped until close.

        NativeError: no page boundary, or empty. DoesNotFit: too many files are watched.
        """
        lib, out, pinned = library(), ctypes.c_void_p(), Pinned(mapped, "watched file")
        status = lib.edge_region_watch(ctypes.byref(out), pinned.address, pinned.num_bytes)
        check(status, f"watching {pinned.num_bytes} bytes of a mapped file")
        return cls(Handle(out, lib.edge_region_destroy, keep=pinned), pinned.num_bytes, writable=False)

    @property
    def is_direct(self) -> bool:
        """Whether it was loaded past the page cache."""
        return bool(library().edge_region_is_direct(self.handle.address))

    @property
    def address(self) -> int:
        """Where it lies in this process."""
        return int(library().edge_region_data(self.handle.address))

    @property
    def readable_bytes(self) -> int:
        """Bytes from the start on that were there whenever they were needed: num_bytes, unless the file was cut."""
        return int(library().edge_region_readable(self.handle.address))

    @property
    def view(self) -> memoryview:
        """All of it; writable if it was allocated. The view keeps the memory, also after close."""
        view = byte_array(self.address, self.num_bytes, self.handle)
        return view if self._writable else view.toreadonly()
