"""Calls of one answer as a graph: which results a call refers to, and which calls must keep their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from edge.assistant.errors import ToolFailure
from edge.assistant.records import Call
from edge.assistant.tool import Tool

__all__ = ["make_plan", "resolve", "used_by"]

# A reference to an earlier result: $1.text is its sentence, $1.value a field of its data, $2.items[0] an entry.
_REFERENCE = re.compile(r"\$(\d{1,2})((?:\.[A-Za-z_]\w*|\[\d{1,3}\])+)")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def make_plan(
    wanted: Sequence[tuple[str, dict[str, Any]]], tools: Mapping[str, Tool], *, turn: int, round_: int, first: int = 1
) -> list[Call]:
    """Calls with their edges: behind the calls they refer to, and behind earlier ones that change the same thing."""
    calls: list[Call] = []
    for number, (name, arguments) in enumerate(wanted, first):
        tool = tools.get(name)
        effect = "write" if tool is None else tool.effect
        needs = {used for used in used_by(arguments) if first <= used < number}
        for earlier in calls:
            other = tools.get(earlier.tool)
            if tool is not None and other is not None and tool.resource and tool.resource == other.resource:
                if "read" != effect or earlier.effect != "read":
                    needs.add(earlier.number)
        calls.append(Call(0, turn, round_, number, name, arguments, effect, needs=tuple(sorted(needs))))
    return calls


def used_by(value: Any) -> set[int]:
    """Numbers of the calls that arguments refer to."""
    if isinstance(value, str):
        return {int(match[1]) for match in _REFERENCE.finditer(value)}
    items: Iterable[Any] = ()
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).values()
    elif isinstance(value, list):
        items = cast("Iterable[Any]", value)
    return {number for item in items for number in used_by(item)}


def resolve(value: Any, done: Mapping[int, Call]) -> Any:
    """The value with references to these calls replaced; others stay text. ToolFailure: no such field."""
    if isinstance(value, str):
        match = _REFERENCE.fullmatch(value)
        if match is not None and int(match[1]) in done:
            return _looked_up(match, done)
        return _REFERENCE.sub(lambda m: str(_looked_up(m, done)) if int(m[1]) in done else m[0], value)
    if isinstance(value, Mapping):
        return {key: resolve(item, done) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [resolve(item, done) for item in cast("Iterable[Any]", value)]
    return value


def _looked_up(match: re.Match[str], done: Mapping[int, Call]) -> Any:
    call = done[int(match[1])]
    steps = _STEP.findall(match[2])
    if steps[0][0] == "text" and len(steps) == 1:
        return call.text
    value: Any = call.result
    for name, index in steps:
        if name and isinstance(value, dict) and name in value:
            value = cast("dict[str, Any]", value)[name]
        elif index and isinstance(value, list) and int(index) < len(cast("Sequence[Any]", value)):
            value = cast("Sequence[Any]", value)[int(index)]
        else:
            raise ToolFailure(f"The result of call {match[1]} ({call.tool}) has no {match[2].lstrip('.')}.")
    return value
