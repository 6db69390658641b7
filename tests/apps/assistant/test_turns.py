"""Turns with the bundled model: requests, versions, forks, history, stops, and what a restart finds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import edge
from edge.assistant import Assistant, Busy, NotFound
from edge.assistant.bus import Event
from edge.assistant.settings import data_folder
from edge.assistant.status import common_blocks
from tests.apps.assistant.conftest import Clock, yes
from tests.apps.assistant.scripted import ScriptedModel, in_turn

Make = Callable[..., Assistant]


def _events(assistant: Assistant) -> list[Event]:
    seen: list[Event] = []
    assistant.bus.subscribe(seen.append)
    return seen


def test_a_request_becomes_a_call_and_a_sentence(make: Make, model: edge.Model) -> None:
    assistant = make(model, allow=("set_light",))
    seen = _events(assistant)
    turn = assistant.ask("turn on the kitchen light")
    assert turn.answer == "The light in the kitchen is on, 100 percent."
    assert [event.name for event in seen if event.name != "home.updated"] == [
        "turn.started", "turn.prefill", "turn.plan", "call.updated", "call.updated", "turn.token", "turn.ended",
        "conversation.updated",
    ]  # fmt: skip
    assert [event.id for event in seen] == list(range(1, len(seen) + 1))
    ended = json.loads(next(event.data for event in seen if event.name == "turn.ended"))
    assert ended["figures"]["action_seconds"] > 0 and ended["status"] == "done"


def test_a_question_and_its_answer(make: Make, model: edge.Model) -> None:
    assistant = make(model, allow=("add_reminder",))
    first = assistant.ask("remind me tomorrow at nine")
    assert first.answer == "What should I remind you of?"
    second = assistant.ask("to call mum", first.conversation)
    assert [(call.tool, call.arguments) for call in second.calls] == [
        ("add_reminder", {"text": "call mum", "day": "tomorrow", "time": "09:00"})
    ]


def test_the_tool_list_is_read_once(make: Make, model: edge.Model) -> None:
    assistant = make(model)
    assistant.warm_up()
    turns = [assistant.ask(request) for request in ("what time is it", "what is 3 plus 4")]
    for turn in turns:
        assert turn.figures is not None and turn.figures.cached_tokens is not None
        assert turn.figures.prompt_tokens is not None
        assert turn.figures.prompt_tokens - turn.figures.cached_tokens < 64
    described = [assistant.described(each) for each in assistant.conversations.all()]
    assert all(each["shared_tokens"] >= 448 <= each["kept_tokens"] for each in described), "forks of one KV"


def test_blocks_that_conversations_begin_with_are_counted() -> None:
    one, other = tuple(range(10)), (0, 1, 2, 3, 4, 5, 6, 70, 8, 9)  # blocks of 2: three alike, then none is
    assert common_blocks([one, other], 2) == (3, 3)
    assert common_blocks([one, other, one], 2) == (5, 3 * 2 + 2)
    assert common_blocks([one[1:], one], 2) == (0, 0), "a block is the same only behind the same beginning"
    assert common_blocks([one, ()], 2) == common_blocks([], 2) == (0, 0)


def test_what_the_page_shows_of_speed_is_a_models(make: Make, model: edge.Model) -> None:
    assistant = make(model)
    assistant.ask("what is 3 plus 4")
    shown = assistant.status()["speed"]
    assert shown["first_token_seconds"] is not None
    assistant.ask("/calculate expression=3+4")  # asks no model, and leaves what was shown
    assert assistant.status()["speed"] == shown


def test_versions_and_forks(make: Make, model: edge.Model) -> None:
    assistant = make(model, allow=("add_note",))
    first = assistant.ask("what is 3 plus 4")
    where = first.conversation
    second = assistant.ask("what is 5 plus 5", where)
    fork = assistant.fork(where)["id"]
    edited = assistant.edit(second.id, "what is 6 plus 6", where)
    assistant.wait(edited.id)
    path = assistant.conversations.path(where)
    assert [turn.answer for turn in path] == ["3+4 = 7", "6+6 = 12"]
    assert path[1].versions == [second.id, edited.id]
    assert [turn.answer for turn in assistant.conversations.path(fork)] == ["3+4 = 7", "5+5 = 10"]
    assistant.select(second.id, where)
    assert [turn.answer for turn in assistant.conversations.path(where)] == ["3+4 = 7", "5+5 = 10"]
    third = assistant.ask("what is 8 plus 1", fork)
    assert [turn.id for turn in assistant.conversations.path(fork)] == [first.id, second.id, third.id]
    early = assistant.fork(where, first.id)["id"]
    assert [turn.id for turn in assistant.conversations.path(early)] == [first.id]
    assistant.remove(where)
    assert [turn.answer for turn in assistant.conversations.path(fork)] == ["3+4 = 7", "5+5 = 10", "8+1 = 9"]
    with pytest.raises(NotFound):
        assistant.conversations.turn(edited.id)
    for wrong in (lambda: assistant.fork(fork, 999), lambda: assistant.edit(edited.id, "x", fork)):
        with pytest.raises(NotFound):
            wrong()


def test_a_retry_is_a_version_with_another_seed(make: Make, model: edge.Model) -> None:
    assistant = make(model)
    first = assistant.ask("tell me a joke")
    again = assistant.retry(first.id)
    assistant.wait(again.id)
    path = assistant.conversations.path(first.conversation)
    assert [turn.request for turn in path] == ["tell me a joke"] and path[0].versions == [first.id, again.id]
    assert path[0].seed == 1 and first.seed == 0
    assert again.figures is not None and again.figures.cached_tokens is not None
    assert again.figures.prompt_tokens is not None
    assert again.figures.prompt_tokens - again.figures.cached_tokens < 64, "a retry does not pay the prompt again"


def test_search_finds_what_is_shown_somewhere(make: Make, model: edge.Model) -> None:
    assistant = make(model, allow=("add_to_list",))
    turn = assistant.ask("add Brötchen to the shopping list")
    hits = assistant.search("brötchen SHOPPING")
    assert {(hit["turn"], hit["where"]) for hit in hits} == {
        (turn.id, "request"),
        (turn.id, "answer"),
        (turn.id, "result"),
    }
    request = next(hit for hit in hits if hit["where"] == "request")
    assert (request["before"], request["match"], request["after"]) == ("add ", "Brötchen", " to the shopping list")
    assert assistant.search("caviar") == [] == assistant.search("  ")
    assistant.remove(turn.conversation)
    assert assistant.search("shopping") == []


def test_one_turn_at_a_time_in_a_conversation(make: Make) -> None:
    assistant = make(ScriptedModel(in_turn()))
    where = assistant.conversations.create(0.0)["id"]
    turn = assistant.start("/add_note text=x", where)
    for again in (
        lambda: assistant.start("x", where),
        lambda: assistant.remove(where),
        lambda: assistant.retry(turn.id),
    ):
        with pytest.raises(Busy):
            again()
    assistant.stop(turn.id)
    assistant.wait(turn.id)


def test_conversations_answer_side_by_side(make: Make, model: edge.Model) -> None:
    assistant = make(model)
    places = [assistant.conversations.create(float(n))["id"] for n in range(4)]
    turns = [assistant.start(f"what is {n} plus 4", place) for n, place in enumerate(places, 1)]
    for turn in turns:
        assistant.wait(turn.id)
    assert [assistant.conversations.turn(turn.id).answer for turn in turns] == [f"{n}+4 = {n + 4}" for n in range(1, 5)]


def test_an_interrupted_turn_says_so_after_a_restart(make: Make, tmp_path: Path) -> None:
    assistant = make(ScriptedModel(in_turn()))
    turn = assistant.ask("/calculate expression=1+1")
    assistant.close()
    with sqlite3.connect(tmp_path / "data" / "assistant.db") as db:  # as kill -9 leaves them
        db.execute("UPDATE turns SET status = 'asking', ended_at = NULL")
        db.execute("UPDATE calls SET status = 'running'")
    db.close()
    found = make(ScriptedModel(in_turn())).conversations.turn(turn.id)
    assert (found.status, found.error) == ("stopped", "The assistant ended before this was done.")
    assert found.calls[0].status == "failed" and "look whether" in (found.calls[0].error or "")


def test_timers_ring_and_survive(make: Make, clock: Clock, tmp_path: Path) -> None:
    import threading

    def rung(assistant: Assistant) -> Callable[[], list[dict[str, object]]]:
        rang: list[dict[str, object]] = []
        there = threading.Event()

        def tell(event: Event) -> None:
            if event.name == "timer.ringing":
                rang.append(json.loads(event.data))
                there.set()

        assistant.bus.subscribe(tell, after=0)
        return lambda: rang if there.wait(10) else []

    assistant = make(ScriptedModel(in_turn()), clock=clock, consent=yes)
    ringing = rung(assistant)
    assistant.ask("/set_timer duration=5m label=tea")
    assistant.ask("/set_alarm time=10:30 day='every day'")
    clock.now += 301
    assistant.timers.changed.set()
    assert [(timer["text"], timer["late"]) for timer in ringing()] == [("Timer tea: 5 minutes", False)]
    snoozed = assistant.timers.snooze(1, 120, clock.now)
    assert snoozed["status"] == "set"
    assistant.close()
    clock.now += 3600
    again = make(ScriptedModel(in_turn()), clock=clock)
    assert [timer["late"] for timer in rung(again)()][:1] == [True], "what was due meanwhile rings at once"
    again.timers.changed.set()
    statuses = [(timer["kind"], timer["status"]) for timer in again.timers.all()]
    assert ("alarm", "set") in statuses, "an alarm that repeats is set again"
    assert {status for _, status in statuses} >= {"ringing"}
    assert again.timers.dismiss(1)["status"] == "dismissed"
    with pytest.raises(NotFound):
        again.timers.dismiss(1)


def test_a_damaged_database_is_said(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "assistant.db").write_bytes(b"damaged" * 1000)
    assistant = make(ScriptedModel(in_turn()))
    assert len(assistant.notices) == 1 and "damaged" in assistant.notices[0]


def test_settings_are_checked(make: Make) -> None:
    with pytest.raises(edge.RequestError, match="--allow: there is no tool 'fly'"):
        make(ScriptedModel(in_turn()), allow=("fly",))
    with pytest.raises(edge.RequestError, match="--retrieval"):
        make(ScriptedModel(in_turn()), retrieval="sometimes")


def test_where_the_data_lies(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert data_folder({"HOME": str(home)}).name == "assistant"
    assert data_folder({"XDG_DATA_HOME": str(tmp_path), "HOME": "/x"}) == tmp_path / "edge" / "assistant"
    assert data_folder({"EDGE_ASSISTANT_DIR": "/y"}) == Path("/y")
    with pytest.raises(edge.RequestError, match="--data"):
        data_folder({})
