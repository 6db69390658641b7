"""Tool lists as they stand in a prompt: the shipped one, and random ones with other names and words, some tools left
out, and strangers among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from apps.assistant_model.meanings import Placed
from apps.assistant_model.template_extra import EXTRA_DESCRIPTIONS, EXTRA_TOOLS
from apps.assistant_model.tool_names import ARGUMENT_DESCRIPTIONS, ARGUMENT_NAMES, DESCRIPTIONS, NAMES
from apps.assistant_model.tool_names_more import (
    MORE_ARGUMENT_DESCRIPTIONS,
    MORE_ARGUMENT_NAMES,
    MORE_DESCRIPTIONS,
    MORE_NAMES,
)
from apps.assistant_model.tools import OFFERED, TOOLS, Tool
from apps.assistant_model.values import Split, is_held_out
from apps.assistant_model.words import OPEN, SYLLABLES

_NAMES = NAMES | MORE_NAMES
_DESCRIPTIONS = DESCRIPTIONS | MORE_DESCRIPTIONS | EXTRA_DESCRIPTIONS
_ARGUMENT_NAMES = ARGUMENT_NAMES | MORE_ARGUMENT_NAMES
_ARGUMENT_DESCRIPTIONS = ARGUMENT_DESCRIPTIONS | MORE_ARGUMENT_DESCRIPTIONS


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool under the names of one list; `arguments` gives name and description (or "") by the tool's own names."""

    tool: Tool
    name: str
    description: str
    arguments: dict[str, tuple[str, str]]

    @property
    def line(self) -> str:
        """What it does, then its name, so that the name's tokens know what they stand for; arguments too."""
        said = (f"{text}:{name}" if text else name for name, text in self.arguments.values())
        return f"{self.description}>{self.name}({';'.join(said)})"

    @property
    def placed(self) -> Iterator[Placed]:
        """Where in the line its names begin."""
        at = len(self.description) + 1
        yield at, (self.tool.name, "")
        at += len(self.name) + 1
        for key, (name, text) in self.arguments.items():
            at += len(text) + 1 if text else 0
            yield at, (self.tool.name, key)
            at += len(name) + 1


@dataclass(frozen=True)
class ToolList:
    """The tools of one prompt, in order, by their own names."""

    tools: dict[str, ListedTool]

    @cached_property
    def text(self) -> str:
        """Every line ends with a line feed, as the chat template writes it."""
        return "".join(listed.line + "\n" for listed in self.tools.values())

    @property
    def placed(self) -> Iterator[Placed]:
        """Where in the text names begin."""
        start = 0
        for listed in self.tools.values():
            for at, meaning in listed.placed:
                yield start + at, meaning
            start += len(listed.line) + 1

    def as_json(self) -> list[dict[str, Any]]:
        """OpenAI's function tools, which the chat template turns into `text` again."""
        return [_function(listed) for listed in self.tools.values()]


def _function(listed: ListedTool) -> dict[str, Any]:
    types = {argument.name: argument.type for argument in listed.tool.arguments}
    properties: dict[str, dict[str, Any]] = {}
    for key, (name, text) in listed.arguments.items():
        items = {"items": {"type": "string"}} if types[key] == "array" else {}
        properties[name] = {"type": types[key], **items, **({"description": text} if text else {})}
    parameters = {"type": "object", "properties": properties}
    return {"name": listed.name, "description": listed.description, "parameters": parameters}


def shipped_list() -> ToolList:
    """What the chat template writes when no tools are given."""
    return _bare(TOOLS)


def assistant_list() -> ToolList:
    """What the assistant app sends: its arguments carry no descriptions either."""
    return _bare(OFFERED)


def shortened_list(rng: Random) -> ToolList:
    """A part of the same, as the app sends it when it shows only the tools nearest to a request."""
    chosen = set(rng.sample(range(len(OFFERED)), rng.randint(4, 24)))
    return _bare(tuple(tool for index, tool in enumerate(OFFERED) if index in chosen))


def _bare(tools: tuple[Tool, ...]) -> ToolList:
    return ToolList(
        {
            tool.name: ListedTool(tool, tool.name, tool.description, {a.name: (a.name, "") for a in tool.arguments})
            for tool in tools
        }
    )


