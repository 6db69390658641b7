"""How often, and after how long, what failed is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from time import sleep

from edge.errors import DownloadError
from edge.hub.http import TransientError

__all__ = ["STALL_BYTES", "Pace", "Retries"]

MAX_FAILURES = 5  # in a row, without a byte of progress between
LONGEST_SECONDS = 30.0
STALL_SECONDS, STALL_BYTES = 60.0, 64 * 2**10  # a connection that brings less in a minute is given up


class Retries:
    """Counts failures; what made progress begins to count anew."""

    def __init__(self) -> None:
        self._failures = 0

    def failed(self, error: TransientError, *, progressed: bool) -> None:
        """Waits before the next try: 1, 2, 4 ... seconds, or what the server asked for. DownloadError: no more."""
        self._failures = 1 if progressed else self._failures + 1
        if self._failures >= MAX_FAILURES:
            raise DownloadError(f"{error} ({MAX_FAILURES} times in a row)") from None
        sleep(max(error.wait, min(LONGEST_SECONDS, 2.0 ** (self._failures - 1))))


class Pace:
    """Notices a connection that brings something, but next to nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since, self._num_bytes = clock(), 0

    def came(self, num_bytes: int) -> None:
        """TransientError when under STALL_BYTES came in STALL_SECONDS."""
        self._num_bytes += num_bytes
        now = self._clock()
        if now - self._since > STALL_SECONDS:
            if self._num_bytes < STALL_BYTES:
                raise TransientError(f"{self._num_bytes} bytes came in {now - self._since:.0f} s")
            self._since, self._num_bytes = now, 0
