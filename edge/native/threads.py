"""The pool of threads that computes."""

from __future__ import annotations

import ctypes
from threading import Lock

from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import check, library

MAX_THREADS = 256  # EDGE_MAX_THREADS


class Threads(Closable):
    """num_threads counts the caller: 1 starts no thread. NativeError out of 1 .. MAX_THREADS, DoesNotFit."""

    def __init__(self, num_threads: int) -> None:
        self.num_threads = checked_int(num_threads, "num_threads", 1, MAX_THREADS)
        self.lock = Lock()  # a pool runs one thing at a time: held around packing and steps
        lib, out = library(), ctypes.c_void_p()
        check(lib.edge_threads_create(ctypes.byref(out), self.num_threads), f"{num_threads} threads")
        self._handle = Handle(out, lib.edge_threads_destroy)

    @property
    def barrier_count(self) -> int:
        """Barriers passed since the pool was made."""
        return int(library().edge_threads_barrier_count(self.handle.address))
