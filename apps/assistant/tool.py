"""What a tool is: a name, a schema, what it changes, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.assistant.records import Effect

__all__ = ["Result", "Tool", "parameters"]

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """text: a sentence for people, or the text that was asked for. data: for later calls of the plan; JSON.

    untrusted: the text was written by somebody else, and may hold instructions that nobody here gave.
    """

    text: str
    data: Any = None
    untrusted: bool = False


def _no_scope(arguments: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Tool:
    """run gets arguments that obey `parameters` (a JSON schema of type "object") and raises ToolFailure.

    effect: "read" runs without asking; "write" and "setting" are confirmed. scope: what "always" is remembered for,
    beside the tool; the folder, for files. may_remember: False asks every time. resource: calls of one plan that
    change the same thing run one after another. why_not: says why it cannot work on this machine, None when it can.
    seconds: after which a call counts as failed.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Arguments], Result]
    effect: Effect = "read"
    scope: Callable[[Mapping[str, Any]], str] = _no_scope
    may_remember: bool = True
    resource: str = ""
    why_not: Callable[[], str | None] | None = None
    source: str = "built in"
    seconds: float = 20.0

    def as_function(self, *, bare: bool = False) -> dict[str, Any]:
        """As OpenAI's API takes it. bare: arguments without descriptions, as the bundled model learnt its tools."""
        schema = dict(self.parameters)
        if bare:
            about = {name: {key: value for key, value in item.items() if key not in ("description", "enum")}
                     for name, item in schema.get("properties", {}).items()}  # fmt: skip
            schema["properties"] = about
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": schema},
        }


def parameters(*required: str, **properties: Mapping[str, Any] | str) -> dict[str, Any]:
    """A schema: arguments by name, as a description of a text or a schema. Python's `from_` is the argument `from`."""
    named = {
        name.rstrip("_"): {"type": "string", "description": about} if isinstance(about, str) else dict(about)
        for name, about in properties.items()
    }
    return {"type": "object", "properties": named, "required": list(required), "additionalProperties": False}
