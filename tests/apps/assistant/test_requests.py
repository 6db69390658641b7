"""Requests written by hand: fifty of them through the page's API with the state looked up in SQLite, and a share of
all for accuracy."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from edge.assistant import Assistant
from scripts.assistant_accuracy import ask_all, read_requests, table

pytest.importorskip("starlette", reason="the page needs the extra assistant")
pytest.importorskip("uvicorn", reason="the page needs the extra assistant")

from tests.apps.assistant.page_server import PageServer, page_server  # noqa: E402

# The request, a question to the database, and what it answers.
_LAST = "ORDER BY id DESC LIMIT 1"
_TIME = "strftime('%H:%M', due_at, 'unixepoch', 'localtime')"
_TIMER = f"SELECT kind, label, seconds, status FROM timers {_LAST}"
_ALARM = f"SELECT {_TIME}, repeats, status FROM timers WHERE kind = 'alarm' {_LAST}"
_AT = f"SELECT label, {_TIME} FROM timers WHERE kind = 'reminder' {_LAST}"
_ITEMS = "SELECT text FROM items JOIN lists ON lists.id = list WHERE name = '{}' ORDER BY items.id"
_LIST = f"SELECT group_concat(text, ', ') FROM ({_ITEMS})"
_NOTE = "SELECT text FROM notes ORDER BY id DESC LIMIT 1"
_EVENT = "SELECT title, time FROM calendar ORDER BY id DESC LIMIT 1"
_LIGHT = "SELECT json_extract(value, '$.rooms.\"{}\".light.{}') FROM home"
_HEAT = "SELECT json_extract(value, '$.rooms.\"{}\".heating.{}') FROM home"
_SOCKET = "SELECT json_extract(value, '$.sockets.\"{}\"') FROM home"
_MEDIA = "SELECT json_extract(value, '$.media.{}') FROM home"
_CALL = "SELECT tool, status FROM calls ORDER BY id DESC LIMIT 1"
_RESULT = "SELECT text FROM calls ORDER BY id DESC LIMIT 1"
_ANSWER = "SELECT answer FROM turns ORDER BY id DESC LIMIT 1"
_REFUSAL = ("Sorry, I have no tool for that.",)

END_TO_END: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("7 minute timer", _TIMER, ("timer", "", 420.0, "set")),
    ("set a laundry timer for 50 minutes", _TIMER, ("timer", "laundry", 3000.0, "set")),
    ("check the laundry timer", _CALL, ("check_timer", "done")),
    ("put a timer on for two hours and a quarter", _TIMER, ("timer", "", 8100.0, "set")),
    ("timer for the bread, thirty five minutes", _TIMER, ("timer", "bread", 2100.0, "set")),
    ("forget about the bread timer", _TIMER, ("timer", "bread", 2100.0, "cancelled")),
    ("alarm at ten to seven", _ALARM, ("06:50", None, "set")),
    ("i want an alarm every day at 6:15", _ALARM,
     ("06:15", "monday tuesday wednesday thursday friday saturday sunday", "set")),
    ("remove the alarm for quarter to nine", _CALL, ("cancel_alarm", "failed")),
    ("set one for noon", _ALARM, ("12:00", None, "set")),
    ("remind me to feed the cat at 6 pm", _AT, ("feed the cat", "18:00")),
    ("Remind me on Friday to send the invoice.", _AT, ("send the invoice", "09:00")),
    ("put apples on the shopping list", _LIST.format("shopping"), ("apples",)),
    ("shopping list: yoghurt, honey and lemons", _LIST.format("shopping"), ("apples, yoghurt, honey, lemons",)),
    ("put fix the fence on my to do list", _LIST.format("to do"), ("fix the fence",)),
    ("cross fix the fence off the to do list", _LIST.format("to do"), (None,)),
    ("what do I need to buy", _RESULT, ("- apples\n- yoghurt\n- honey\n- lemons",)),
    ("write down that the spare key is with Helen", _NOTE, ("the spare key is with Helen",)),
    ("remember that Anna is allergic to nuts", _NOTE, ("Anna is allergic to nuts",)),
    ("Find the note about the plumber.", _RESULT, ("No note holds “plumber”.",)),
    ("put yoga on tuesday at 6 pm in my calendar", _EVENT, ("yoga", "18:00")),
    ("New event: haircut, Saturday 11 am.", _EVENT, ("haircut", "11:00")),
    ("calendar entry for tomorrow at nine, team meeting", _EVENT, ("team meeting", "09:00")),
    ("what is 17 times 6", _RESULT, ("17*6 = 102",)),
    ("fifteen percent of 80", _RESULT, ("80*15/100 = 12",)),
    ("What's 3.5 plus 4.25?", _RESULT, ("3.5+4.25 = 7.75",)),
    ("10 miles in kilometres", _RESULT, ("10 mi is 16.0934 km.",)),
    ("convert 75 fahrenheit to celsius", _RESULT, ("75 °F is 23.8889 °C.",)),
    ("12 inches to centimetres", _RESULT, ("12 in is 30.48 cm.",)),
    ("get the porch light on for me", _LIGHT.format("porch", "on"), (1,)),
    ("set kitchen lights to half", _LIGHT.format("kitchen", "brightness"), (50,)),
    ("turn the lights in the guest room green", _LIGHT.format("guest room", "color"), ("green",)),
    ("kill every light in the house", _LIGHT.format("kitchen", "on"), (0,)),
    ("switch the radio on", _SOCKET.format("radio"), (1,)),
    ("get the kettle going", _SOCKET.format("kettle"), (1,)),
    ("put the bathroom on 23 degrees", _HEAT.format("bathroom", "target"), (23,)),
    ("set the whole house to eighteen degrees", _HEAT.format("bedroom", "target"), (18,)),
    ("stop heating the guest room", _HEAT.format("guest room", "on"), (0,)),
    ("play some Miles Davis", _MEDIA.format("what"), ("Miles Davis",)),
    ("pause the music for a moment", _MEDIA.format("state"), ("paused",)),
    ("keep playing", _MEDIA.format("state"), ("playing",)),
    ("do I need an umbrella on thursday", _CALL, ("get_weather", "failed")),
    ("tell me today's date", _CALL, ("get_date", "done")),
    ("order me a pizza", _ANSWER, _REFUSAL),
    ("send an email to my boss", _ANSWER, _REFUSAL),
    ("start a timer", _ANSWER, ("For how long?",)),
    ("twenty minutes", _TIMER, ("timer", "", 1200.0, "set")),
    ("turn off all lights and lock the computer", _LIGHT.format("porch", "on"), (0,)),
    ("lights off in the hall and in the bathroom", _LIGHT.format("bathroom", "on"), (0,)),
    ("switch on the kitchen light and set a timer for 6 minutes", _TIMER, ("timer", "", 360.0, "set")),
)  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[PageServer, Path, int]]:
    folder = tmp_path_factory.mktemp("requests")
    with page_server(folder) as server:
        yield server, folder / "assistant.db", int(server.post("/api/conversations")["id"])


def test_end_to_end(running: tuple[PageServer, Path, int]) -> None:
    """In order, and so in one test: later requests work on what earlier ones left."""
    server, database, conversation = running
    wrong: list[str] = []
    for request, question, wanted in END_TO_END:
        turn = server.ask(conversation, request)
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            found = db.execute(question).fetchone()
        if found != wanted:
            wrong.append(f"{request!r}: {found}, wanted {wanted}: {turn['answer'] or turn['error']}")
    assert not wrong, "\n".join(wrong)


def test_there_are_fifty() -> None:
    assert len(END_TO_END) == 50


def test_accuracy_of_a_share(make: Callable[..., Assistant], model: Any) -> None:
    """Every third request; the table in docs/assistant.md is of all. A model that understands less fails here."""
    requests = read_requests()
    assert len(requests) == 300
    rows = {group: (right, total) for group, right, total in table(ask_all(make(model), requests[::3], None))}
    right, total = rows["all"]
    assert right / total > 0.84, rows
