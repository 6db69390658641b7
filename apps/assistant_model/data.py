"""Generates requests with their answers behind tool lists: the same seed always gives the same data.

`courses.py` makes the training data of it, `samples.py` shows some.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Literal

from apps.assistant_model import (
    template_chains,
    template_days,
    template_desk,
    template_extra,
    template_files,
    template_home,
    template_lists,
    template_media,
    template_questions,
    template_status,
    template_talk,
    template_time,
)
from apps.assistant_model.dress import CASED_SHARE, corrected, dressed
from apps.assistant_model.meanings import Placed
from apps.assistant_model.templates import Call, Piece, Template, say
from apps.assistant_model.tool_list import ToolList, assistant_list, renamed_list, shipped_list
from apps.assistant_model.tools import MORE_TOOLS, REFUSAL
from apps.assistant_model.values import Choices, Draw, SlotMaker, Split, closed_slots, open_slots, standard_slots

Kind = Literal["train", "new_values", "new_templates"]

TEMPLATES: tuple[Template, ...] = (
    template_home.HOME + template_lists.LISTS + template_time.TIME + template_media.MEDIA + template_desk.DESK
    + template_questions.QUESTIONS_ASKED + template_talk.TALKS + template_talk.REFUSALS + template_extra.EXTRA
    + template_days.DAYS + template_files.FILES + template_status.STATUS
)  # fmt: skip
_MODULES: tuple[Any, ...] = (
    template_home, template_lists, template_time, template_media, template_desk, template_questions, template_talk,
    template_extra, template_days, template_files, template_status,
)  # fmt: skip

EvalKind = Literal["new_values", "new_templates", "hand_written", "renamed", "reworded", "assistant"]
KINDS: tuple[EvalKind, ...] = ("new_values", "new_templates", "hand_written", "renamed", "reworded", "assistant")
RENAMED_GROUP = 25  # requests behind one renamed list

EVAL_SEED = 77001
REPLY_SHARE = 0.5  # of questions asked back
SPOKEN_LIST_SHARE = 0.5  # of trained requests of three: "one, two and three"
HAND_WRITTEN = Path(__file__).with_name("requests.jsonl")

_JOINTS = (
    " and ", " and ", " and ", " and then ", " then ", ", ", ", ", " and also ", ", and ", " and please ", " plus ",
    ". ", ", then ", " as well as ", " and after that ", ". also ", ", also ",
)  # fmt: skip
_LAST_JOINTS = (" and ", " and ", " and ", ", and ", " and then ", ", then ", " and also ", ", and finally ")


def dump_calls(calls: list[dict[str, object]]) -> str:
    """Compact JSON: the model is trained on exactly these separators, which save a third of the tokens."""
    return json.dumps(calls, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it meets a tool list: the calls it wants, or the sentence, and the tools without which neither
    is given.
    """

    text: str
    calls: tuple[Call, ...]
    sentence: str | None
    needs: frozenset[str]
    reply: Request | None = None  # what the person says to a question back

    def answer(self, tools: ToolList) -> str:
        """The JSON of the calls under the names of `tools`, or a sentence."""
        if not self.needs <= tools.tools.keys():
            return REFUSAL
        if self.sentence is not None:
            return self.sentence
        named: list[dict[str, object]] = []
        for tool, arguments in self.calls:
            listed = tools.tools[tool]
            ordered = {name: arguments[key] for key, (name, _) in listed.arguments.items() if key in arguments}
            named.append({"name": listed.name, "arguments": ordered})
        return dump_calls(named)

    def turn(self, tools: ToolList) -> Turn:
        """The request and its answer, with the meanings of the names in it. Before anything is written the tools that
        are needed are known, whether they are listed or not.
        """
        answer = self.answer(tools)
        placed: list[Placed] = [(0, (tool, "")) for tool in sorted(self.needs)]
        if answer.startswith("["):
            placed += _placed_in_calls(answer, self.calls, tools)
        return Turn(self.text, answer, tuple(placed))


def _placed_in_calls(answer: str, calls: tuple[Call, ...], tools: ToolList) -> Iterator[Placed]:
    at = 0
    for tool, arguments in calls:
        at = answer.index(opening := '{"name":"', at) + len(opening)
        yield at, (tool, "")
        for key, (name, _) in tools.tools[tool].arguments.items():
            if key in arguments:
                at = answer.index(f'"{name}":', at) + 1
                yield at, (tool, key)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and its answer, the JSON of the calls or a sentence; `placed` says what its names mean."""

    request: str
    answer: str
    placed: tuple[Placed, ...] = ()


Example = tuple[Turn, ...]  # a conversation; the last turn is the one evaluated


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations behind one tool list."""

    tools: ToolList
    examples: tuple[Example, ...]
    listing: bool = True  # whether the prompt has the list

    @property
    def text(self) -> str:
        return self.tools.text if self.listing else ""


