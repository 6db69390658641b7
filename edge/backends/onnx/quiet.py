"""Keeps standard output for edge: what a provider's library prints goes to standard error instead."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["prints_on_stderr"]

_OUT, _ERR = 1, 2


@contextmanager
def prints_on_stderr() -> Generator[None]:
    """While it lasts, descriptor 1 is descriptor 2, for all threads. Qualcomm's simulator begins with a line."""
    sys.stdout.flush()
    try:
        saved = os.dup(_OUT)
    except OSError:  # closed: nothing to keep clean
        yield
        return
    try:
        os.dup2(_ERR, _OUT)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C's own buffer, while it still goes there
        os.dup2(saved, _OUT)
        os.close(saved)
