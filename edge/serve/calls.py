"""Tool calls in an answer's text. The one place where a format of calls is known to the server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Call:
    """arguments: the JSON text of an object."""

    name: str
    arguments: str


def reads_calls(template: str | None) -> bool:
    """Whether calls of a model with this chat template are understood: those of the bundled model."""
    return template is not None and template.lstrip().startswith("{% macro one_line(") and "'<|tools|>\\n'" in template


def may_be_calls(text: str) -> bool:
    """Whether a text that has only begun may become a list of calls, so that it is not shown yet."""
    begun = text.lstrip()
    return not begun or begun.startswith("[")


def parse_calls(text: str, names: frozenset[str]) -> list[Call] | None:
    """`[{"name": ..., "arguments": {...}}, ...]`, the whole answer; None when it is text. names: of the tools given."""
    if not text.lstrip().startswith("["):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    calls: list[Call] = []
    for item in cast("list[Any]", items):
        if not isinstance(item, dict):
            return None
        entry = cast("dict[str, Any]", item)
        name, arguments = entry.get("name"), entry.get("arguments", {})
        if name not in names or not isinstance(arguments, dict) or entry.keys() - {"name", "arguments"}:
            return None
        calls.append(Call(name, json.dumps(arguments, ensure_ascii=False)))
    return calls or None
