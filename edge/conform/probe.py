"""What a probe is: a field's value that shows, how it shows, and a value that cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from edge.conform.server import Answer, Server

Verdict = Literal["honoured", "refused", "ignored", "failed"]


class Effect(NamedTuple):
    """Whether a field did what it says, and what was seen."""

    shown: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Context:
    """One endpoint, a request that it answers, and that answer."""

    server: Server
    path: str
    body: dict[str, Any]
    plain: Answer

    def ask(self, fields: Mapping[str, Any]) -> Answer:
        """The plain request with these fields; None takes one out of it."""
        body = self.body | dict(fields)
        return self.server.post(self.path, {name: value for name, value in body.items() if value is not None})

    def text(self, answer: Answer, choice: int = 0) -> str:
        """What was answered, also in pieces."""
        if answer.events:
            pieces = [Answer(200, "", event) for event in answer.events]
            return "".join(
                str(p.at("choices", 0, "delta", "content") or p.at("choices", 0, "text") or "") for p in pieces
            )
        message = answer.at("choices", choice, "message", "content")
        return str(message if message is not None else answer.at("choices", choice, "text") or "")

    def same(self, fields: Mapping[str, Any]) -> str:
        return self.text(self.ask(fields))


def _nothing(context: Context) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Probe:
    """field: its name, or how a variant of it is called. effect: None where there is none to be seen from outside, or
    when this answer did not tell. wants_refusal: honoured is only a 4xx."""

    field: str
    fields: Callable[[Context], dict[str, Any]] = _nothing
    effect: Callable[[Context, Answer], Effect | None] | None = None
    nonsense: Any = ("edge", "conform")
    wants_refusal: bool = False

    @property
    def key(self) -> str:
        return self.field.partition(".")[0].partition("[")[0].partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """body: a plain request, for the model of this name. needed: a server without it cannot be asked."""

    path: str
    body: Callable[[str], dict[str, Any]]
    probes: tuple[Probe, ...]
    needed: bool = False
