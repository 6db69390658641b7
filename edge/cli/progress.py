"""A progress bar on stderr for what takes over a second; nothing at all when stderr is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

DELAY_SECONDS = 1.0
_INTERVAL_SECONDS = 0.1
_WIDTH = 24


class ProgressBar:
    """Call it with (done, total). A context manager: leaving it wipes the bar."""

    def __init__(
        self,
        label: str,
        unit: str = "",
        scale: float = 1.0,
        *,
        rate: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """rate: show the speed of the last label, and the time that is left at it."""
        self.label = label
        self._rate = rate
        self._timed: tuple[str, float, int] | None = None  # label, when it was first called, what was done then
        self._unit = unit
        self._scale = scale
        self._enabled = sys.stderr.isatty()
        self._clock = clock
        self._started_at = clock()
        self._drawn_at: float | None = None

    def __call__(self, done: int, total: int) -> None:
        if not self._enabled:
            return
        now = self._clock()
        if self._timed is None or self._timed[0] != self.label:
            self._timed = (self.label, now, done)
        since = self._started_at + DELAY_SECONDS if self._drawn_at is None else self._drawn_at + _INTERVAL_SECONDS
        if now < since:
            return
        self._drawn_at = now
        full = _WIDTH * done // max(total, 1)
        figures = f"{done / self._scale:.0f}/{total / self._scale:.0f}{self._unit}"
        figures += self._speed(now - self._timed[1], done - self._timed[2], total - done) if self._rate else ""
        sys.stderr.write(f"\r{self.label} {'▓' * full}{'░' * (_WIDTH - full)} {figures}\x1b[K")
        sys.stderr.flush()

    def _speed(self, seconds: float, done: int, left: int) -> str:
        if seconds <= 0 or done <= 0:
            return ""
        minutes, rest = divmod(round(left * seconds / done), 60)
        return f" {done / seconds / self._scale:.1f}{self._unit}/s, {minutes}:{rest:02d} left"

    def wipe(self) -> None:
        """Removes the bar from the screen."""
        if self._drawn_at is not None:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn_at = None
            self._enabled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wipe()
