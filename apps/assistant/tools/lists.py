"""Lists and notes, with search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.assistant.errors import ToolFailure
from edge.assistant.store import Store
from edge.assistant.tool import Arguments, Result, Tool, parameters

__all__ = ["Lists", "Notes", "list_tools"]

_LIST = {"type": "string", "description": "name of the list", "minLength": 1, "maxLength": 100}
_ITEMS = {"type": "array", "description": "things on the list", "minItems": 1, "maxItems": 100,
          "items": {"type": "string", "minLength": 1, "maxLength": 500}}  # fmt: skip
_MOST_FOUND = 20


class Notes:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def all(self, words: str = "") -> list[dict[str, Any]]:
        """Notes that hold all words, newest first."""
        folded = [word.casefold() for word in words.split()][:16]
        holds = " AND ".join(["instr(fold(text), ?) > 0" for _ in folded] or ["1"])
        rows = self._store.rows(f"SELECT id, text, created_at FROM notes WHERE {holds} ORDER BY id DESC", folded)
        return [dict(row) for row in rows]

    def add(self, given: Arguments) -> Result:
        with self._store.write() as db:
            created = db.execute(
                "INSERT INTO notes (text, created_at) VALUES (?, ?)", (given["text"], self._clock())
            ).lastrowid
        return Result("The note is written.", {"id": created, "text": given["text"]})

    def find(self, given: Arguments) -> Result:
        found = self.all(given["query"])
        if not found:
            return Result(f"No note holds “{given['query']}”.", {"notes": []})
        said = "\n".join(f"- {note['text']}" for note in found[:_MOST_FOUND])
        more = f"\nand {len(found) - _MOST_FOUND} more" if len(found) > _MOST_FOUND else ""
        return Result(said + more, {"notes": found[:_MOST_FOUND]}, untrusted=True)

    def remove(self, given: Arguments) -> Result:
        found = self.all(given["query"])
        if len(found) != 1:
            raise ToolFailure(f"{len(found)} notes hold “{given['query']}”; it must be one.")
        with self._store.write() as db:
            db.execute("DELETE FROM notes WHERE id = ?", (found[0]["id"],))
        return Result(f"The note is removed: {found[0]['text']}.", found[0])


class Lists:
    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[dict[str, Any]]:
        rows = self._store.rows(
            "SELECT name, items.id AS item, text FROM lists LEFT JOIN items ON items.list = lists.id "
            "ORDER BY name COLLATE NOCASE, items.id"
        )
        lists: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            items = lists.setdefault(row["name"], [])
            if row["item"] is not None:
                items.append({"id": row["item"], "text": row["text"]})
        return [{"name": name, "items": items} for name, items in lists.items()]

    def add(self, given: Arguments) -> Result:
        name = given["list"].strip()
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO lists (name) VALUES (?)", (name,))
            number = self._number(name)
            there = {item.casefold() for item in self._items(number)}
            new = list(dict.fromkeys(item for item in given["items"] if item.casefold() not in there))
            db.executemany("INSERT INTO items (list, text) VALUES (?, ?)", [(number, item) for item in new])
        old = [item for item in given["items"] if item not in new]
        said = f"{_joined(new)} {'is' if len(new) == 1 else 'are'} on the {name} list now." if new else ""
        was = f"{_joined(old)} {'was' if len(old) == 1 else 'were'} on it already." if old else ""
        return Result(" ".join(filter(None, (said, was))), {"list": name, "added": new})

    def remove(self, given: Arguments) -> Result:
        name = given["list"].strip()
        with self._store.write() as db:
            number = self._number(name)
            there = {item.casefold(): item for item in self._items(number)}
            missing = [item for item in given["items"] if item.casefold() not in there]
            if missing:
                raise ToolFailure(f"{_joined(missing)} {'is' if len(missing) == 1 else 'are'} not on the {name} list.")
            gone = [there[item.casefold()] for item in given["items"]]
            db.executemany("DELETE FROM items WHERE list = ? AND text = ?", [(number, item) for item in gone])
        return Result(f"{_joined(gone)} {'is' if len(gone) == 1 else 'are'} off the {name} list.", {"removed": gone})

    def read(self, given: Arguments) -> Result:
        name = given["list"].strip()
        items = self._items(self._number(name))
        said = "\n".join(f"- {item}" for item in items)
        return Result(said or f"The {name} list is empty.", {"list": name, "items": items}, untrusted=bool(items))

    def _number(self, name: str) -> int:
        row = self._store.row("SELECT id FROM lists WHERE name = ?", (name,))
        if row is None:
            there = ", ".join(each["name"] for each in self._store.rows("SELECT name FROM lists ORDER BY name"))
            raise ToolFailure(f"There is no {name} list. {f'There are: {there}.' if there else 'There is none yet.'}")
        return int(row["id"])

    def _items(self, number: int) -> list[str]:
        return [row["text"] for row in self._store.rows("SELECT text FROM items WHERE list = ? ORDER BY id", (number,))]


def list_tools(lists: Lists, notes: Notes) -> list[Tool]:
    text = {"type": "string", "description": "what to write", "minLength": 1, "maxLength": 10_000}
    query = {"type": "string", "description": "words to look for", "minLength": 1, "maxLength": 200}
    return [
        Tool("add_to_list", "put things on a list", parameters("list", "items", list=_LIST, items=_ITEMS),
             lists.add, "write", resource="list"),
        Tool("remove_from_list", "take things off a list", parameters("list", "items", list=_LIST, items=_ITEMS),
             lists.remove, "write", resource="list"),
        Tool("read_list", "read a list out", parameters("list", list=_LIST), lists.read, resource="list"),
        Tool("add_note", "write a note", parameters("text", text=text), notes.add, "write", resource="note"),
        Tool("find_notes", "search the notes", parameters("query", query=query), notes.find, resource="note"),
        Tool("remove_note", "delete a note", parameters("query", query=query), notes.remove, "write", resource="note"),
    ]  # fmt: skip


def _joined(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