@cache
def slot_makers() -> dict[str, SlotMaker]:
    """Every slot that a template may use; one that two modules define has the words of both."""
    words: dict[str, tuple[str, ...]] = {}
    choices: dict[str, Choices] = {}
    for module in _MODULES:
        for kind, own in getattr(module, "SLOTS", {}).items():
            words[kind] = words.get(kind, ()) + own
        for kind, options in getattr(module, "CHOICES", {}).items():
            choices[kind] = choices.get(kind, ()) + options
    return standard_slots() | open_slots(words) | closed_slots(choices) | template_files.MAKERS


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the requests of each kind; the defaults are what is evaluated."""

    talk: float = 0.045
    refused: float = 0.055  # what no tool is made for
    unlisted: float = 0.08  # made without looking whether the tool is listed
    strange: float = 0.6  # of the unlisted, for tools that are never shipped
    several: float = 0.15  # of the others, two or three requests in one
    three: float = 0.12  # of those, three
    chained: float = 0.0  # of single requests, and of the last of several: to keep a result, in two calls


@dataclass(frozen=True, slots=True)
class Pool:
    """Templates with their weights; `emphasis` multiplies those of some tools."""

    templates: tuple[Template, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, templates: Iterable[Template], emphasis: Mapping[str, float] = MappingProxyType({})) -> Pool:
        chosen = tuple(templates)
        factors = (max((emphasis.get(tool, 1.0) for tool in template.needs), default=1.0) for template in chosen)
        return cls(chosen, tuple(t.weight * factor for t, factor in zip(chosen, factors, strict=True)))


_EXTRA_NAMES = frozenset(tool.name for tool in template_extra.EXTRA_TOOLS)
_MORE_NAMES = frozenset(tool.name for tool in MORE_TOOLS)
_EXTRA = Pool.of(t for t in TEMPLATES if t.needs & _EXTRA_NAMES)
_MAIN = Pool.of(t for t in TEMPLATES if t.needs and not t.needs & (_EXTRA_NAMES | _MORE_NAMES))
_OFFERED = Pool.of(t for t in TEMPLATES if t.needs and not t.needs & _EXTRA_NAMES)
_REFUSED = Pool.of(t for t in TEMPLATES if t.sentence == REFUSAL)
_TALK = Pool.of(t for t in TEMPLATES if not t.needs and t.sentence != REFUSAL)
_CHAINS = Pool.of(template_chains.CHAINS)


def listed_templates(tools: ToolList, emphasis: Mapping[str, float]) -> Pool:
    return Pool.of((t for t in TEMPLATES if t.needs and t.needs <= tools.tools.keys()), emphasis)


EVALUATED = Mix()


class Generator:
    """An endless, reproducible source of requests of one kind."""

    def __init__(self, rng: Random, kind: Kind, mix: Mix = EVALUATED) -> None:
        self._rng = rng
        self.mix = mix
        self._kind: Kind = kind
        self._split: Split = "held_out" if kind == "new_values" else "train"
        self._known = _OFFERED if kind == "train" else _MAIN  # what is asked whether it is listed or not

    def request(self, listed: Pool = _MAIN) -> Request:
        """One request, most likely one that the `listed` templates answer; new values hold one never trained on."""
        while True:
            request, unseen = self._any(listed)
            if unseen or self._kind != "new_values":
                return request

    def _any(self, listed: Pool) -> tuple[Request, bool]:
        rng, pick, mix = self._rng, self._rng.random(), self.mix
        cased = rng.random() < CASED_SHARE
        if pick < mix.talk:
            return self._request([self._draw(_TALK, cased)], cased)
        if pick < mix.talk + mix.refused or not listed.templates:
            return self._request([self._draw(_REFUSED, cased)], cased)
        if pick < mix.talk + mix.refused + mix.unlisted:
            return self._request([self._draw(_EXTRA if rng.random() < mix.strange else self._known, cased)], cased)
        parts = [self._draw(listed, cased)]
        if rng.random() < mix.several:
            count = 3 if rng.random() < mix.three else 2
            parts += [self._draw(self._known if rng.random() < 0.04 else listed, cased) for _ in range(count - 1)]
            if any(part.template.sentence is not None for part in parts):
                parts = parts[:1]  # only calls go together
        if mix.chained and parts[0].template.sentence is None and rng.random() < mix.chained:
            parts[-1 if len(parts) < 3 else 1 :] = [self._draw(_CHAINS, cased)]
        return self._request(parts, cased)

    def _draw(self, pool: Pool, cased: bool) -> _Part:
        template = self._rng.choices(pool.templates, pool.weights)[0]
        draw = Draw(self._rng, self._split, slot_makers(), cased, self._kind == "train")
        pattern = self._rng.choice(template.held_out if self._kind == "new_templates" else template.train)
        pieces = say(pattern, draw)
        return _Part(template, draw, corrected(pieces, draw) if self._kind != "new_values" else pieces)

    def _request(self, parts: list[_Part], cased: bool) -> tuple[Request, bool]:
        rng = self._rng
        pieces = list(parts[0].pieces)
        for joint, part in zip(self._joints(len(parts)), parts[1:], strict=True):
            following = part.pieces
            if joint == ". " and cased and following[0].slot is None:
                first = following[0].text.lstrip()
                following = [Piece(first[:1].upper() + first[1:]), *following[1:]]
            pieces += [Piece(joint), *following]
        text = dressed(pieces, rng, cased)
        template = parts[0].template
        if template.sentence is not None:
            unseen = parts[0].draw.unseen
            reply = self._reply(parts[0]) if template.replies and rng.random() < REPLY_SHARE else None
            return Request(text, (), template.sentence, template.needs, reply), unseen
        calls: list[Call] = []
        for part in parts:
            calls += part.template.calls_for(part.draw, len(calls))
        return Request(text, tuple(calls), None, frozenset(tool for tool, _ in calls)), any(
            p.draw.unseen for p in parts
        )

    def _joints(self, num_parts: int) -> list[str]:
        """What stands between the parts of a request."""
        if num_parts == 3 and self._kind == "train" and self._rng.random() < SPOKEN_LIST_SHARE:
            return [", ", self._rng.choice(_LAST_JOINTS)]
        return [self._rng.choice(_JOINTS) for _ in range(num_parts - 1)]

    def _reply(self, part: _Part) -> Request:
        pieces = say(self._rng.choice(part.template.replies), part.draw)
        text = dressed(pieces, self._rng, part.draw.cased)
        return Request(text, tuple(part.template.calls_for(part.draw)), None, part.template.needs)


@dataclass(slots=True)
class _Part:
    """A template with what one request said in its slots."""

    template: Template
    draw: Draw
    pieces: list[Piece]


def evaluation_groups(kind: EvalKind, count: int) -> list[Group]:
    """The fixed examples of one kind, `count` at most, each a group of its own kind of list."""
    if kind == "hand_written":
        return [Group(shipped_list(), tuple(hand_written()[:count]))]
    if kind == "assistant":
        tools = assistant_list()
        return [Group(tools, tuple((Turn(r.text, r.answer(tools)),) for r in assistant_requests(count)))]
    requests = evaluation_requests("new_values" if kind == "new_values" else "new_templates", count)
    if kind not in ("renamed", "reworded"):
        tools = shipped_list()
        return [Group(tools, tuple((Turn(r.text, r.answer(tools)),) for r in requests))]
    rng = Random(f"{EVAL_SEED} {kind}")
    groups: list[Group] = []
    for start in range(0, len(requests), RENAMED_GROUP):
        tools = renamed_list(rng, 0.6 if kind == "reworded" else 0.0)
        part = requests[start : start + RENAMED_GROUP]
        groups.append(Group(tools, tuple((Turn(r.text, r.answer(tools)),) for r in part)))
    return groups


def hand_written() -> list[Example]:
    """The requests written by hand before this generator was, under the shipped tools."""
    examples: list[Example] = []
    for line in HAND_WRITTEN.read_text().splitlines():
        entry = json.loads(line)
        answer = entry["says"] if "says" in entry else dump_calls(entry["calls"])
        earlier = [Turn(request, said) for request, said in entry.get("earlier", [])]
        examples.append((*earlier, Turn(entry["request"], answer)))
    return examples


def words_of(request: str) -> str:
    """A request without case and punctuation: two that agree here count as the same."""
    return " ".join(re.sub(r"[\W_]+", " ", request.lower()).split())


@cache
def evaluation_requests(kind: Kind, count: int) -> tuple[Request, ...]:
    """`count` fixed requests of the shipped tools, all different."""
    return _different(Generator(Random(f"{EVAL_SEED} {kind}"), kind), _MAIN, count)


@cache
def assistant_requests(count: int) -> tuple[Request, ...]:
    """The same in wordings never trained on, of all tools that the assistant app offers."""
    return _different(Generator(Random(f"{EVAL_SEED} assistant"), "new_templates"), _OFFERED, count)


def _different(generator: Generator, listed: Pool, count: int) -> tuple[Request, ...]:
    found: dict[str, Request] = {}
    while len(found) < count:
        request = generator.request(listed)
        found.setdefault(words_of(request.text), request)
    return tuple(found.values())
