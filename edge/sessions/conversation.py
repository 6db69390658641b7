"""Messages and tools of a session, as JSON in its file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from edge.errors import BadSessionFile, RequestError
from edge.generate_options import Message, Tool

__all__ = ["Conversation"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """messages: oldest first. tools: what the model may call; None leaves it to the chat template."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] | None = None

    def as_json(self) -> str:
        """Raises RequestError when a message holds what JSON has no form for."""
        try:
            text = json.dumps(
                {"messages": self.messages, "tools": self.tools},
                ensure_ascii=False,
                allow_nan=False,
                separators=(",", ":"),
                default=_plain,
            )
            text.encode()  # half of a surrogate pair has no form in a file
        except (TypeError, ValueError, RecursionError) as error:
            raise RequestError(f"the session's messages cannot be saved: {error}") from None
        return text

    @classmethod
    def of_json(cls, path: Path, text: str) -> Conversation:
        """Raises BadSessionFile, naming `path` and what is wrong."""
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadSessionFile(path, f"the conversation is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise BadSessionFile(path, "the conversation is no JSON object")
        fields = cast("dict[str, object]", value)
        messages, tools = _objects(path, fields, "messages"), fields.get("tools")
        for index, message in enumerate(messages):
            if not isinstance(message.get("role"), str):
                raise BadSessionFile(path, f"messages[{index}] of the conversation has no role")
        return cls(messages, None if tools is None else _objects(path, fields, "tools"))


def _objects(path: Path, fields: dict[str, object], name: str) -> tuple[dict[str, Any], ...]:
    items = fields.get(name)
    if not isinstance(items, list):
        raise BadSessionFile(path, f"{name} of the conversation must be a list of objects")
    for index, item in enumerate(cast("list[object]", items)):
        if not isinstance(item, dict):
            raise BadSessionFile(path, f"{name}[{index}] of the conversation must be an object")
    return tuple(cast("list[dict[str, Any]]", items))


def _plain(value: object) -> object:
    """Mappings and sequences of other types than JSON's own."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, Sequence):
        return list(cast("Sequence[object]", value))
    raise TypeError(f"a {type(value).__name__} has no form in JSON")
