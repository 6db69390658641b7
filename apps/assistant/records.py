"""A turn of a conversation and the calls of its plan, as they stand in the database and on the page."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Call", "CallStatus", "Effect", "Figures", "Turn", "TurnStatus", "digest_of", "shown_call"]

Effect = Literal["read", "write", "setting"]
CallStatus = Literal["planned", "asking", "running", "done", "failed", "refused", "skipped"]
TurnStatus = Literal["running", "asking", "done", "stopped", "failed"]


@dataclass(slots=True)
class Figures:
    """What a turn took; seconds and rates are measured. None: nothing to measure."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    answer_tokens: int | None = None
    prefill_tok_s: float | None = None
    decode_tok_s: float | None = None
    first_token_seconds: float | None = None  # from the arrival of the request
    action_seconds: float | None = None  # until the first call was done, without what a person took to consent
    tools_shown: int | None = None
    tools: int | None = None
    joules: float | None = None


@dataclass(slots=True)
class Call:
    """A node of a plan. needs: numbers of calls of the same round that end before it begins."""

    id: int
    turn: int
    round: int
    number: int
    tool: str
    arguments: dict[str, Any]
    effect: Effect = "read"
    scope: str = ""
    needs: tuple[int, ...] = ()
    status: CallStatus = "planned"
    reason: str | None = None
    may_remember: bool = True
    untrusted_before: bool = False
    text: str = ""
    result: Any = None
    untrusted: bool = False
    error: str | None = None
    seconds: float | None = None

    @property
    def digest(self) -> str:
        return digest_of(self.tool, self.arguments)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "needs": list(self.needs),
            "shown": shown_call(self.tool, self.arguments),
            "digest": self.digest,
        }


@dataclass(slots=True)
class Turn:
    """A request and what came of it. versions: turns of the same parent, oldest first."""

    id: int
    conversation: int
    parent: int | None
    request: str
    created_at: float
    status: TurnStatus = "running"
    answer: str = ""
    thinking: str = ""
    notes: list[str] = field(default_factory=list[str])
    error: str | None = None
    figures: Figures | None = None
    seed: int = 0
    ended_at: float | None = None
    calls: list[Call] = field(default_factory=list[Call])
    versions: list[int] = field(default_factory=list[int])

    @property
    def is_open(self) -> bool:
        return self.status in ("running", "asking")

    def as_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in _PLAIN}
        return values | {
            "notes": list(self.notes),
            "calls": [call.as_json() for call in self.calls],
            "versions": list(self.versions),
            "figures": None if self.figures is None else asdict(self.figures),
        }


_PLAIN = ("id", "conversation", "parent", "request", "status", "answer", "thinking", "error", "created_at", "ended_at")


def shown_call(tool: str, arguments: dict[str, Any]) -> str:
    """`set_light(room="kitchen", state="off")`: every argument, in full. Characters that cannot be seen, or that change
    the direction of others, are written as escapes: what is read is what runs."""
    given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    return "".join(map(_visible, f"{tool}({given})"))


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] != "C" and kind not in ("Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def digest_of(tool: str, arguments: dict[str, Any]) -> str:
    """Names a tool with exactly these arguments."""
    text = json.dumps([tool, arguments], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
