"""Timers, alarms and reminders: kept in the database, so that they ring after a restart too."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from edge.assistant.days import WEEKDAYS, Day, next_time, said_seconds
from edge.assistant.errors import NotFound, StoreError, ToolFailure
from edge.assistant.store import Store

__all__ = ["Kind", "Ringer", "Timers", "local"]

Kind = Literal["timer", "alarm", "reminder"]
_MOST = 500  # that are set at a time
_LONGEST_SLEEP = 20.0  # seconds: clocks are set, machines sleep


def local(seconds: float) -> datetime:
    """Local time without a zone."""
    return datetime.fromtimestamp(seconds)


class Timers:
    """on_change: told each timer that is new or another than before."""

    def __init__(self, store: Store, on_change: Callable[[dict[str, Any]], None]) -> None:
        self._store = store
        self._on_change = on_change
        self.changed = threading.Event()

    def add(
        self, kind: Kind, label: str, due_at: float, now: float, *, seconds: float | None = None, day: Day | None = None
    ) -> dict[str, Any]:
        repeats = None
        if day is not None and day.repeats is not None:
            repeats = " ".join(WEEKDAYS[number] for number in sorted(day.repeats))
        with self._store.write() as db:
            if len(self.all(kind)) >= _MOST:
                raise ToolFailure(f"There are {_MOST} {kind}s already.")
            created = db.execute(
                "INSERT INTO timers (kind, label, due_at, seconds, status, repeats, created_at) "
                "VALUES (?, ?, ?, ?, 'set', ?, ?)",
                (kind, label, due_at, seconds, repeats, now),
            ).lastrowid
            assert created is not None
        return self._told(created)

    def all(self, kind: Kind | None = None) -> list[dict[str, Any]]:
        """Those that are set or ring, next first."""
        rows = self._store.rows(
            "SELECT * FROM timers WHERE status IN ('set', 'ringing') AND kind = ifnull(?, kind) ORDER BY due_at, id",
            (kind,),
        )
        return [_as_json(row) for row in rows]

    def get(self, timer: int) -> dict[str, Any]:
        row = self._store.row("SELECT * FROM timers WHERE id = ?", (timer,))
        if row is None:
            raise NotFound(f"there is no timer {timer}")
        return _as_json(row)

    def cancel(self, timer: int) -> dict[str, Any]:
        return self._set(timer, "cancelled", ("set", "ringing"))

    def dismiss(self, timer: int) -> dict[str, Any]:
        return self._set(timer, "dismissed", ("ringing",))

    def snooze(self, timer: int, seconds: float, now: float) -> dict[str, Any]:
        """A ringing one rings again later."""
        with self._store.write() as db:
            if self.get(timer)["status"] != "ringing":
                raise NotFound(f"timer {timer} does not ring")
            db.execute(
                "UPDATE timers SET status = 'set', late = 0, repeats = NULL, due_at = ? WHERE id = ?",
                (now + seconds, timer),
            )
        return self._told(timer)

    def ring_due(self, now: float, started_at: float) -> list[dict[str, Any]]:
        """Those that are due ring from now on; an alarm that repeats is set again in the same transaction."""
        with self._store.write() as db:
            rows = self._store.rows("SELECT * FROM timers WHERE status = 'set' AND due_at <= ? ORDER BY due_at", (now,))
            for row in rows:
                late = row["due_at"] < started_at
                db.execute("UPDATE timers SET status = 'ringing', late = ? WHERE id = ?", (late, row["id"]))
                if row["repeats"]:
                    self._set_again(db, row, now)
        if rows:
            self.changed.set()
        return [self.get(row["id"]) for row in rows]

    def next_due(self) -> float | None:
        row = self._store.row("SELECT min(due_at) AS due FROM timers WHERE status = 'set'")
        return None if row is None else row["due"]

    def _set_again(self, db: sqlite3.Connection, row: sqlite3.Row, now: float) -> None:
        weekdays = frozenset(WEEKDAYS.index(name) for name in row["repeats"].split())
        due = next_time(
            Day(local(now).date(), local(now).date(), repeats=weekdays), local(row["due_at"]).time(), local(now)
        )
        db.execute(
            "INSERT INTO timers (kind, label, due_at, seconds, status, repeats, created_at) "
            "VALUES (?, ?, ?, NULL, 'set', ?, ?)",
            (row["kind"], row["label"], due.timestamp(), row["repeats"], now),
        )

    def _set(self, timer: int, status: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        with self._store.write() as db:
            if self.get(timer)["status"] not in allowed:
                raise NotFound(f"timer {timer} is not {' or '.join(allowed)} any more")
            db.execute("UPDATE timers SET status = ? WHERE id = ?", (status, timer))
        return self._told(timer)

    def _told(self, timer: int) -> dict[str, Any]:
        self.changed.set()
        value = self.get(timer)
        self._on_change(value)
        return value


class Ringer:
    """A thread that rings what is due. on_ring is told each timer that begins to ring."""

    def __init__(
        self,
        timers: Timers,
        on_ring: Callable[[dict[str, Any]], None],
        on_error: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._timers = timers
        self._on_ring = on_ring
        self._on_error = on_error
        self._clock = clock
        self._started_at = clock()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="assistant-ringer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._timers.changed.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._closing:
            self._timers.changed.clear()
            wait = _LONGEST_SLEEP
            try:
                for timer in self._timers.ring_due(self._clock(), self._started_at):
                    self._on_ring(timer)
                due = self._timers.next_due()
                if due is not None:
                    wait = min(wait, max(0.0, due - self._clock()))
            except StoreError as error:
                self._on_error(f"Timers cannot ring: {error}")
            if wait:
                self._timers.changed.wait(wait)


def _as_json(row: sqlite3.Row) -> dict[str, Any]:
    value = {name: row[name] for name in
             ("id", "kind", "label", "created_at", "due_at", "seconds", "status", "repeats")}  # fmt: skip
    if row["kind"] == "timer":
        text = f"Timer {row['label']}".rstrip() + (f": {said_seconds(row['seconds'])}" if row["seconds"] else "")
    elif row["kind"] == "alarm":
        text = f"Alarm {local(row['due_at']):%H:%M}"
    else:
        text = row["label"]
    return value | {"text": text, "late": bool(row["late"])}
