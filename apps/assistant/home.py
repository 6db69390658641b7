"""A simulated home: lights, sockets, heating and what plays, in the database. Nothing outside of it is switched."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from edge.assistant.errors import ToolFailure
from edge.assistant.store import Store

__all__ = ["Home"]

_ROOMS = ("living room", "kitchen", "bedroom", "bathroom", "hall")
_DEVICES = ("fan", "coffee machine", "TV")
_COOL, _SECONDS = 16.0, 900.0  # what an unheated room goes to, and how slowly
_MOST = 40  # rooms, or sockets
_MAX_NAME = 40


class Home:
    """on_change: told the whole picture after each change."""

    def __init__(self, store: Store, clock: Callable[[], float], on_change: Callable[[dict[str, Any]], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_change = on_change

    def picture(self) -> dict[str, Any]:
        """As the page draws it; docs: API.md."""
        state, now = self._load(), self._clock()
        rooms = [
            {"name": name, "light": room["light"],
             "heating": {"on": room["heating"]["on"], "target": room["heating"]["target"],
                         "temperature": round(_temperature(room["heating"], now), 1)}}
            for name, room in state["rooms"].items()
        ]  # fmt: skip
        sockets = [{"device": device, "on": on} for device, on in state["sockets"].items()]
        return {"rooms": rooms, "sockets": sockets, "media": state["media"], "version": state["version"]}

    @contextmanager
    def change(self) -> Generator[dict[str, Any]]:
        """The state, kept and told when the block ends."""
        with self._store.write() as db:
            state = self._load()
            yield state
            state["version"] += 1
            db.execute("INSERT OR REPLACE INTO home (key, value) VALUES ('home', ?)", (json.dumps(state),))
        self._on_change(self.picture())

    def rooms(self, state: dict[str, Any], name: str | None) -> list[tuple[str, dict[str, Any]]]:
        """Those that are meant, (name, state): a room is made when it is first named. None or "all": all."""
        rooms: dict[str, Any] = state["rooms"]
        if name is None or name.strip().casefold() in ("all", "everywhere", "house", "home"):
            return list(rooms.items())
        key = _key(rooms, name, "room")
        if key not in rooms:
            rooms[key] = _room(self._clock())
        return [(key, rooms[key])]

    def socket(self, state: dict[str, Any], device: str) -> str:
        return _key(state["sockets"], device, "device")

    def heat(self, heating: dict[str, Any], **change: Any) -> None:
        """Changes what a room is heated to; it goes on from the temperature that it has now."""
        now = self._clock()
        heating |= {"start": _temperature(heating, now), "since": now} | change

    def _load(self) -> dict[str, Any]:
        row = self._store.row("SELECT value FROM home WHERE key = 'home'")
        if row is not None:
            state: dict[str, Any] = json.loads(row["value"])
            return state
        now = self._clock()
        return {
            "rooms": {name: _room(now) for name in _ROOMS},
            "sockets": dict.fromkeys(_DEVICES, False),
            "media": {"what": None, "room": None, "state": "stopped"},
            "version": 0,
        }


def _room(now: float) -> dict[str, Any]:
    return {
        "light": {"on": False, "brightness": 100, "color": None},
        "heating": {"on": True, "target": 20, "start": 19.0, "since": now},
    }


def _key(known: dict[str, Any], name: str, what: str) -> str:
    """The name it goes by, whatever its case. ToolFailure: no name, or too many of them."""
    text = " ".join(name.split())
    if not text or len(text) > _MAX_NAME:
        raise ToolFailure(f"“{text[:_MAX_NAME]}” is no name of a {what}.")
    found = next((key for key in known if key.casefold() == text.casefold()), None)
    if found is None and len(known) >= _MOST:
        raise ToolFailure(f"The home has {_MOST} {what}s already.")
    return found or text


def _temperature(heating: dict[str, Any], now: float) -> float:
    goal = heating["target"] if heating["on"] else min(_COOL, heating["start"])
    return float(goal + (heating["start"] - goal) * math.exp(-max(0.0, now - heating["since"]) / _SECONDS))
