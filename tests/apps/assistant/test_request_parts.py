"""Requests of several parts: taken apart by their words, and asked about one by one where the model forgot some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.assistant import Assistant
from edge.assistant.request_parts import parts_of
from scripts.assistant_accuracy import THREES, ask_all, read_requests, table
from tests.apps.assistant.conftest import yes
from tests.apps.assistant.scripted import Reply, ScriptedModel, Seen

LEAST_RIGHT = 16  # of the thirty; docs/assistant.md has how many are


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        ("turn off the light, set a timer for 5 minutes and add milk to the list",
         ["turn off the light", "set a timer for 5 minutes", "add milk to the list"]),
        ("Set a timer. Then play Mozart; also, what's the time?", ["Set a timer", "play Mozart", "what's the time?"]),
        ("play jazz then turn it up", ["play jazz", "turn it up"]),
        ("lock the door, and then please dim the lights", ["lock the door", "dim the lights"]),
        ("add milk, bread and eggs to the list", ["add milk, bread and eggs to the list"]),
        ("lights off in the hall and the kitchen", ["lights off in the hall and the kitchen"]),
        ("what's 3.5 and 4", ["what's 3.5 and 4"]),
        ("set it to 20 and", ["set it to 20 and"]),
        ("note that Andy settled it", ["note that Andy settled it"]),
        ("", []),
    ],
)  # fmt: skip
def test_parts(request_: str, parts: list[str]) -> None:
    assert parts_of(request_) == parts


def test_too_many_parts_are_one_request() -> None:
    assert len(parts_of(" and ".join(["stop"] * 8))) == 8
    assert len(parts_of(" and ".join(["stop"] * 9))) == 1


LIGHT = ("set_light", {"room": "hall", "state": "on"})
TIMER = ("set_timer", {"duration": "5m"})
NOTE = ("add_note", {"text": "milk"})
THREE = "turn on the hall light, set a timer for 5 minutes and note milk"


def scripted(make: Callable[..., Assistant], whole: Reply, **parts: Reply) -> Assistant:
    """whole: what the model says to all of it; parts: to what begins with a word."""

    def decide(seen: Seen) -> Reply:
        said = str(seen.messages[-1]["content"])
        return whole if said == THREE else parts[said.split()[0]]

    model = ScriptedModel(decide)
    model.tool_format = "assistant"
    return make(model, consent=yes)


def planned(assistant: Assistant) -> tuple[list[str], list[str], list[str]]:
    """The tools of the plan, the notes, and what the model was asked."""
    turn = assistant.ask(THREE)
    assert isinstance(assistant.model, ScriptedModel)
    return [call.tool for call in turn.calls], list(turn.notes), [
        str(seen.messages[-1]["content"]) for seen in assistant.model.seen
    ]  # fmt: skip


def test_what_was_forgotten_is_asked_for_part_by_part(make: Callable[..., Assistant]) -> None:
    assistant = scripted(make, [LIGHT, NOTE], turn=[LIGHT], set=[TIMER], note=[NOTE])
    tools, notes, asked = planned(assistant)
    assert tools == ["set_light", "set_timer", "add_note"] and notes == []
    assert asked == [THREE, "turn on the hall light", "set a timer for 5 minutes", "note milk"]


def test_a_whole_plan_is_not_asked_for_again(make: Callable[..., Assistant]) -> None:
    tools, _, asked = planned(scripted(make, [LIGHT, TIMER, NOTE]))
    assert tools == ["set_light", "set_timer", "add_note"] and asked == [THREE]


def test_a_single_call_may_hold_what_looks_like_parts(make: Callable[..., Assistant]) -> None:
    """ "remind me to lock the door and turn off the light" is one reminder."""
    tools, _, asked = planned(scripted(make, [NOTE]))
    assert tools == ["add_note"] and asked == [THREE]


def test_a_part_that_calls_nothing_leaves_the_plan_and_is_told(make: Callable[..., Assistant]) -> None:
    assistant = scripted(make, [LIGHT, NOTE], turn=[LIGHT], set="For how long?", note=[NOTE])
    tools, notes, _ = planned(assistant)
    assert tools == ["set_light", "add_note"]
    assert any("set a timer for 5 minutes" in note for note in notes)


def test_three_parts_with_the_bundled_model(make: Callable[..., Assistant], model: Any) -> None:
    """Thirty requests written by hand before the model's answers were seen."""
    assert Path(THREES).exists()
    rows = {group: (right, total) for group, right, total in table(ask_all(make(model), read_requests(THREES), None))}
    assert rows["all"][1] == 30 and rows["all"][0] >= LEAST_RIGHT, rows
