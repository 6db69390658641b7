"""Checks a call's arguments against its tool's JSON schema before anybody is asked and anything runs.

The keywords are those that built-in tools use; what a schema of an MCP server says beyond them, the server checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ["problem_of"]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
MAX_TEXT = 200_000  # characters of one argument


def problem_of(value: Any, schema: Mapping[str, Any], where: str = "") -> str | None:
    """What is wrong, as a sentence; None: nothing."""
    name = where or "the arguments"
    kinds = schema.get("type")
    if kinds is not None:
        allowed: Sequence[str] = [kinds] if isinstance(kinds, str) else kinds
        if not any(_is(value, kind) for kind in allowed):
            return f"{name} must be of type {' or '.join(allowed)}, not {_shown(value)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{name} is {_shown(value)}; it must be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, str) and len(value) > schema.get("maxLength", MAX_TEXT):
        return f"{name} is longer than {schema.get('maxLength', MAX_TEXT)} characters"
    if isinstance(value, str) and len(value.strip()) < schema.get("minLength", 0):
        return f"{name} is empty"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            return f"{name} is {value}; it must be from {schema.get('minimum')} to {schema.get('maximum')}"
    if isinstance(value, list):
        return _problem_of_list(value, schema, name)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict) and "properties" in schema:
        return _problem_of_object(cast("dict[str, Any]", value), schema, where)
    return None


def _problem_of_list(items: list[Any], schema: Mapping[str, Any], name: str) -> str | None:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 1000)
    if not least <= len(items) <= most:
        return f"{name} has {len(items)} entries; it must have {least} to {most}"
    found = (problem_of(item, schema.get("items", {}), f"{name}[{index}]") for index, item in enumerate(items))
    return next((problem for problem in found if problem), None)


def _problem_of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    properties: Mapping[str, Any] = schema["properties"]
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    unknown = [name for name in value if name not in properties]
    if unknown and schema.get("additionalProperties") is False:
        return f"there is no argument {unknown[0]!r}; there are {', '.join(properties) or 'none'}"
    found = (
        problem_of(item, properties[name], f"{where}.{name}" if where else name)
        for name, item in value.items()
        if name in properties
    )
    return next((problem for problem in found if problem), None)


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
