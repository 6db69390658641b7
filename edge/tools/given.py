"""The tools that a caller gives a model: OpenAI's function tools, checked before a chat template sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from edge.errors import RequestError

MAX_TOOLS = 256
MAX_CHARACTERS = 1 << 20  # all texts of all tools, keys included; any other value counts as one

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_NAME_RULE = "1 to 64 letters, digits, _, . or -, beginning with a letter or _"
_MAX_SHOWN = 80


def function_tools(tools: object) -> list[dict[str, Any]]:
    """`tools` as `{"type": "function", "function": {"name", "description", "parameters"}}`, the form templates expect.

    A bare function object is wrapped; keys that edge does not know are passed on to the template.
    Raises RequestError with the place, as in `tools[2].function.name`.
    """
    if not isinstance(tools, Sequence) or isinstance(tools, (str, bytes, bytearray)):
        raise RequestError(f"tools is {_kind(tools)}, it must be a list of function tools")
    items = cast("Sequence[object]", tools)
    if len(items) > MAX_TOOLS:
        raise RequestError(f"tools holds {len(items)} tools, at most {MAX_TOOLS} are allowed")
    _check_size(items)
    names: dict[str, int] = {}
    checked: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        tool, where = _wrapped(item, f"tools[{index}]")
        name = _check_function(tool["function"], where)
        if name in names:
            raise RequestError(f"{where}.name is {name!r}, which is already the name of tools[{names[name]}]")
        names[name] = index
        checked.append(tool)
    return checked


def _wrapped(item: object, where: str) -> tuple[dict[str, Any], str]:
    """The tool in the wrapped form, and where its function stands in what the caller gave."""
    tool = _object(item, where)
    if tool.get("type", "function") != "function":
        raise RequestError(f'{where}.type is {_shown(tool["type"])}, it must be "function"')
    if "function" not in tool:
        return {"type": "function", "function": {key: tool[key] for key in tool if key != "type"}}, where
    where += ".function"
    return {"type": "function"} | tool | {"function": _object(tool["function"], where)}, where


def _check_function(function: dict[str, Any], where: str) -> str:
    """Removes optional fields that are None; returns the name."""
    if "name" not in function:
        raise RequestError(f"{where} has no name")
    name = function["name"]
    if not isinstance(name, str):
        raise RequestError(f"{where}.name is {_kind(name)}, it must be text")
    if not _NAME.fullmatch(name):
        raise RequestError(f"{where}.name is {_shown(name)}, it must be {_NAME_RULE}")
    for key in ("description", "parameters"):
        if key in function and function[key] is None:
            del function[key]
    if not isinstance(function.get("description", ""), str):
        raise RequestError(f"{where}.description is {_kind(function['description'])}, it must be text")
    if "parameters" in function:
        _check_parameters(function["parameters"], f"{where}.parameters")
    return name


def _check_parameters(value: object, where: str) -> None:
    """A JSON schema of type "object"; what its properties say is for the template and the model."""
    schema = _object(value, where)
    if "type" not in schema:
        raise RequestError(f'{where} has no type, it must be "object"')
    if schema["type"] != "object":
        raise RequestError(f'{where}.type is {_shown(schema["type"])}, it must be "object"')
    for name, about in _object(schema.get("properties", {}), f"{where}.properties").items():
        _object(about, f"{where}.properties[{_shown(name)}]")


def _check_size(tools: Sequence[object]) -> None:
    # Counts what is held twice twice, so a list that holds itself ends here too.
    left = MAX_CHARACTERS
    stack: list[object] = list(tools)
    while stack:
        value = stack.pop()
        left -= len(value) if isinstance(value, str) else 1
        if isinstance(value, Mapping):
            mapping = cast("Mapping[object, object]", value)
            stack.extend(mapping.keys())
            stack.extend(mapping.values())
        elif isinstance(value, (list, tuple)):
            stack.extend(cast("Sequence[object]", value))
        if left < len(stack):
            raise RequestError(f"tools is larger than {MAX_CHARACTERS} characters and values")


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RequestError(f"{where} is {_kind(value)}, it must be an object")
    mapping = cast("Mapping[object, Any]", value)
    for key in mapping:
        if not isinstance(key, str):
            raise RequestError(f"{where} has a key of type {type(key).__name__}, it must be text")
    return {str(key): item for key, item in mapping.items()}


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _shown(value: object) -> str:
    """A text in a message, cut where it is long."""
    if not isinstance(value, str):
        return _kind(value)
    return repr(value) if len(value) <= _MAX_SHOWN else repr(value[:_MAX_SHOWN]) + "..."
