"""Templates: ways to say one request, and the calls or the sentence that answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from apps.assistant_model.tools import QUESTIONS, REFUSAL, TALK
from apps.assistant_model.values import Draw, Value

# By argument a literal, "$slot", "$-slot", or "$1.text" for the result of a call; "*" merges a slot's arguments.
Arguments = Mapping[str, str | int]
Call = tuple[str, dict[str, Value]]  # a tool and its arguments, by their names in tools.py

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_REFERENCE = re.compile(r"\$(\d)(\.\w+)")  # to what an earlier call of the same template gives


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a request: words of the template, or what fills a slot."""

    text: str
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One meaning, with the ways to ask for it.

    `calls` answer it, unless there is a `sentence`. A sentence that asks back has calls too: those which the next
    turn, one of `replies`, makes possible.
    """

    calls: tuple[tuple[str, Arguments], ...]
    sentence: str | None
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    replies: tuple[str, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        repeated = set(self.train) & set(self.held_out)
        if repeated or not self.train or not self.held_out:
            meaning = self.sentence or self.calls
            raise ValueError(f"template of {meaning}: empty, or in both splits: {sorted(repeated)}")

    @property
    def needs(self) -> frozenset[str]:
        """The tools without which the answer is a refusal."""
        return frozenset(tool for tool, _ in self.calls)

    def calls_for(self, draw: Draw, before: int = 0) -> list[Call]:
        """The calls for the slots drawn so far; `before` calls of other templates come first in the answer."""
        return [(tool, _fill(arguments, draw, before)) for tool, arguments in self.calls]


def call(
    tool: str, arguments: Arguments, *, train: tuple[str, ...], held_out: tuple[str, ...], weight: float = 1.0
) -> Template:
    """A request that one call answers."""
    return Template(((tool, arguments),), None, train, held_out, weight=weight)


def calls(
    wanted: tuple[tuple[str, Arguments], ...],
    *,
    train: tuple[str, ...],
    held_out: tuple[str, ...],
    weight: float = 1.0,
) -> Template:
    """A request that several calls answer, in this order."""
    return Template(wanted, None, train, held_out, weight=weight)


def ask(
    question: str,
    tool: str,
    complete: Arguments,
    *,
    train: tuple[str, ...],
    held_out: tuple[str, ...],
    replies: tuple[str, ...] = (),
    weight: float = 1.0,
) -> Template:
    """A request that lacks something: the answer asks for it, and after one of `replies` makes the `complete` call."""
    return Template(((tool, complete),), QUESTIONS[question], train, held_out, replies, weight)


def refuse(*, train: tuple[str, ...], held_out: tuple[str, ...], weight: float = 1.0) -> Template:
    """Requests that no tool is made for."""
    return Template((), REFUSAL, train, held_out, weight=weight)


def talk(key: str, *, train: tuple[str, ...], held_out: tuple[str, ...], weight: float = 1.0) -> Template:
    """Small talk, answered whatever the tools."""
    return Template((), TALK[key], train, held_out, weight=weight)


def say(pattern: str, draw: Draw) -> list[Piece]:
    """One way to say `pattern`: choices made at random, from the innermost out, slots filled from `draw`."""
    chosen, found = pattern, 1
    while found:
        chosen, found = _CHOICE.subn(lambda match: draw.rng.choice(match.group(1).split("|")), chosen)
    pieces: list[Piece] = []
    for index, part in enumerate(_SLOT.split(chosen)):
        if index % 2:
            pieces.append(Piece(draw.slot(part), part.rstrip("0123456789")))
        elif part:
            pieces.append(Piece(re.sub(r" +", " ", part)))
    return pieces


def join(pieces: list[Piece]) -> str:
    """The text of `pieces`, single spaces."""
    return " ".join("".join(piece.text for piece in pieces).split()).replace(" ,", ",")


def _fill(arguments: Arguments, draw: Draw, before: int) -> dict[str, Value]:
    filled: dict[str, Value] = {}
    for key, source in arguments.items():
        value: Value = source
        if isinstance(source, str) and (reference := _REFERENCE.fullmatch(source)):
            value = f"${before + int(reference[1])}{reference[2]}"
        elif isinstance(source, str) and source.startswith("$"):
            value = _slot_value(draw, source[1:].removeprefix("-"))
            if source.startswith("$-"):
                value = _negated(value)
        if key != "*":
            filled[key] = value
        elif isinstance(value, dict):
            filled.update(value)
        else:
            raise TypeError(f"slot {source} does not hold arguments")
    return filled


def _slot_value(draw: Draw, name: str) -> Value:
    # "{onday}" and "{plainday}" say a preposition, "{days}" is "tomorrow's": all give the argument's value.
    for said in (name, *(("onday", "plainday", "days") if name == "day" else ())):
        if said in draw.values:
            return draw.values[said]
    raise KeyError(f"the template never says {{{name}}}")


def _negated(value: Value) -> Value:
    if isinstance(value, str):
        return f"-{value}"  # a span of days
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} cannot be negated")
    return -value
