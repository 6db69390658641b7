"""Conversations as a tree of turns: forks share what they have in common, an edit makes a version beside the old."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from edge.assistant.errors import NotFound
from edge.assistant.records import Call, Figures, Turn
from edge.assistant.store import Store

__all__ = ["Conversations"]

_TITLE = 60  # characters of the first request
_PATH = """
    WITH RECURSIVE path (id, parent, depth) AS (
        SELECT id, parent, 0 FROM turns WHERE id = ?
        UNION ALL SELECT turns.id, turns.parent, depth + 1 FROM turns JOIN path ON turns.id = path.parent)
    SELECT turns.* FROM turns JOIN path ON turns.id = path.id ORDER BY depth DESC
"""
_INTERRUPTED = "The assistant ended before this was done."


class Conversations:
    """Reads and writes them. A turn's `conversation` is the one it was made in; forks hold it too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def close_interrupted(self, now: float) -> int:
        """After a start: what ran when the process ended is stopped, and says so. Returns how many turns."""
        with self._store.write() as db:
            db.execute(
                "UPDATE calls SET status = 'failed', error = ? WHERE status = 'running'",
                ("The assistant ended while this ran: look whether it was done.",),
            )
            db.execute("UPDATE calls SET status = 'skipped', error = ? WHERE status IN ('planned', 'asking')",
                       (_INTERRUPTED,))  # fmt: skip
            return db.execute(
                "UPDATE turns SET status = 'stopped', error = ?, ended_at = ? WHERE status IN ('running', 'asking')",
                (_INTERRUPTED, now),
            ).rowcount

    def all(self) -> list[dict[str, Any]]:
        """Last used first."""
        rows = self._store.rows("SELECT * FROM conversations ORDER BY updated_at DESC, id DESC")
        return [self._as_json(row) for row in rows]

    def get(self, conversation: int) -> dict[str, Any]:
        return self._as_json(self._row(conversation))

    def create(self, now: float, *, fork_of: int | None = None, at_turn: int | None = None) -> dict[str, Any]:
        """A new one; a fork goes on behind `at_turn`, or behind the last turn. NotFound."""
        with self._store.write() as db:
            title, head = "", None
            if fork_of is not None:
                source = self._row(fork_of)
                title, head = source["title"], source["head"]
                if at_turn is not None:
                    if at_turn not in [turn["id"] for turn in self._path_rows(head)]:
                        raise NotFound(f"conversation {fork_of} shows no turn {at_turn}")
                    head = at_turn
            created = db.execute(
                "INSERT INTO conversations (title, head, forked_from, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
                (title, head, fork_of, now, now),
            ).lastrowid
            assert created is not None
            return self.get(created)

    def rename(self, conversation: int, title: str) -> dict[str, Any]:
        with self._store.write() as db:
            self._row(conversation)
            db.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, conversation))
            return self.get(conversation)

    def remove(self, conversation: int) -> None:
        """With the turns that no other conversation holds."""
        with self._store.write() as db:
            self._row(conversation)
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
            db.execute(
                """WITH RECURSIVE
                    kept (id) AS (
                        SELECT head FROM conversations WHERE head IS NOT NULL
                        UNION SELECT turns.id FROM turns JOIN conversations ON turns.conversation = conversations.id
                        UNION SELECT turns.parent FROM turns JOIN kept ON turns.id = kept.id
                            WHERE turns.parent IS NOT NULL)
                DELETE FROM turns WHERE id NOT IN (SELECT id FROM kept)"""
            )

    def path(self, conversation: int) -> list[Turn]:
        """The turns that are shown, oldest first."""
        rows = self._path_rows(self._row(conversation)["head"])
        return self._turns(rows, conversation)

    def turn(self, turn: int) -> Turn:
        row = self._store.row("SELECT * FROM turns WHERE id = ?", (turn,))
        if row is None:
            raise NotFound(f"there is no turn {turn}")
        return self._turns([row], row["conversation"])[0]

    def add_turn(self, conversation: int, parent: int | None, request: str, seed: int, now: float) -> Turn:
        """Behind `parent`, and shown from now on."""
        with self._store.write() as db:
            title = self._row(conversation)["title"] or _title(request)
            created = db.execute(
                "INSERT INTO turns (conversation, parent, request, status, seed, created_at) "
                "VALUES (?, ?, ?, 'running', ?, ?)",
                (conversation, parent, request, seed, now),
            ).lastrowid
            db.execute(
                "UPDATE conversations SET head = ?, updated_at = ?, title = ? WHERE id = ?",
                (created, now, title, conversation),
            )
            assert created is not None
            return self.turn(created)

    def select(self, conversation: int, turn: int) -> None:
        """Shows this version and what was last said behind it."""
        with self._store.write() as db:
            head = self.turn(turn).id
            while True:
                row = self._store.row(
                    "SELECT id FROM turns WHERE parent = ? ORDER BY conversation = ? DESC, id DESC LIMIT 1",
                    (head, conversation),
                )
                if row is None:
                    break
                head = row["id"]
            db.execute("UPDATE conversations SET head = ? WHERE id = ?", (head, conversation))

    def save_turn(self, turn: Turn) -> None:
        with self._store.write() as db:
            db.execute(
                "UPDATE turns SET status = ?, answer = ?, thinking = ?, notes = ?, error = ?, figures = ?, ended_at = ?"
                " WHERE id = ?",
                (turn.status, turn.answer, turn.thinking, json.dumps(turn.notes), turn.error,
                 None if turn.figures is None else json.dumps(asdict(turn.figures)), turn.ended_at, turn.id),
            )  # fmt: skip

    def add_calls(self, calls: Iterable[Call]) -> None:
        """Gives them their ids."""
        with self._store.write() as db:
            for call in calls:
                created = db.execute(
                    "INSERT INTO calls (turn, round, number, tool, arguments, effect, scope, needs, status, reason, "
                    "may_remember, untrusted_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (call.turn, call.round, call.number, call.tool, json.dumps(call.arguments), call.effect, call.scope,
                     json.dumps(call.needs), call.status, call.reason, call.may_remember, call.untrusted_before),
                ).lastrowid  # fmt: skip
                assert created is not None
                call.id = created

    def save_call(self, call: Call) -> None:
        with self._store.write() as db:
            db.execute(
                "UPDATE calls SET arguments = ?, scope = ?, status = ?, reason = ?, may_remember = ?, "
                "untrusted_before = ?, text = ?, result = ?, untrusted = ?, error = ?, seconds = ? WHERE id = ?",
                (json.dumps(call.arguments), call.scope, call.status, call.reason, call.may_remember,
                 call.untrusted_before, call.text, json.dumps(call.result), call.untrusted, call.error, call.seconds,
                 call.id),
            )  # fmt: skip

    def _row(self, conversation: int) -> sqlite3.Row:
        row = self._store.row("SELECT * FROM conversations WHERE id = ?", (conversation,))
        if row is None:
            raise NotFound(f"there is no conversation {conversation}")
        return row

    def _path_rows(self, head: int | None) -> list[sqlite3.Row]:
        return [] if head is None else self._store.rows(_PATH, (head,))

    def _as_json(self, row: sqlite3.Row) -> dict[str, Any]:
        return {name: row[name] for name in ("id", "title", "created_at", "updated_at", "forked_from")} | {
            "num_turns": len(self._path_rows(row["head"]))
        }

    def _turns(self, rows: list[sqlite3.Row], conversation: int) -> list[Turn]:
        turns = [_turn(row, conversation) for row in rows]
        by_id = {turn.id: turn for turn in turns}
        marks = ", ".join("?" * len(turns))
        for row in self._store.rows(f"SELECT * FROM calls WHERE turn IN ({marks}) ORDER BY round, number", list(by_id)):
            by_id[row["turn"]].calls.append(_call(row))
        for turn, row in zip(turns, rows, strict=True):
            siblings = self._store.rows(
                "SELECT id FROM turns WHERE parent IS ? AND conversation IN (?, ?) ORDER BY id",
                (turn.parent, conversation, row["conversation"]),
            )
            turn.versions = [sibling["id"] for sibling in siblings]
        return turns


def _title(request: str) -> str:
    line = " ".join(request.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def _turn(row: sqlite3.Row, conversation: int) -> Turn:
    return Turn(
        id=row["id"], conversation=conversation, parent=row["parent"], request=row["request"],
        created_at=row["created_at"], status=row["status"], answer=row["answer"], thinking=row["thinking"],
        notes=json.loads(row["notes"]), error=row["error"], seed=row["seed"], ended_at=row["ended_at"],
        figures=None if row["figures"] is None else Figures(**json.loads(row["figures"])),
    )  # fmt: skip


def _call(row: sqlite3.Row) -> Call:
    return Call(
        id=row["id"], turn=row["turn"], round=row["round"], number=row["number"], tool=row["tool"],
        arguments=json.loads(row["arguments"]), effect=row["effect"], scope=row["scope"],
        needs=tuple(json.loads(row["needs"])), status=row["status"], reason=row["reason"],
        may_remember=bool(row["may_remember"]), untrusted_before=bool(row["untrusted_before"]), text=row["text"],
        result=None if row["result"] is None else json.loads(row["result"]), untrusted=bool(row["untrusted"]),
        error=row["error"], seconds=row["seconds"],
    )  # fmt: skip
