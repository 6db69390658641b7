"""Finds where a JSON object or array ends, character by character, without reading it."""

from __future__ import annotations

__all__ = ["JsonEnd"]


class JsonEnd:
    """Give it a text in pieces that begins with `{` or `[`. Time is linear in the text, memory constant."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False

    def push(self, text: str) -> int | None:
        """How many characters of this piece belong to the value when it ends in it, None when it goes on."""
        for index, character in enumerate(text):
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif character == "\\":
                    self._escaped = True
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return index + 1
        return None
