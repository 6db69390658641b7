"""Markdown on a terminal while it is written, with rich (extra `chat`): what is complete stays, the rest is redrawn."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from edge.cli.screen import Screen, takes_colour
from edge.cli.terminal import harmless
from edge.tools import ToolCall

__all__ = ["Blocks", "chat_screen"]

_FENCE = re.compile(r" {0,3}(```+|~~~+)(.*)")
_ESCAPE = re.compile(r"\x1b\[[\d;]*m")
_SECONDS_BETWEEN = 0.08
_CODE_LINES = 12  # of a long piece of code are drawn for good at a time


def chat_screen(*, plain: bool = False) -> Screen:
    """For a conversation: with Markdown where the terminal shows it and rich is installed."""
    if plain or not takes_colour(sys.stdout, os.environ):
        return Screen(names_calls=True)
    try:
        return _MarkdownScreen()
    except ImportError:
        return Screen(names_calls=True)


class Block(NamedTuple):
    """A piece of Markdown. goes_on: with the code of the one before."""

    text: str
    goes_on: bool = False


class Blocks:
    """Cuts Markdown that is still being written into blocks that can be drawn by themselves."""

    def __init__(self) -> None:
        self.tail = ""  # the block that is being written
        self.goes_on = False  # it does, with the code of the block before
        self._checked = 0  # characters of the tail, whole lines, that were looked at
        self._fence = ""  # the line that opened the code we are in
        self._num_lines = 0  # of code in the tail

    def push(self, text: str) -> list[Block]:
        """The blocks that are complete with this text."""
        self.tail += text
        done: list[Block] = []
        while (end := self.tail.find("\n", self._checked)) >= 0:
            line, self._checked = self.tail[self._checked : end], end + 1
            if self._ends(line):
                done.append(self._cut())
        return done

    def finish(self) -> list[Block]:
        """The last block."""
        self._num_lines = 0  # what is open is not opened again
        last = self._cut(len(self.tail))
        self._fence = ""
        return [last] if last.text.strip() else []

    def _ends(self, line: str) -> bool:
        match = _FENCE.match(line)
        if self._fence:
            opening = _FENCE.match(self._fence)
            if match and opening and match[1].startswith(opening[1]) and not match[2].strip():
                self._fence = ""
                return True
            self._num_lines += 1
            return self._num_lines >= _CODE_LINES
        if match:
            self._fence, self._num_lines = line, 0
            return False
        return not line.strip()

    def _cut(self, end: int | None = None) -> Block:
        """Takes a block off the tail. A piece of longer code is closed, and the rest opened again."""
        end = self._checked if end is None else end
        text, self.tail, self._checked = self.tail[:end], self.tail[end:], 0
        goes_on, self.goes_on = self.goes_on, False
        fence = _FENCE.match(self._fence) if self._num_lines >= _CODE_LINES else None
        if fence is not None:
            text += fence[1] + "\n"
            self.tail = self._fence + "\n" + self.tail
            self._checked, self._num_lines, self.goes_on = len(self._fence) + 1, 0, True
        return Block(text, goes_on)


class _MarkdownScreen(Screen):
    """Raises ImportError where rich is not installed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(names_calls=True)
        from rich.console import Console
        from rich.live import Live
        from rich.markdown import Markdown

        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
        self._live_of, self._markdown_of = Live, Markdown
        self._live: Live | None = None
        self._blocks = Blocks()
        self._clock = clock
        self._drawn_at = 0.0
        self._is_below = False  # a block of this answer stands above

    def _say(self, text: str) -> None:
        self._said_something = True
        done = self._blocks.push(harmless(text))
        if done:
            self._erase()
            for block in done:
                self._draw(block)
        now = self._clock()
        if self._blocks.tail.strip() and (self._live is None or now - self._drawn_at >= _SECONDS_BETWEEN):
            self._drawn_at = now
            if self._live is None:
                self._part(self._blocks.goes_on)
                self._live = self._live_of(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(self._rendered(self._end_of(self._blocks.tail)), refresh=True)

    def end(self, *, failed: bool = False) -> None:
        self._finish_blocks()
        self._is_below = False
        super().end(failed=failed)

    def _call(self, call: ToolCall) -> None:
        self._finish_blocks()
        super()._call(call)

    def _finish_blocks(self) -> None:
        self._erase()
        for block in self._blocks.finish():
            self._draw(block)

    def _end_of(self, text: str) -> str:
        """What of a long block surely fits on the screen: only that can be drawn again."""
        num_lines = max(1, self._console.height - 4)
        text = "\n".join(text.split("\n")[-num_lines:])
        return text[-num_lines * self._console.width // 2 :]

    def _erase(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, block: Block) -> None:
        if block.text.strip():
            self._new_line()
            self._part(block.goes_on)
            with self._console.capture() as captured:
                self._console.print(self._rendered(block.text))
            lines = captured.get().split("\n")
            for end in (0, -1):  # rich sets tables and code apart; here that is done between all blocks
                while len(lines) > 1 and not _ESCAPE.sub("", lines[end]).strip():
                    del lines[end]
            self._write("\n".join(lines) + "\n")
            self._is_below = True

    def _part(self, goes_on: bool) -> None:
        """An empty line below the block above."""
        if self._is_below and not goes_on:
            self._write("\n")
        self._is_below = False

    def _rendered(self, text: str) -> Any:
        return self._markdown_of(text, code_theme="ansi_dark", hyperlinks=False)
