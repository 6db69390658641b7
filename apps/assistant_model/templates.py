"""Templates: ways to say one request, and the call or sentence that answers it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard

from apps.assistant_model.values import Draw, Value

Call = dict[str, object]

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """One meaning: `tool` and `arguments`, or the fixed `reply`, with the ways to ask for it."""

    tool: str | None
    arguments: dict[str, str | int]
    reply: str | None
    weight: float
    train: tuple[str, ...]
    held_out: tuple[str, ...]

    def __post_init__(self) -> None:
        repeated = set(self.train) & set(self.held_out)
        if repeated or not self.train or not self.held_out:
            raise ValueError(f"template of {self.tool or self.reply}: empty, or in both splits: {sorted(repeated)}")

    def answer(self, draw: Draw) -> Call | str:
        """The call for the slots drawn so far, or the sentence."""
        if self.tool is None:
            return self.reply or ""
        arguments: dict[str, object] = {}
        for key, source in self.arguments.items():
            value: Value = source
            if isinstance(source, str) and source.startswith("$"):
                value = _slot_value(draw, source[1:])
            if key == "*":
                if not _is_arguments(value):
                    raise TypeError(f"{self.tool}: slot {source} does not hold arguments")
                arguments.update(value)
            else:
                arguments[key] = value
        return {"name": self.tool, "arguments": arguments}


def call(
    tool: str,
    arguments: dict[str, str | int],
    *,
    train: tuple[str, ...],
    held_out: tuple[str, ...],
    weight: float = 1.0,
) -> Template:
    """A request that a tool call answers."""
    return Template(tool, arguments, None, weight, train, held_out)


def sentence(reply: str, *, train: tuple[str, ...], held_out: tuple[str, ...], weight: float = 1.0) -> Template:
    """A request that one fixed sentence answers."""
    return Template(None, {}, reply, weight, train, held_out)


def say(pattern: str, draw: Draw) -> str:
    """One way to say `pattern`: choices made at random, slots filled from `draw`."""
    chosen = _CHOICE.sub(lambda match: draw.rng.choice(match.group(1).split("|")), pattern)
    return " ".join(_SLOT.sub(lambda match: draw.slot(match.group(1)), chosen).split())


def _slot_value(draw: Draw, name: str) -> Value:
    # "{onday}" says the preposition, "{day}" does not: both give the argument's value.
    if name == "day" and "day" not in draw.values and "onday" in draw.values:
        return draw.values["onday"]
    if name not in draw.values:
        raise KeyError(f"the template never says {{{name}}}")
    return draw.values[name]


def _is_arguments(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)
