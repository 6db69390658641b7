"""Where an answer appears while it is made: plain text, on a terminal, in a pipe, with or without colour."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from edge.cli.terminal import harmless
from edge.results import Token
from edge.tools import ToolCall

__all__ = ["Screen", "call_text", "takes_colour"]

_DIM, _PLAIN = "\x1b[2m", "\x1b[22m"
_MAX_VALUE = 200


def takes_colour(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether escape sequences are welcome: a terminal, no NO_COLOR (https://no-color.org), no dumb terminal."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"


def call_text(call: ToolCall) -> str:
    """`name(city="Rome", days=2)`, long values cut."""
    import json

    def shown(value: object) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "..."

    return harmless(f"{call.name}({', '.join(f'{key}={shown(value)}' for key, value in call.arguments.items())})")


class Screen:
    """Plain text. Thinking is dim; without colour it stands between brackets; in a pipe it is left out."""

    def __init__(self, out: TextIO | None = None, *, names_calls: bool = False) -> None:
        """names_calls: show calls as `-> name(...)`, not as the model writes them."""
        self._out: TextIO = sys.stdout if out is None else out
        self._terminal = self._out.isatty()
        self._colour = takes_colour(self._out, os.environ)
        self._names_calls = names_calls
        self._at_line_start = True
        self._thinking = False
        self._said_something = False
        target = self._out
        if not self._terminal and isinstance(target, io.TextIOWrapper):
            target.reconfigure(errors="backslashreplace")  # an output that is not UTF-8 must not end the answer

    def show(self, token: Token) -> None:
        """One step of an answer."""
        if token.reasoning and self._terminal:
            self._think(token.reasoning)
        text = token.content if self._names_calls else token.text
        if text:
            self._end_thinking()
            self._say(text)
        if self._names_calls:
            for call in token.tool_calls:
                self._end_thinking()
                self._call(call)
        self._out.flush()

    def end(self, *, failed: bool = False) -> None:
        """The answer is over. failed: an error follows, on a line of its own."""
        self._end_thinking()
        if not self._at_line_start or not (failed or self._said_something):
            self._write("\n")
        self._said_something = False
        self._out.flush()

    def _say(self, text: str) -> None:
        self._write(harmless(text) if self._terminal else text)

    def _call(self, call: ToolCall) -> None:
        self._new_line()
        self._write(f"-> {call_text(call)}\n")

    def _think(self, text: str) -> None:
        if not self._thinking:
            self._thinking = True
            self._write(_DIM if self._colour else "[thinking]\n")
        self._write(harmless(text))

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            self._new_line()
            self._write(_PLAIN + "\n" if self._colour else "[/thinking]\n")
            self._at_line_start = True

    def _new_line(self) -> None:
        if not self._at_line_start:
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._at_line_start = text.endswith("\n")
            self._said_something = True