def random_list(rng: Random, longest: float = 1.0) -> ToolList:
    """A list to train on: no name in it is held out. `longest` 0 gives two to four tools, 1 up to 24."""
    if rng.random() < 0.25 * longest:
        size = rng.randint(13, 24)
    else:
        size = rng.randint(2, 4 + round(8 * longest))
    strangers = 0 if rng.random() < 0.5 else rng.randint(1, 1 + round(3 * longest))
    chosen = rng.sample(OFFERED, size) + rng.sample(EXTRA_TOOLS, strangers)
    rng.shuffle(chosen)
    renamed, reworded = rng.choice((0.5, 1.0, 1.0, 1.0, 1.0)), rng.choice((0.0, 0.0, 0.0, 0.4, 1.0))
    return _listed(rng, chosen, "train", renamed, reworded)


def renamed_list(rng: Random, reworded: float = 0.0) -> ToolList:
    """Two thirds of the shipped tools in random order, every tool and argument under a name never trained on, and a
    share of the descriptions in other words.
    """
    return _listed(rng, rng.sample(TOOLS, round(len(TOOLS) * 2 / 3)), "held_out", 1.0, reworded)


def _listed(rng: Random, tools: list[Tool], split: Split, renamed: float, reworded: float) -> ToolList:
    described = rng.choice((0.0, 0.4, 1.0))  # how many arguments say what they are though their name tells
    taken: set[str] = set()
    listed: dict[str, ListedTool] = {}
    for tool in tools:
        new = rng.random() < renamed
        name = _name(rng, _NAMES.get(tool.name, ()), split, taken) if new else tool.name
        taken.add(name)
        listed[tool.name] = ListedTool(
            tool,
            name,
            _description(rng, tool, reworded),
            _arguments(rng, tool, split if new else None, described, reworded),
        )
    return ToolList(listed)


def _description(rng: Random, tool: Tool, reworded: float) -> str:
    return rng.choice(_DESCRIPTIONS[tool.name]) if rng.random() < reworded else tool.description


def _arguments(
    rng: Random, tool: Tool, split: Split | None, described: float, reworded: float
) -> dict[str, tuple[str, str]]:
    """Names and descriptions, in random order if renamed; `split` None keeps the names."""
    arguments = list(tool.arguments)
    if split is not None and rng.random() < 0.5:
        rng.shuffle(arguments)
    taken: set[str] = set()
    named: dict[str, tuple[str, str]] = {}
    for argument in arguments:
        key = (tool.name, argument.name)
        renamed = split == "held_out" or (split == "train" and rng.random() < 0.8)
        name = argument.name
        if split is not None and renamed:
            name = _name(rng, _ARGUMENT_NAMES.get(key, ()), split, taken)
        elif name in taken:
            name = _name(rng, (), "train", taken)
        taken.add(name)
        others = _ARGUMENT_DESCRIPTIONS.get(key, ()) if rng.random() < reworded else ()
        says = name != argument.name or rng.random() < described
        named[argument.name] = (name, rng.choice((argument.description, *others)) if says else "")
    return named


def _name(rng: Random, synonyms: tuple[str, ...], split: Split, taken: set[str]) -> str:
    """A synonym or a made-up name of the split that is not taken."""
    own = [name for name in synonyms if is_held_out(name) == (split == "held_out") and name not in taken]
    if own and rng.random() < 0.55:
        return rng.choice(own)
    while True:
        name = _made_up_name(rng)
        if is_held_out(name) == (split == "held_out") and name not in taken:
            return name


def _made_up_name(rng: Random) -> str:
    parts = [_made_up_part(rng) for _ in range(rng.choice((1, 1, 1, 2, 2)))]
    if len(parts) == 1:
        return parts[0]
    style = rng.random()
    if style < 0.6:
        return "_".join(parts)
    return parts[0] + "".join(part.capitalize() for part in parts[1:]) if style < 0.8 else ".".join(parts)


def _made_up_part(rng: Random) -> str:
    if rng.random() < 0.5:
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 2)))
    word = rng.choice(OPEN[rng.choice(("device", "item", "room", "label"))]).split()[-1]
    return word if rng.random() < 0.4 else word[: rng.randint(2, 4)] + rng.choice(SYLLABLES)
