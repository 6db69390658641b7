"""`tool_choice`: whether a model may call, must call, or must call one tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from edge.errors import RequestError

__all__ = ["Choice", "ToolChoice", "choice_of"]

ToolChoice: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """kind: "auto", "none" or "required". name: with "required", the tool that must be called."""

    kind: Literal["auto", "none", "required"] = "auto"
    name: str | None = None


def choice_of(value: ToolChoice | None, tools: Sequence[Mapping[str, Any]] | None) -> Choice:
    """tools: as `function_tools` gives them. value: "auto" (None too), "none", "required", the name of a tool, or
    OpenAI's {"type": "function", "function": {"name": ...}}. A tool of one of the three names needs the long form.

    Raises RequestError: another form, no such tool, or nothing to call.
    """
    if value is None or value == "auto":
        return Choice()
    if value == "none":
        return Choice("none")
    name = None if value == "required" else _name(value)
    names = [str(tool["function"]["name"]) for tool in tools or ()]
    if tools is not None and not names:
        raise RequestError(f"tool_choice is {value!r}, and there are no tools")
    if name is not None and tools is not None and name not in names:
        raise RequestError(f"tool_choice names {name!r}; the tools are {', '.join(names)}")
    return Choice("required", name)


def _name(value: ToolChoice) -> str:
    if isinstance(value, str):
        return value
    function: object = value.get("function") if value.get("type") == "function" else None
    name = cast("Mapping[str, object]", function).get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str):
        raise RequestError(
            'tool_choice must be "auto", "none", "required", the name of a tool, or '
            '{"type": "function", "function": {"name": ...}}'
        )
    return name
