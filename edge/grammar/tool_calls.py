"""A grammar that holds an answer to tool calls, for `tool_choice: "required"` and named tools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.errors import RequestError
from edge.grammar.lark import checked_lark
from edge.grammar.schema import checked_schema, written_schema
from edge.grammar.source import Grammar

if TYPE_CHECKING:
    from edge.tokenizer import Tokenizer

__all__ = ["CallFormat", "tool_call_grammar"]


class CallFormat(NamedTuple):
    """How a model writes its calls: JSON objects between marks.

    Of each call: `prefix`, `{"<name_key>": NAME, "<arguments_key>": {...}}`, `suffix`; between two calls `separator`.
    begin, end: around all of them, as `[TOOL_CALLS][` and `]`. Marks may hold texts of control tokens.
    comma, colon: between the members of the JSON, and between a key and its value.
    """

    prefix: str = ""
    suffix: str = ""
    name_key: str = "name"
    arguments_key: str = "arguments"
    separator: str = "\n"
    begin: str = ""
    end: str = ""
    comma: str = ", "
    colon: str = ": "


def tool_call_grammar(
    tools: Sequence[Mapping[str, Any]], form: CallFormat, tokenizer: Tokenizer, *, parallel: bool = True
) -> Grammar:
    """Answers that are one call of these tools, or with `parallel` one or more, and nothing else.

    tools: as `edge.tools.function_tools` returns them; one without parameters takes any object. Arguments obey the
    tool's schema. tokenizer: says which parts of the marks are control tokens.
    Raises RequestError: no tools, or a schema that cannot be enforced, with the tool's name.
    """
    if not tools:
        raise RequestError("tool_choice needs at least one tool")
    options = [_call_schema(tool["function"], form) for tool in tools]
    calls = f"call ({_marks(form.separator, tokenizer)} call)*" if parallel else "call"
    choice = " | ".join(f"call_{index}" for index in range(len(options)))
    rules = [
        f"start: {_marks(form.begin, tokenizer)} {calls} {_marks(form.end, tokenizer)}",
        f"call: {_marks(form.prefix, tokenizer)} ({choice}) {_marks(form.suffix, tokenizer)}",
        *(
            f"call_{index}: %json {written_schema(option, comma=form.comma, colon=form.colon)}"
            for index, option in enumerate(options)
        ),
    ]
    return Grammar("tools", checked_lark("\n".join(rules), "tools"))


def _call_schema(function: Mapping[str, Any], form: CallFormat) -> dict[str, Any]:
    name = function["name"]
    try:
        arguments = checked_schema(function.get("parameters", {"type": "object"}))
    except RequestError as error:
        raise RequestError(f"tools: the parameters of {name}: {error}") from None
    call: dict[str, Any] = {
        "type": "object",
        "properties": {form.name_key: {"const": name}, form.arguments_key: arguments},
        "required": [form.name_key, form.arguments_key],
        "additionalProperties": False,
    }
    # References inside the arguments count from the schema's root.
    for key in ("$defs", "definitions"):
        if key in arguments:
            call[key] = arguments[key]
            call["properties"][form.arguments_key] = {k: v for k, v in arguments.items() if k != key}
            arguments = call["properties"][form.arguments_key]
    return call


def _marks(text: str, tokenizer: Tokenizer) -> str:
    """A mark as Lark: control tokens by id, the rest as text. Nothing for an empty mark."""
    parts = [f"<[{part}]>" if isinstance(part, int) else json.dumps(part) for part in tokenizer.split_control(text)]
    return " ".join(parts) or '""'
