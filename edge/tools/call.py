"""A call that a model wrote: read from JSON, or refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, cast

__all__ = ["Call", "MalformedCall", "ToolCall", "json_value", "python_call", "read_calls"]

_MAX_SHOWN = 60
_PYTHON_CALL = re.compile(r"\s*([A-Za-z_][\w.-]*)\.call\(\s*")
_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=\s*")
_COMMA = re.compile(r"\s*(,\s*|(?=\)\s*$))")


class MalformedCall(Exception):
    """The text is no call. The message says why."""


class Call(NamedTuple):
    """What is called with which arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call in an answer. `id` tells it from the others of the conversation: nine letters and digits."""

    id: str
    name: str
    arguments: Mapping[str, Any]

    @property
    def arguments_json(self) -> str:
        """The arguments as OpenAI's API gives them."""
        return json.dumps(self.arguments, ensure_ascii=False)

    def as_message(self) -> dict[str, Any]:
        """An item of `tool_calls` of an assistant message, as chat templates take it."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": dict(self.arguments)},
        }


def json_value(text: str) -> Any:
    """The value of a JSON text that a model wrote. Raises MalformedCall."""
    try:
        value: object = json.loads(text, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair can be read and not be written
    except json.JSONDecodeError as error:
        raise MalformedCall(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos}") from None
    except RecursionError:
        raise MalformedCall("nested too deeply") from None
    except ValueError as error:  # NaN; a number of thousands of digits; half of a surrogate pair
        raise MalformedCall(f"not JSON: {error}") from None
    return value


def read_calls(text: str, name_key: str, argument_keys: tuple[str, ...], names: Collection[str] | None) -> list[Call]:
    """The calls of a JSON object, or of an array of them. names: of the tools there are; None: not known here.

    Raises MalformedCall.
    """
    value = json_value(text)
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not items:
        raise MalformedCall("an empty list of calls")
    return [_checked(item, name_key, argument_keys, names) for item in items]


def python_call(text: str, names: Collection[str] | None) -> Call:
    """`name.call(key="value", ...)`, as Llama 3 writes it for built-in tools. Values are JSON. MalformedCall."""
    match = _PYTHON_CALL.match(text)
    if match is None:
        raise MalformedCall("neither JSON nor name.call(...)")
    name, at = match[1], match.end()
    decoder, arguments = json.JSONDecoder(), dict[str, Any]()
    while keyword := _KEYWORD.match(text, at):
        try:
            arguments[keyword[1]], at = decoder.raw_decode(text, keyword.end())
        except (ValueError, RecursionError):
            raise MalformedCall(f"argument {keyword[1]!r} is no JSON value") from None
        comma = _COMMA.match(text, at)
        if comma is None:
            break
        at = comma.end()
    if text[at:].strip() != ")":
        raise MalformedCall("name.call( ... is not closed")
    # Through the check of all others: names, NaN, surrogates.
    return read_calls(json.dumps({"name": name, "arguments": arguments}), "name", ("arguments",), names)[0]


def _checked(item: object, name_key: str, argument_keys: tuple[str, ...], names: Collection[str] | None) -> Call:
    if not isinstance(item, dict):
        raise MalformedCall(f"a call must be an object with {name_key!r}, not of type {type(item).__name__}")
    call = cast("dict[str, object]", item)
    name = call.get(name_key)
    if not isinstance(name, str) or not name:
        raise MalformedCall(f"a call without {name_key!r}")
    if names is not None and name not in names:
        raise MalformedCall(f"there is no tool {name[:_MAX_SHOWN]!r}")
    arguments: object = next((call[key] for key in argument_keys if key in call), dict[str, object]())
    if isinstance(arguments, str):  # some models write JSON inside JSON
        arguments = json_value(arguments)
    if not isinstance(arguments, dict):
        raise MalformedCall(f"the arguments of {name[:_MAX_SHOWN]!r} must be an object")
    return Call(name, cast("dict[str, Any]", arguments))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
