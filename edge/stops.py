"""Finds stop strings in text that comes piece by piece, and holds back what may be the start of one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["StopStrings"]


class StopStrings:
    """Hands out text up to the first stop string: the one whose end comes first, the longest of those that end there.

    The result does not depend on how the text is cut into pieces. Each character costs the same, however long the
    stop strings are (Knuth, Morris, Pratt).
    """

    def __init__(self, strings: Iterable[str]) -> None:
        """`strings`: each at least one character; ValueError otherwise."""
        self._strings = tuple(dict.fromkeys(strings))
        if "" in self._strings:
            raise ValueError("a stop string must have at least one character")
        self._borders = tuple(map(_borders, self._strings))
        self._states = [0] * len(self._strings)  # how much of each string the text ends with
        self._held = ""
        self._found: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop string has been found. Nothing more is handed out then."""
        return self._found is not None

    @property
    def found(self) -> str | None:
        """The stop string that was found; it is not part of what was handed out."""
        return self._found

    def push(self, text: str) -> str:
        """Add text; returns what is certain not to be part of a stop string."""
        if self._found is not None:
            return ""
        if not self._strings:
            return text
        for index, character in enumerate(text):
            complete = self._advance(character)
            if complete is not None:
                self._found = complete
                out = (self._held + text[: index + 1]).removesuffix(complete)
                self._held = ""
                return out
        out = self._held + text
        keep = len(out) - max(self._states)
        self._held = out[keep:]
        return out[:keep]

    def flush(self) -> str:
        """What is held back, when no more text comes."""
        held, self._held = self._held, ""
        self._states = [0] * len(self._strings)
        return held

    def _advance(self, character: str) -> str | None:
        """The longest string that this character completes."""
        complete: str | None = None
        for number, string in enumerate(self._strings):
            state, borders = self._states[number], self._borders[number]
            while state and string[state] != character:
                state = borders[state - 1]
            state += string[state] == character
            self._states[number] = state
            if state == len(string) and (complete is None or state > len(complete)):
                complete = string
        return complete


def _borders(string: str) -> list[int]:
    """For each prefix, the length of its longest proper prefix that is also its suffix."""
    borders = [0]
    for character in string[1:]:
        length = borders[-1]
        while length and string[length] != character:
            length = borders[length - 1]
        borders.append(length + (string[length] == character))
    return borders
