"""How many answers may run and wait; who comes when that is reached is told when to come again."""

from __future__ import annotations

import math
import threading

from edge.serve.api_error import ApiError

_FIRST_GUESS = 5.0  # seconds of an answer, until one was measured


class Gate:
    """May be entered and left from any thread."""

    def __init__(self, sequences: int, queue: int) -> None:
        self._sequences = sequences
        self.limit = sequences + queue
        self._lock = threading.Lock()
        self._inside = 0
        self._seconds = _FIRST_GUESS
        self.num_refused = 0

    @property
    def inside(self) -> int:
        return self._inside

    def enter(self, num_choices: int) -> None:
        """ApiError 429 with Retry-After when there is no room; 400 when there never will be."""
        if num_choices > self.limit:
            raise ApiError(
                400, f"n times the number of prompts is {num_choices}; this server takes {self.limit} answers at once",
                param="n", code="invalid_value",
            )  # fmt: skip
        with self._lock:
            if self._inside + num_choices <= self.limit:
                self._inside += num_choices
                return
            self.num_refused += 1
            waiting = max(1, self._inside + num_choices - self._sequences)
            seconds = min(60, max(1, math.ceil(self._seconds * waiting / self._sequences / 2)))
        raise ApiError(
            429,
            f"{self._inside} answers run or wait, the most this server takes; come again in {seconds} s",
            code="queue_full",
            headers={"retry-after": str(seconds)},
        )

    def leave(self, num_choices: int, seconds: float | None) -> None:
        """seconds: what the answers took; None: they did not end by themselves."""
        with self._lock:
            self._inside -= num_choices
            if seconds is not None:
                self._seconds += (seconds - self._seconds) / 8
