"""Events to whoever looks: numbered, kept for a while, so that a reader who was away gets what was missed."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Bus", "Event"]

_KEPT = 4000


class Event(NamedTuple):
    """data: JSON on one line, as it was at that moment."""

    id: int
    name: str
    data: str


class Bus:
    """For all threads. Readers are called by the thread that publishes, and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a reader may publish
        self._events: deque[Event] = deque(maxlen=_KEPT)
        self._readers: list[Callable[[Event], None]] = []
        self._last = 0

    @property
    def last(self) -> int:
        return self._last

    @property
    def num_readers(self) -> int:
        return len(self._readers)

    def publish(self, name: str, data: Any) -> None:
        text = json.dumps(data, ensure_ascii=False)
        with self._lock:
            self._last += 1
            event = Event(self._last, name, text)
            self._events.append(event)
            for reader in tuple(self._readers):
                reader(event)

    def subscribe(self, reader: Callable[[Event], None], after: int | None = None) -> Callable[[], None]:
        """From now on; with `after` also what came behind that event, or a `reset` when that is gone. Returns how to
        end it."""
        with self._lock:
            if after is not None:
                first = self._events[0].id if self._events else self._last + 1
                if after > self._last or after + 1 < first:
                    reader(Event(self._last, "reset", "{}"))
                else:
                    for event in self._events:
                        if event.id > after:
                            reader(event)
            self._readers.append(reader)

        def end() -> None:
            with self._lock:
                if reader in self._readers:
                    self._readers.remove(reader)

        return end
