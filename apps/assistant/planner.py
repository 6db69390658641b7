"""How a model is asked what to do: in one step, or first for tools and then for the arguments of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import edge
from edge.assistant.chat_model import Answering, ChatModel
from edge.assistant.prompt import SYSTEM, messages_of, question_before
from edge.assistant.records import Turn
from edge.assistant.request_parts import parts_of
from edge.assistant.tool import Tool

__all__ = ["Listener", "Planner", "Said", "planner_for", "shortcoming"]

MAX_ANSWER, MAX_CHOICE, MAX_ARGUMENTS = 1024, 96, 512  # tokens
MAX_CALLS = 8  # of one plan
_RETRY_TEMPERATURE = 0.7


class Said(NamedTuple):
    """What came of asking: calls (tool, arguments), or words."""

    calls: list[tuple[str, dict[str, Any]]]
    text: str


@dataclass(slots=True)
class Listener:
    """Told what happens while an answer is made; `begin` may refuse to go on by raising."""

    begin: Callable[[Answering], None]
    text: Callable[[str], None]
    thinking: Callable[[str], None]
    prefill: Callable[[int, int, int], None]
    note: Callable[[str], None]
    end: Callable[[edge.Completion, Answering], None]


class Planner(Protocol):
    """steps: "one step" or "two steps". sees_results: it is asked again when the calls of a plan have ended."""

    steps: str
    sees_results: bool

    def plan(self, path: Sequence[Turn], turn: Turn, tools: Sequence[Tool], listener: Listener) -> Said: ...
    def repair(self, turn: Turn, tool: Tool, listener: Listener) -> Said: ...
    def warm_up(self, tools: Sequence[Tool]) -> str | None: ...


def planner_for(model: ChatModel) -> Planner:
    """The bundled model, and others that cannot read results, are asked once; larger ones in two steps where
    llguidance is installed."""
    if model.tool_format == "assistant":
        return _Small(model)
    return _Large(model, two_steps=find_spec("llguidance") is not None)


def shortcoming(model: ChatModel, planner: Planner) -> str | None:
    """What a person should know of a model that has no way of its own to call tools.

    Raises RequestError, TemplateError: it cannot chat at all.
    """
    model.encode_chat([{"role": "user", "content": "hello"}])
    if model.tool_format is not None:
        return None
    name = Path(model.path).name
    if planner.steps == "two steps":
        return (
            f"{name} has no chat template for tools: they are told to it in words, and its calls held to their schemas."
        )
    return (
        f"{name} has no chat template for tools, so it answers in words only; calls of your own work (/help). "
        "With llguidance it could be held to tools: pip install 'edge-rt[grammar]'."
    )


@dataclass(slots=True)
class _Small:
    """The bundled model: it learnt the built-in tools by their names, and reads what those of others are for."""

    model: ChatModel
    steps: str = "one step"
    sees_results: bool = False
    own: frozenset[str] = field(default_factory=frozenset[str])

    def plan(self, path: Sequence[Turn], turn: Turn, tools: Sequence[Tool], listener: Listener) -> Said:
        listed = self._listed(tools)
        messages = [*question_before(path), {"role": "user", "content": turn.request}]
        said = _read(self.model, messages, listed, turn, listener, say=False)
        parts = parts_of(turn.request)
        if 1 < len(said.calls) < len(parts):
            return self._part_by_part(parts, listed, turn, listener) or said
        return said

    def _part_by_part(self, parts: Sequence[str], listed: Any, turn: Turn, listener: Listener) -> Said | None:
        """The calls of all parts, each asked for alone; None, and a note, where one of them calls nothing."""
        silent = replace(listener, text=_unheard)
        calls: list[tuple[str, dict[str, Any]]] = []
        for part in parts:
            said = _read(self.model, [{"role": "user", "content": part}], listed, turn, silent, say=False)
            if not said.calls:
                listener.note(f"Perhaps not all of this was understood: look for “{part}”.")
                return None
            calls += said.calls
        return Said(calls[:MAX_CALLS], "")

    def repair(self, turn: Turn, tool: Tool, listener: Listener) -> Said:
        """Asks again for one call of this tool, its arguments held to the schema."""
        if find_spec("llguidance") is None:
            return Said([], "")
        messages = [{"role": "user", "content": turn.request}]
        return _read(self.model, messages, [tool.as_function()], turn, listener, say=False, tool_choice=tool.name)

    def warm_up(self, tools: Sequence[Tool]) -> None:
        messages = [{"role": "user", "content": "hello"}]
        self.model.stream_chat(messages, tools=self._listed(tools), max_tokens=1).completion()

    def _listed(self, tools: Sequence[Tool]) -> list[dict[str, Any]]:
        return [tool.as_function(bare=tool.name in self.own) for tool in tools]


@dataclass(slots=True)
class _Large:
    """Any other chat model. Choosing tools and filling in arguments begin with the same prompt, so that the second
    finds the K and V of the first."""

    model: ChatModel
    two_steps: bool
    sees_results: bool = True
    dropped: int = 0  # turns at the beginning of the last conversation that no longer fit
    steps: str = field(init=False)

    def __post_init__(self) -> None:
        self.steps = "two steps" if self.two_steps else "one step"

    def plan(self, path: Sequence[Turn], turn: Turn, tools: Sequence[Tool], listener: Listener) -> Said:
        listed = [tool.as_function() for tool in tools] if self.model.takes_tools else None
        messages = self._fitting(path, turn, tools, listed, listener)
        if not self.two_steps or not tools:
            return _read(self.model, messages, listed, turn, listener, max_tokens=MAX_ANSWER)
        names = [tool.name for tool in tools]
        choice = _object(self._ask(messages, listed, turn, listener, _choice_schema(names), MAX_CHOICE))
        chosen: list[str] = choice.get("use", [])[:MAX_CALLS]
        if not chosen:
            return _read(self.model, messages, listed, turn, listener, max_tokens=MAX_ANSWER)
        by_name = {tool.name: tool for tool in tools}
        # All begin with the prompt and the choice: forks of one KV, computed side by side.
        said = {"role": "assistant", "content": json.dumps({"use": chosen})}
        streams = [
            self._stream([*messages, said, _ask_for(number, name)], listed, turn,
                         dict(by_name[name].parameters), MAX_ARGUMENTS)
            for number, name in enumerate(chosen, 1)
        ]  # fmt: skip
        calls: list[tuple[str, dict[str, Any]]] = []
        try:
            for name, stream in zip(chosen, streams, strict=True):
                listener.begin(stream)
                completion = stream.completion()
                listener.end(completion, stream)
                calls.append((name, _object(completion.text)))
        finally:
            for stream in streams:
                stream.close()
        return Said(calls, "")

    def repair(self, turn: Turn, tool: Tool, listener: Listener) -> Said:
        return Said([], "")  # it sees what was wrong in the next round

    def warm_up(self, tools: Sequence[Tool]) -> str | None:
        """Reads what all prompts begin with, and keeps its K and V on the disk for later starts. Returns why not."""
        listed = [tool.as_function() for tool in tools] if self.model.takes_tools else None
        system = self._system(tools)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "hello"}]
        usage = self.model.stream_chat(messages, tools=listed, max_tokens=1).completion().usage
        prepare = getattr(self.model, "prepare", None)
        if prepare is not None and usage.cached_tokens < 0.8 * usage.prompt_tokens:
            try:
                prepare(system, tools=listed)
            except edge.EdgeError as error:
                return f"the list of tools is read again at the next start: {error}"
        return None

    def _system(self, tools: Sequence[Tool]) -> str:
        text = SYSTEM
        if not self.model.takes_tools:
            lines = [f"- {tool.name}: {tool.description}. Arguments: {json.dumps(tool.parameters)}" for tool in tools]
            text += "\nTools:\n" + "\n".join(lines)
        if self.two_steps:
            text += (
                '\nYou are first asked which tools to use, in order: {"use": ["tool", ...]}, or {"use": []} to '
                "answer in words; then for the arguments of each as JSON."
            )
        return text

    def _fitting(
        self, path: Sequence[Turn], turn: Turn, tools: Sequence[Tool], listed: Any, listener: Listener
    ) -> list[dict[str, Any]]:
        """Messages that leave room for an answer. Turns at the beginning are left out where they must be, in halves so
        that the beginning of the prompt stays the same for a while, and a note says so."""
        room = self.model.context - min(MAX_ANSWER, self.model.context // 4)
        native, system = self.model.takes_results, self._system(tools)
        first = 0
        while True:
            messages = messages_of([*path[first:], turn], native=native, system=system)
            if first >= len(path) or len(self.model.encode_chat(messages, listed)) <= room:
                break
            first += max(1, (len(path) - first) // 2)
        if first > self.dropped:
            listener.note(f"The context is full: the model no longer reads the first {first} turns.")
        self.dropped = first
        return messages

    def _ask(
        self, messages: Sequence[Any], listed: Any, turn: Turn, listener: Listener, schema: dict[str, Any], most: int
    ) -> str:
        stream = self._stream(messages, listed, turn, schema, most)
        try:
            listener.begin(stream)
            completion = stream.completion()
            listener.end(completion, stream)
            return completion.text
        finally:
            stream.close()

    def _stream(self, messages: Sequence[Any], listed: Any, turn: Turn, schema: dict[str, Any], most: int) -> Answering:
        return self.model.stream_chat(messages, tools=listed, schema=schema, max_tokens=most, **_sampling(turn))


def _read(
    model: ChatModel,
    messages: Sequence[Any],
    listed: Any,
    turn: Turn,
    listener: Listener,
    *,
    say: bool = True,
    max_tokens: int = 256,
    **options: Any,
) -> Said:
    """Reads a free answer. say: words are shown as they come; otherwise only when it is certain that they are words."""
    stream = model.stream_chat(messages, tools=listed, max_tokens=max_tokens, **_sampling(turn), **options)
    calls: list[tuple[str, dict[str, Any]]] = []
    told: tuple[int, int, int] | None = None
    try:
        listener.begin(stream)
        for token in stream:
            if told is None and stream.prefill is not None:
                told = stream.prefill
                listener.prefill(*told)
            calls += [(call.name, dict(call.arguments)) for call in token.tool_calls]
            if token.reasoning:
                listener.thinking(token.reasoning)
            if token.content and not calls and (say or not token.content.lstrip().startswith("[")):
                listener.text(token.content)
        completion = stream.completion()
        listener.end(completion, stream)
    finally:
        stream.close()
    if len(calls) > MAX_CALLS:
        listener.note(f"{len(calls)} calls were planned; only the first {MAX_CALLS} are made.")
    return Said(calls[:MAX_CALLS], completion.content)


def _unheard(text: str) -> None:
    """Words that are shown to nobody."""


def _sampling(turn: Turn) -> dict[str, Any]:
    """A retry is sampled, so that it may differ; everything else takes the most probable token."""
    return {"temperature": _RETRY_TEMPERATURE, "seed": turn.seed} if turn.seed else {"temperature": 0.0}


def _choice_schema(names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"use": {"type": "array", "items": {"enum": list(names)}, "maxItems": MAX_CALLS}},
        "required": ["use"],
        "additionalProperties": False,
    }


def _ask_for(number: int, name: str) -> dict[str, Any]:
    return {"role": "user", "content": f"Give the arguments of call {number}, {name}, as JSON."}


def _object(text: str) -> dict[str, Any]:
    """The JSON object that an answer was held to; empty when it was cut off."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
