"""The text of an answer, read while it is written: thinking, what is said, and calls of tools."""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Collection
from typing import NamedTuple

from edge.reasoning import ReasoningTags, Split, ThoughtSplitter
from edge.tools import Call, CallParser, Said, ToolCall, ToolFormat

__all__ = ["AnswerForm", "AnswerReader", "Piece", "new_call_id"]

_ID_CHARACTERS = string.ascii_letters + string.digits
_ID_LENGTH = 9  # what Mistral's templates insist on


def new_call_id() -> str:
    """Nine random letters and digits."""
    number = int.from_bytes(os.urandom(16), "little")
    return "".join(_ID_CHARACTERS[number // 62**place % 62] for place in range(_ID_LENGTH))


class Piece(NamedTuple):
    """Part of an answer. text: without the thinking, calls as the model writes them. content: without calls too."""

    reasoning: str = ""
    text: str = ""
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    problems: tuple[str, ...] = ()

    def followed_by(self, other: Piece) -> Piece:
        """Both as one."""
        return Piece(
            self.reasoning + other.reasoning,
            self.text + other.text,
            self.content + other.content,
            self.tool_calls + other.tool_calls,
            self.problems + other.problems,
        )


class AnswerForm(NamedTuple):
    """What an answer may hold. tags: None for models that do not think. calls: None when no call is looked for.
    names: of the tools that may be called; None for those that the template has itself. single_call: the answer ends
    with its first call."""

    tags: ReasoningTags | None = None
    thinks_at_once: bool = False  # the prompt ends inside the thinking
    calls: ToolFormat | None = None
    names: Collection[str] | None = None
    single_call: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """Tokens that must be seen as text, where they are control tokens."""
        tags = () if self.tags is None else (self.tags.opening.strip(), self.tags.closing.strip())
        return (*tags, *(() if self.calls is None else self.calls.marks))


class AnswerReader:
    """Reads one answer."""

    def __init__(self, form: AnswerForm, *, make_id: Callable[[], str] = new_call_id) -> None:
        self._thoughts = None if form.tags is None else ThoughtSplitter(form.tags, is_open=form.thinks_at_once)
        self._calls = None if form.calls is None else CallParser(form.calls, form.names)
        self._make_id = make_id
        self._single_call = form.single_call
        self._has_called = False

    @property
    def done(self) -> bool:
        """Whether the only call that is allowed has come, with its closing mark."""
        between = self._calls is not None and self._calls.is_between_calls
        return self._single_call and self._has_called and between

    def push(self, text: str) -> Piece:
        """What is certain with this text."""
        if self._thoughts is None and self._calls is None:
            return Piece("", text, text)
        split = Split("", text) if self._thoughts is None else self._thoughts.push(text)
        said = Said(split.answer) if self._calls is None else self._calls.push(split.answer)
        return self._piece(split, said)

    def finish(self) -> Piece:
        """The rest, when no more text comes."""
        split = Split() if self._thoughts is None else self._thoughts.finish()
        if self._calls is None:
            return self._piece(split, Said(split.answer))
        first, last = self._calls.push(split.answer), self._calls.finish()
        return self._piece(
            split, Said(first.content + last.content, first.calls + last.calls, first.problems + last.problems)
        )

    def _piece(self, split: Split, said: Said) -> Piece:
        calls = tuple(map(self._with_id, said.calls))
        if self._single_call:
            calls = () if self._has_called else calls[:1]
        self._has_called = self._has_called or bool(calls)
        return Piece(split.reasoning, split.answer, said.content, calls, said.problems)

    def _with_id(self, call: Call) -> ToolCall:
        return ToolCall(self._make_id(), call.name, call.arguments)
