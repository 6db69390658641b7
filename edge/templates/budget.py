"""What a template may use: steps, text and time. Every loop, call, filter and operator draws on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import cast

from jinja2 import Undefined

__all__ = ["BUDGET", "Budget", "OverBudget"]

# What a template may use whatever the conversation; each character of the conversation adds to it.
MIN_STEPS = 100_000
MIN_SECONDS = 0.15
MIN_NODES = 20_000  # values inside one value, counted as often as they occur
MIN_TEXT = 1 << 20
_SECONDS_PER_CHARACTER = 2e-5
_STEPS_BETWEEN_LOOKS = 500
_CHARACTERS_PER_STEP = 64


class OverBudget(Exception):
    """The template asks for more than it may use. The message says of what."""


class Budget:
    """The budget of one rendering. Every method raises OverBudget.

    What makes much out of little is stopped within 200 ms and 32 MiB; a long conversation may take longer. Steps bound
    the time by themselves; the clock is for machines slower than anyone thought of.
    """

    def __init__(self, input_characters: int, clock: Callable[[], float]) -> None:
        """`input_characters`: size of the conversation, values counted; it may be written out a few times over.
        `clock`: seconds."""
        self.max_output = MIN_TEXT + 4 * input_characters
        self.max_text = 2 * self.max_output  # one value; all that is written, inside macros too, is twice that
        self._max_steps = MIN_STEPS + 2 * input_characters
        self._max_nodes = MIN_NODES + 2 * input_characters
        self._emitted = 0
        self._steps = 0
        self._next_look = _STEPS_BETWEEN_LOOKS
        self._clock = clock
        self._max_seconds = MIN_SECONDS + _SECONDS_PER_CHARACTER * input_characters
        self._deadline = clock() + self._max_seconds

    def burn(self, steps: int = 1) -> None:
        """Use up steps."""
        self._steps += steps
        if self._steps < self._next_look:
            return
        self._next_look = self._steps + _STEPS_BETWEEN_LOOKS
        if self._steps > self._max_steps:
            raise OverBudget(f"it takes more than {self._max_steps} steps")
        if self._clock() > self._deadline:
            raise OverBudget(f"it takes longer than {self._max_seconds:.2f} seconds")

    def text(self, characters: int) -> None:
        """Announce a text of this length, before it is made."""
        if characters > self.max_text:
            raise OverBudget(f"it makes a text of {characters} characters, at most {self.max_text} are allowed")
        self.burn(1 + max(characters, 0) // _CHARACTERS_PER_STEP)

    def emit(self, characters: int) -> None:
        """Announce text that is written, to the output or to what a macro returns."""
        self._emitted += characters
        if self._emitted > 2 * self.max_text:
            raise OverBudget(f"it writes more than {2 * self.max_text} characters")
        self.burn(1 + characters // _CHARACTERS_PER_STEP)

    def weigh(self, value: object, *, printable: bool = False) -> None:
        """Check what a value holds, counting what occurs twice twice: its text, copies and comparisons cost that.

        `printable`: refuse what has no text of its own, as functions and namespaces.
        """
        nodes = characters = 0
        stack = [value]
        while stack:
            item = stack.pop()
            nodes += 1
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, Mapping):
                mapping = cast("Mapping[object, object]", item)
                stack.extend(mapping.keys())
                stack.extend(mapping.values())
            elif isinstance(item, (list, tuple)):
                stack.extend(cast("Sequence[object]", item))
            elif isinstance(item, range):
                nodes += len(item)
            elif printable and not isinstance(item, (int, float, Undefined, type(None))):
                raise OverBudget(f"it writes a value of type {type(item).__name__}, which has no text")
            if nodes + len(stack) > self._max_nodes or characters > self.max_text:
                raise OverBudget(f"it makes a value of more than {self._max_nodes} parts or {self.max_text} characters")
        self.burn(1 + nodes // 4 + characters // _CHARACTERS_PER_STEP)

    def string(self, value: object) -> str:
        """`str(value)`, once it is known to be small and harmless."""
        if not isinstance(value, str):
            self.weigh(value, printable=True)
            value = str(value)
        self.text(len(value))
        return value


BUDGET: ContextVar[Budget] = ContextVar("budget")
