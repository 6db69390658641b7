"""A lock that threads get in the order in which they asked for it.

Python's own lock goes to whoever is quickest, which is the thread that has just given it up: one that takes step after
step for its prompt would keep all others from the tokens that these steps made for them.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A context manager; a thread that has it may take it again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # held for a moment, around the fields below
        self._owner: int | None = None
        self._depth = 0
        self._queue: deque[tuple[int, threading.Lock]] = deque()  # thread, and what it waits for

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._guard:
            if self._owner == me:
                self._depth += 1
                return
            if self._owner is None:
                self._owner, self._depth = me, 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append((me, turn))
        try:
            turn.acquire()
        except BaseException:  # an interrupt: it must not be handed on to nobody
            with self._guard:
                if self._owner == me:
                    self._hand_on()
                else:
                    self._queue.remove((me, turn))
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._guard:
            self._depth -= 1
            if self._depth == 0:
                self._hand_on()

    def _hand_on(self) -> None:
        if self._queue:
            (self._owner, turn), self._depth = self._queue.popleft(), 1
            turn.release()
        else:
            self._owner, self._depth = None, 0
