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
        self, label: str, unit: str = "", scale: float = 1.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._label = label
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
        since = self._started_at + DELAY_SECONDS if self._drawn_at is None else self._drawn_at + _INTERVAL_SECONDS
        if now < since:
            return
        self._drawn_at = now
        full = _WIDTH * done // max(total, 1)
        figures = f"{done / self._scale:.0f}/{total / self._scale:.0f}{self._unit}"
        sys.stderr.write(f"\r{self._label} {'▓' * full}{'░' * (_WIDTH - full)} {figures}\x1b[K")
        sys.stderr.flush()

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
