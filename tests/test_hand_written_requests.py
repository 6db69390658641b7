"""The hand-written test set of the bundled assistant keeps to its tools, its sentences and its conventions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from apps.assistant_model import tools
from apps.assistant_model.tools import QUESTIONS, REFUSAL, TALK, TOOLS

FILE = Path(tools.__file__).with_name("requests.jsonl")
LINES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
TYPES = {tool.name: {argument.name: argument.type for argument in tool.arguments} for tool in TOOLS}
SENTENCES = {REFUSAL, *QUESTIONS.values(), *TALK.values()}

DURATION = r"(?=.)(\d+h)?(\d+m)?(\d+s)?"
WEEKDAY = r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
FORMATS = {
    "time": r"([01]\d|2[0-3]):[0-5]\d",
    "duration": DURATION,
    "delay": DURATION,
    "day": rf"today|tomorrow|day after tomorrow|((next|every) )?{WEEKDAY}|weekend|weekdays|weekends|every day"
    r"|(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "state": "on|off",
    "expression": r"[\d.]+([-+*/][\d.]+)+",
}
UNITS = "km mi m ft in cm yd mm kg lb g oz st l ml gal cup pt tbsp tsp c f km/h mph kn"
NAMED = {
    ("control_media", "action"): "pause resume stop next previous",
    ("system_action", "action"): "lock sleep restart shutdown screenshot",
    ("convert_units", "from"): UNITS,
    ("convert_units", "to"): UNITS,
    ("set_setting", "name"): "wifi bluetooth airplane_mode dark_mode do_not_disturb night_light battery_saver"
    " notifications microphone camera",
}


def _has_type(value: Any, json_type: str) -> bool:
    match json_type:
        case "array":
            items = cast("list[object]", value) if isinstance(value, list) else []
            return items != [] and all(_has_type(item, "string") for item in items)
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float)
        case _:
            return type(value) is str and value != ""


def test_two_hundred_different_requests() -> None:
    assert len(LINES) == len({line["request"].lower().strip(" .!?") for line in LINES}) == 200


def test_every_tool_occurs() -> None:
    assert {call["name"] for line in LINES for call in line.get("calls", [])} == set(TYPES)


@pytest.mark.parametrize("line", LINES, ids=[line["request"] for line in LINES])
def test_answer_is_allowed(line: dict[str, Any]) -> None:
    assert set(line) - {"earlier"} in ({"request", "calls"}, {"request", "says"})
    assert "says" not in line or line["says"] in SENTENCES
    assert all(sentence in QUESTIONS.values() for _, sentence in line.get("earlier", []))
    assert line.get("calls") != []
    for call in line.get("calls", []):
        assert set(call) == {"name", "arguments"}
        for name, value in call["arguments"].items():
            assert _has_type(value, TYPES[call["name"]][name]), (name, value)
            assert name not in FORMATS or re.fullmatch(FORMATS[name], value), (name, value)
            allowed = NAMED.get((call["name"], name))
            assert allowed is None or value in allowed.split(), (name, value)
