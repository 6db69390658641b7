"""The conversation of a chat request, checked and in the form that chat templates read."""

from __future__ import annotations

import json
from typing import Any

from edge.serve.api_error import refused, shown
from edge.serve.fields import Fields, as_list

MAX_MESSAGES = 4096
MAX_PARTS = 1024
_ROLES = ("system", "developer", "user", "assistant", "tool")


def take_messages(fields: Fields) -> list[dict[str, Any]]:
    """`messages`: at least one; developer counts as system, parts of text are joined by newlines."""
    items = fields.items("messages", MAX_MESSAGES)
    if items is None:
        raise refused("messages", "is missing", "missing_required_parameter")
    if not items:
        raise refused("messages", "is empty; a conversation has at least one message")
    return [_message(Fields(item, f"messages[{index}]")) for index, item in enumerate(items)]


def _message(fields: Fields) -> dict[str, Any]:
    role = fields.choice("role", *_ROLES)
    if role is None:
        raise refused(fields.path("role"), "is missing", "missing_required_parameter")
    message: dict[str, Any] = {"role": "system" if role == "developer" else role}
    calls = _calls(fields) if role == "assistant" else []
    content = _content(fields)
    if content is None and not calls:
        raise refused(fields.path("content"), "is missing", "missing_required_parameter")
    message["content"] = content or ""
    if calls:
        message["tool_calls"] = calls
    if role == "assistant":
        reasoning = fields.text("reasoning_content")
        if reasoning is not None:
            message["reasoning_content"] = reasoning
        for name in ("refusal", "audio", "function_call", "annotations"):
            fields.unsupported(name, "an answer of this server never has one", allowed=("", []))
    if role == "tool":
        call_id = fields.text("tool_call_id", max_bytes=256)
        if call_id is None:
            raise refused(fields.path("tool_call_id"), "is missing", "missing_required_parameter")
        message["tool_call_id"] = call_id
        function = fields.text("name", max_bytes=256)
        if function is not None:
            message["name"] = function
    else:
        fields.unsupported("name", "chat templates do not tell people apart")
    fields.end()
    return message


def _content(fields: Fields) -> str | None:
    value = fields.take("content")
    if value is None or isinstance(value, str):
        return value
    parts = as_list(value)
    if parts is None:
        raise refused(fields.path("content"), f"is {shown(value)}, it must be text or a list of parts", "invalid_type")
    if len(parts) > MAX_PARTS:
        raise refused(fields.path("content"), f"holds {len(parts)} parts, at most {MAX_PARTS} are allowed")
    return "\n".join(_part(Fields(part, f"{fields.path('content')}[{index}]")) for index, part in enumerate(parts))


def _part(fields: Fields) -> str:
    kind = fields.needed("type")
    if kind != "text":
        raise refused(fields.path("type"), f"is {shown(kind)}; this model reads text only", "unsupported_parameter")
    text = fields.text("text")
    if text is None:
        raise refused(fields.path("text"), "is missing", "missing_required_parameter")
    fields.end()
    return text


def _calls(fields: Fields) -> list[dict[str, Any]]:
    """Calls of an earlier answer. Templates want the arguments as an object, clients send them as text."""
    calls: list[dict[str, Any]] = []
    for index, item in enumerate(fields.items("tool_calls", 128) or []):
        call = Fields(item, f"{fields.path('tool_calls')}[{index}]")
        call.choice("type", "function")
        call_id = call.text("id", max_bytes=256)
        function = call.inner("function")
        if function is None:
            raise refused(call.path("function"), "is missing", "missing_required_parameter")
        name, arguments = function.text("name", max_bytes=256), function.needed("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                pass
        if name is None or not isinstance(arguments, dict):
            what = "name" if name is None else "arguments"
            raise refused(function.path(what), "is missing or not what it must be: a text, the JSON of an object")
        function.end()
        call.end()
        calls.append({"id": call_id or "", "type": "function", "function": {"name": name, "arguments": arguments}})
    return calls
