"""Who may do what without being asked, and questions that wait for a person's answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

from edge.assistant.errors import Conflict, NotFound
from edge.assistant.records import Call
from edge.assistant.store import Store
from edge.assistant.tool import Tool

__all__ = ["Answer", "Desk", "Grants", "why_ask"]

Answer = Literal["once", "always", "refuse"]
WAIT_SECONDS = 600.0  # then a question counts as refused


class Grants:
    """What "always" was said to, by tool and scope. given: names of tools that may run from the start, in any scope;
    those are not kept."""

    def __init__(self, store: Store, on_change: Callable[[dict[str, Any]], None], given: Iterable[str] = ()) -> None:
        self._store = store
        self._on_change = on_change
        self._given = frozenset(given)

    def holds(self, tool: str, scope: str) -> bool:
        if tool in self._given:
            return True
        return self._store.row("SELECT 1 FROM grants WHERE tool = ? AND scope = ?", (tool, scope)) is not None

    def all(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._store.rows("SELECT id, tool, scope, created_at FROM grants ORDER BY id")]

    def scopes(self, tool: str) -> list[str]:
        rows = self._store.rows("SELECT scope FROM grants WHERE tool = ? ORDER BY scope", (tool,))
        return [row["scope"] for row in rows] + ["*"] * (tool in self._given)

    def add(self, tool: str, scope: str, now: float) -> None:
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO grants (tool, scope, created_at) VALUES (?, ?, ?)", (tool, scope, now))
        self._on_change({"grants": self.all()})

    def remove(self, grant: int) -> None:
        with self._store.write() as db:
            if not db.execute("DELETE FROM grants WHERE id = ?", (grant,)).rowcount:
                raise NotFound(f"there is no grant {grant}")
        self._on_change({"grants": self.all()})


def why_ask(tool: Tool, scope: str, *, untrusted_before: bool, grants: Grants) -> str | None:
    """None: it may run. Otherwise why a person is asked: "untrusted", "always_asks" or "first"."""
    if tool.effect == "read":
        return None
    if untrusted_before:
        return "untrusted"
    if not tool.may_remember:
        return "always_asks"
    return None if grants.holds(tool.name, scope) else "first"


class Desk:
    """Questions that wait. A person answers what was shown: the digest names tool and arguments."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._changed = threading.Condition()
        self._open: dict[int, Call] = {}
        self._answers: dict[int, Answer] = {}
        self._clock = clock

    def open(self, call: Call) -> None:
        with self._changed:
            self._open[call.id] = call

    def wait(self, call: Call, stopped: Callable[[], bool]) -> Answer:
        """The answer; "refuse" when none comes or the turn is stopped."""
        deadline = self._clock() + WAIT_SECONDS
        with self._changed:
            while call.id not in self._answers and not stopped() and self._clock() < deadline:
                self._changed.wait(min(1.0, max(0.0, deadline - self._clock())))
            self._open.pop(call.id, None)
            return self._answers.pop(call.id, "refuse")

    def answer(self, call: int, answer: Answer, digest: str) -> Call:
        """Raises Conflict, NotFound."""
        with self._changed:
            asked = self._open.get(call)
            if asked is None or call in self._answers:
                raise Conflict("already_answered", f"call {call} does not wait for consent")
            if digest != asked.digest:
                raise Conflict("changed", f"call {call} is {asked.digest}, not what was seen")
            if answer == "always" and not asked.may_remember:
                raise Conflict("changed", f"call {call} may be allowed once only")
            self._answers[call] = answer
            self._changed.notify_all()
            return asked

    def wake(self) -> None:
        """After a stop."""
        with self._changed:
            self._changed.notify_all()
