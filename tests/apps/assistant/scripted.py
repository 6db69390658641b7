"""A model that says what a test tells it to: the part of `edge.Model` that the assistant uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import edge
from edge.tools import ToolCall

Reply = str | list[tuple[str, dict[str, Any]]]


class ScriptedStream:
    """Words one by one, or calls."""

    def __init__(self, reply: Reply, prompt: int) -> None:
        self.reply, self.prompt, self.cancelled = reply, prompt, False
        calls = () if isinstance(reply, str) else tuple(ToolCall("abcdefghi", name, args) for name, args in reply)
        words = reply.split(" ") if isinstance(reply, str) else []
        self._tokens = [edge.Token(w, 1, content=w) for w in [*[f"{w} " for w in words[:-1]], *words[-1:]]]
        if calls:
            self._tokens.append(edge.Token("", 1, tool_calls=calls))
        self._left = iter(self._tokens)
        self.prefill = (0, prompt, prompt)
        self.context_tokens = tuple(range(prompt))

    def __iter__(self) -> Iterator[edge.Token]:
        return self

    def __next__(self) -> edge.Token:
        if self.cancelled:
            raise StopIteration
        return next(self._left)

    def completion(self) -> edge.Completion:
        text = "".join(token.content for token in self._tokens)
        calls = tuple(call for token in self._tokens for call in token.tool_calls)
        return edge.Completion(
            text,
            tuple(1 for _ in self._tokens),
            "cancelled" if self.cancelled else "stop",
            edge.Usage(self.prompt, 0, len(self._tokens)),
            edge.Timings(0.01, 0.01, 0.01, 1.0, 1.0),
            "scripted",
            None,
            0,
            content=text,
            tool_calls=calls,
        )

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        pass


@dataclass
class Seen:
    """What one answer was asked with."""

    messages: list[Mapping[str, Any]]
    tools: list[Mapping[str, Any]] | None
    options: dict[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.messages, ensure_ascii=False)


class ScriptedModel:
    """decide: what to say, from what was asked."""

    path, backend, context = "scripted.gguf", "scripted", 4096
    takes_tools = takes_results = True
    tool_format: str | None = "hermes"
    plan = SimpleNamespace(total_bytes=1)
    stats = SimpleNamespace(
        block_size=32, blocks_free=8, blocks_used=0, blocks_shared=0, cached_tokens=0, running=0, waiting=0
    )

    def __init__(self, decide: Callable[[Seen], Reply]) -> None:
        self.decide = decide
        self.seen: list[Seen] = []

    def num_kept_tokens(self, tokens: Sequence[int]) -> int:
        return len(tokens)

    def encode_chat(self, messages: Sequence[Any], tools: Any = None) -> list[int]:
        return [0] * (len(json.dumps(list(messages))) // 4)

    def stream_chat(
        self, messages: Sequence[Any], *, tools: Any = None, on_prefill: Any = None, **options: Any
    ) -> ScriptedStream:
        self.seen.append(Seen(list(messages), tools, options))
        return ScriptedStream(self.decide(self.seen[-1]), len(self.encode_chat(messages)))

    def close(self) -> None:
        pass


def in_turn(*replies: Reply) -> Callable[[Seen], Reply]:
    """One after another."""
    left = iter(replies)
    return lambda seen: next(left)
