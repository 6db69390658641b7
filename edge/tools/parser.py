"""Calls out of the text of an answer, while it is written. What is handed out is never taken back: a call comes when
it is whole and good, and what only looks like one comes as text, with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import NamedTuple

from edge.tools.call import Call, MalformedCall, python_call, read_calls
from edge.tools.formats import CALL_ID, ToolFormat
from edge.tools.json_end import JsonEnd

__all__ = ["CallParser", "Said", "held_back"]

_MAX_NAME = 256  # characters between the opening and the mark before the arguments
_CODE_TOOLS = ("python", "ipython", "code_interpreter")  # Llama 3 writes their code without JSON around it


class Said(NamedTuple):
    """Part of an answer. problems: why some of `content` is no call, in order."""

    content: str = ""
    calls: tuple[Call, ...] = ()
    problems: tuple[str, ...] = ()


def held_back(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if mark.startswith(text[-n:])), 0)


class CallParser:
    """Reads one answer. Joined, the contents are the answer without its calls and the white space beside them."""

    def __init__(self, form: ToolFormat, names: Collection[str] | None) -> None:
        """names: of the tools that may be called; None: any, the template has its own."""
        self._form = form
        self._names = names
        self._opening, self._closing = form.opening.strip(), form.closing.strip()
        self._state: Callable[[bool], bool] = self._read_text
        self._held = ""  # text that may mean one thing or the other
        self._lead = ""  # what stood before the JSON that is read, to be given back if it is no call
        self._body: list[str] = []
        self._end = JsonEnd()
        self._name: str | None = None  # where it stands before the JSON
        self._is_bare = False
        self._may_be_bare = form.bare
        self._behind_call = False
        self._content: list[str] = []
        self._calls: list[Call] = []
        self._problems: list[str] = []

    @property
    def is_between_calls(self) -> bool:
        """Whether what was pushed ends outside of any call, its closing mark included."""
        return self._state == self._read_text

    def push(self, text: str) -> Said:
        """What is certain with this text."""
        self._held += text
        return self._run(final=False)

    def finish(self) -> Said:
        """The rest, when no more text comes."""
        return self._run(final=True)

    def _run(self, *, final: bool) -> Said:
        while self._state(final):
            pass
        said = Said("".join(self._content), tuple(self._calls), tuple(self._problems))
        self._content, self._calls, self._problems = [], [], []
        return said

    def _read_text(self, final: bool) -> bool:
        if self._may_be_bare:
            stripped = self._held.lstrip()
            if stripped.startswith("[" if self._form.is_array else "{"):
                self._lead, self._held = self._held[: -len(stripped)], stripped
                self._is_bare = True
                return self._go(self._read_body)
            if not stripped and not final:
                return False
        at = self._held.find(self._opening) if self._opening else -1
        if at >= 0:
            text, behind = self._held[:at].rstrip(), at + len(self._opening)
            self._say(text)
            self._lead, self._held = self._held[len(text) : behind], self._held[behind:]
            self._is_bare = False
            return self._go(self._read_name if self._form.arguments_mark else self._read_body)
        end = len(self._held)
        if not final and self._opening:
            end = len(self._held[: end - held_back(self._held, self._opening)].rstrip())
        self._say(self._held[:end])
        self._held = self._held[end:]
        return False

    def _read_name(self, final: bool) -> bool:
        """Between the opening and the mark before the arguments."""
        mark = self._form.arguments_mark
        at = self._held.find(mark)
        if at < 0 and not final and len(self._held) <= _MAX_NAME:
            return False
        if not 0 <= at <= _MAX_NAME:
            self._body = []
            self._refuse(f"no {mark} behind {self._opening} and a name")
            return self._go(self._read_text)
        self._name = self._held[:at].split(CALL_ID)[0].strip()
        self._lead += self._held[: at + len(mark)]
        self._held = self._held[at + len(mark) :]
        return self._go(self._read_body)

    def _read_body(self, final: bool) -> bool:
        """Behind the opening: JSON, or what Llama 3 writes for tools of its own."""
        stripped = self._held.lstrip()
        if not stripped and not final:
            return False
        self._lead += self._held[: len(self._held) - len(stripped)]
        self._held, self._body, self._end = stripped, [], JsonEnd()
        if stripped[:1] in ("{", "["):
            return self._go(self._read_json)
        if stripped and self._form.has_python_calls:
            return self._go(self._read_python)
        self._refuse(f"no JSON behind {self._form.arguments_mark or self._opening}")
        return self._go(self._read_text)

    def _read_json(self, final: bool) -> bool:
        end = self._end.push(self._held)
        piece, self._held = self._held[:end], "" if end is None else self._held[end:]
        self._body.append(piece)
        if end is None:
            if final:
                self._refuse("the answer ends inside a call")
                self._state = self._read_text
            return False
        try:
            self._calls += read_calls(self._whole(), self._form.name_key, self._form.argument_keys, self._names)
        except MalformedCall as error:
            self._refuse(str(error))
            return self._go(self._read_text)
        self._may_be_bare, self._behind_call = self._form.bare, True
        return self._go(self._read_close)

    def _read_close(self, final: bool) -> bool:
        """Behind a call: its closing mark, which some models forget, or what parts it from the next."""
        stripped = self._held.lstrip()
        mark = self._closing or (";" if self._form.bare and not self._form.is_array else "")
        if stripped.startswith(mark):
            self._held = stripped.removeprefix(mark)
        elif mark.startswith(stripped) and not final:
            return False
        return self._go(self._read_text)

    def _read_python(self, final: bool) -> bool:
        self._body.append(self._held)
        self._held = ""
        if not final:
            return False
        text = "".join(self._body)
        try:
            code_tool = next((name for name in _CODE_TOOLS if name in (self._names or ())), None)
            try:
                self._calls.append(python_call(text, self._names))
            except MalformedCall:
                if code_tool is None:
                    raise
                self._calls.append(Call(code_tool, {"code": text}))
        except MalformedCall as error:
            self._refuse(str(error))
        return self._go(self._read_text)

    def _whole(self) -> str:
        """The JSON that was read, with the name that stood before it."""
        text = "".join(self._body)
        if not self._form.arguments_mark:
            return text
        return f'{{"{self._form.name_key}": {json.dumps(self._name)}, "{self._form.arguments_key}": {text}}}'

    def _go(self, state: Callable[[bool], bool]) -> bool:
        self._state = state
        return True

    def _refuse(self, reason: str) -> None:
        """What was read is text."""
        text = self._lead + "".join(self._body)
        self._body = []
        # JSON that an answer begins with, and that names nothing to call, is what the user asked for.
        if not self._is_bare or f'"{self._form.name_key}"' in text:
            self._problems.append(reason)
        self._say(text)
        self._may_be_bare = False

    def _say(self, text: str) -> None:
        if self._behind_call:
            text = text.lstrip()
        if text:
            self._content.append(text)
            self._behind_call = False
            self._may_be_bare = self._may_be_bare and text.isspace()
