"""What is taught when: tool lists with conversations behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from apps.assistant_model.data import Example, Generator, Group, Mix, Request, listed_templates
from apps.assistant_model.tool_list import ToolList, assistant_list, random_list, shipped_list, shortened_list
from apps.assistant_model.tools import MORE_TOOLS, OFFERED, REFUSAL

TRAIN_SEED = 20261
OLD_TURN_SHARE = 0.04
DESCRIBED_LISTED = 0.6  # of requests in a description's words, for a tool that is listed; the others for any
# What a network trained without emphasis gets wrong most: several requests in one, three above all, sums, times.
SHIPPED_MIX = Mix(several=0.34, three=0.35, chained=0.03, talk=0.06)
# Behind other lists, where tools are missing.
OTHER_MIX = Mix(several=0.25, three=0.3, chained=0.02, talk=0.05, unlisted=0.38, strange=0.15)
EMPHASIS: Mapping[str, float] = MappingProxyType({
    "calculate": 2.5, "set_alarm": 1.6, "add_event": 1.6, "add_reminder": 1.4, "add_to_list": 1.4,
    "remove_from_list": 1.4,
})  # fmt: skip
NEW_EMPHASIS: Mapping[str, float] = {
    **EMPHASIS,
    **{tool.name: 4.0 for tool in MORE_TOOLS},
}  # where a network that lacks them is trained on


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of training, `until` a share of the conversations. Of its groups some have the shipped tools without a
    list in the prompt (`silent`), some the shipped list, some the assistant app's, some a part of that (`shortened`);
    the others have random ones, in which a share of the conversations are requests in a description's own words
    (`described`). A group of the shipped tools has about three times as many conversations as others, one of the
    app's about four times.
    """

    until: float
    silent: float
    shipped: float
    described: float = 0.0
    grows: bool = False  # lists, from two to four tools to all kinds
    assistant: float = 0.0
    shortened: float = 0.0


# What requests mean is learnt before lists are, and cheaply, since there is no list to go through the network.
PHASES = (
    Phase(0.40, silent=1.0, shipped=0.0),
    Phase(0.52, silent=0.10, shipped=0.04, described=0.25, grows=True),
    Phase(0.64, silent=0.12, shipped=0.08, described=0.25),
    Phase(0.82, silent=0.12, shipped=0.10),
    Phase(1.00, silent=0.0, shipped=0.16, assistant=0.12, shortened=0.06),
)
# For a network that has learnt all of that without the tools of the assistant app.
CONTINUED = (Phase(1.00, silent=0.0, shipped=0.12, assistant=0.18, shortened=0.10),)


def training_groups(
    seed: int,
    conversations: int,
    phases: tuple[Phase, ...] = PHASES,
    emphasis: Mapping[str, float] = EMPHASIS,
) -> Iterator[Group]:
    """Tool lists with conversations behind each, more behind longer ones, phase by phase."""
    rng = Random(f"{seed} train")
    generator = Generator(rng, "train")
    made, began = 0, 0.0
    for phase in phases:
        while made < phase.until * conversations:
            share = (made / conversations - began) / (phase.until - began)
            group = _group(rng, generator, phase, share if phase.grows else 1.0, emphasis)
            made += len(group.examples)
            yield group
        began = phase.until


def _group(rng: Random, generator: Generator, phase: Phase, longest: float, emphasis: Mapping[str, float]) -> Group:
    pick = rng.random() - phase.silent
    if pick < phase.shipped:
        tools, generator.mix = shipped_list(), SHIPPED_MIX
        return Group(tools, tuple(_examples(rng, generator, tools, emphasis)), pick >= 0)
    pick -= phase.shipped
    if pick < phase.assistant:
        tools, generator.mix = assistant_list(), SHIPPED_MIX
        return Group(tools, tuple(_examples(rng, generator, tools, emphasis)))
    pick -= phase.assistant
    tools = shortened_list(rng) if pick < phase.shortened else random_list(rng, longest)
    generator.mix = OTHER_MIX
    examples = _examples(rng, generator, tools, emphasis)
    return Group(tools, (*examples, *_described(rng, tools, round(phase.described * len(examples)))))


def _examples(rng: Random, generator: Generator, tools: ToolList, emphasis: Mapping[str, float]) -> list[Example]:
    listed = listed_templates(tools, emphasis)
    examples: list[Example] = []
    while len(examples) < max(8, len(tools.tools) * 3 // 2):
        request = generator.request(listed)
        turns = [request.turn(tools)]
        if request.reply is not None and turns[0].answer != REFUSAL:
            turns.append(request.reply.turn(tools))
        if examples and rng.random() < OLD_TURN_SHARE:
            turns = [*examples[-1][-1:], *turns]  # an earlier, unrelated turn must not change the answer
        examples.append(tuple(turns))
    return examples


def _described(rng: Random, tools: ToolList, count: int) -> list[Example]:
    """Requests that repeat a tool's description, answered by a call without arguments: where a list has the name for
    it, or that it has none, without having to know what anything means.
    """
    examples: list[Example] = []
    for _ in range(count):
        tool = rng.choice([each.tool for each in tools.tools.values()] if rng.random() < DESCRIBED_LISTED else OFFERED)
        listed = tools.tools.get(tool.name)
        text = tool.description if listed is None else listed.description
        examples.append((Request(text, ((tool.name, {}),), None, frozenset((tool.name,))).turn(tools),))
    return examples
