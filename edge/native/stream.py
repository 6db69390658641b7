"""Stretches of a file that are read again for every step, ahead of it, into a ring of buffers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any

from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import check, library
from edge.native.region import Region
from edge.native.structs import Span

_ENDED = -1  # EDGE_READ_ENDED
_MAX_INT32, _MAX_UINT64 = 2**31 - 1, 2**64 - 1


def ring_bytes(spans: Sequence[tuple[int, int]], num_slots: int) -> int:
    """Bytes of memory that a stream over (offset, bytes) spans takes. NativeError: none, an empty one, too many."""
    size = ctypes.c_uint64()
    status = library().edge_stream_sizes(_spans(spans), len(spans), _slots(num_slots), ctypes.byref(size))
    check(status, f"a ring of {num_slots} buffers for {len(spans)} spans")
    return size.value


class Stream(Closable):
    """Reads (offset, bytes) spans of a file one after the other, as a step uses them, and again from the first.

    file: the whole file, mapped; descriptor: the same file, which may be closed afterwards. buffered: through the page
    cache, where what was read is dropped; otherwise past it, if the system lets us (`is_direct`). One program at a
    time may use a stream. NativeError: as `ring_bytes`, or a span leaves the file. DoesNotFit: no memory.
    """

    def __init__(
        self,
        file: Region,
        descriptor: int,
        spans: Sequence[tuple[int, int]],
        *,
        num_slots: int = 2,
        buffered: bool = False,
    ) -> None:
        lib, out, mapped = library(), ctypes.c_void_p(), file.handle
        descriptor = checked_int(descriptor, "descriptor", 0, _MAX_INT32)
        status = lib.edge_stream_create(
            ctypes.byref(out),
            mapped.address,
            descriptor,
            _spans(spans),
            len(spans),
            _slots(num_slots),
            int(buffered),
        )
        check(status, f"a stream of {len(spans)} spans with {num_slots} buffers")
        self._handle = Handle(out, lib.edge_stream_destroy, keep=mapped)

    @property
    def is_direct(self) -> bool:
        """Whether reads go past the page cache. The first one may find that they cannot."""
        return bool(library().edge_stream_is_direct(self.handle.address))

    @property
    def failure(self) -> str | None:
        """What went wrong with a read, None while all went well. Every step fails from then on."""
        place = ctypes.c_uint64()
        failure = int(library().edge_stream_failure(self.handle.address, ctypes.byref(place)))
        if failure == 0:
            return None
        if failure == _ENDED:
            return f"the file ends at byte {place.value}"
        return f"byte {place.value} cannot be read: {os.strerror(failure)}"


def _spans(spans: Sequence[tuple[int, int]]) -> Any:
    checked = (
        Span(checked_int(offset, "offset", 0, _MAX_UINT64), checked_int(size, "bytes of a span", 0, _MAX_UINT64))
        for offset, size in spans
    )
    return (Span * len(spans))(*checked)


def _slots(num_slots: int) -> int:
    return checked_int(num_slots, "buffers", 0, _MAX_INT32)
