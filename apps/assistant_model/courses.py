"""What is taught when: tool lists with conversations behind each, for the two courses of training."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from apps.assistant_model.data import (
    STRANGE_SHARE,
    UNLISTED_SHARE,
    Example,
    Generator,
    Group,
    Request,
    listed_templates,
)
from apps.assistant_model.tool_list import ToolList, random_list, shipped_list
from apps.assistant_model.tools import REFUSAL, TOOLS

TRAIN_SEED = 20261
SHIPPED_LIST_SHARE = 0.08  # of lists; it has so many conversations behind it that they are a fifth of all
REFRESHED_LIST_SHARE = 0.2  # of the second course's lists: two fifths of its conversations
UNLISTED_PHASE, GROWTH_PHASE = 0.16, 0.16  # shares of training without a list, then with lists that grow
DESCRIBED_PHASE, DESCRIBED_SHARE = 0.4, 0.25  # up to here, requests in a description's own words, by others
DESCRIBED_LISTED = 0.6  # of those, for a tool that is listed; the others for any
# data.UNLISTED_SHARE and STRANGE_SHARE, behind other lists than the shipped one
MISSING_SHARE, MISSING_STRANGE_SHARE = 0.42, 0.15
OLD_TURN_SHARE = 0.04


def training_groups(seed: int, conversations: int) -> Iterator[Group]:
    """Tool lists with conversations behind each, more behind longer ones: easy lists first, then all kinds.

    The first groups have the shipped tools, but no list to read: what requests mean is learnt before lists are. Then
    lists come in, short ones first.
    """
    rng = Random(f"{seed} train")
    generator = Generator(rng, "train")
    made = 0
    while made < conversations:
        progress = made / conversations
        if progress < UNLISTED_PHASE:
            tools, listing, is_shipped = shipped_list(), False, True
        else:
            longest = min(1.0, (progress - UNLISTED_PHASE) / GROWTH_PHASE)
            listing, is_shipped = True, rng.random() < SHIPPED_LIST_SHARE * longest
            tools = shipped_list() if is_shipped else random_list(rng, longest)
        group = _training_group(rng, generator, tools, is_shipped, progress < DESCRIBED_PHASE and listing)
        made += len(group.examples)
        yield Group(tools, group.examples, listing)


def refresher_groups(seed: int, conversations: int) -> Iterator[Group]:
    """Tool lists of all kinds with conversations behind each, the shipped list behind more of them."""
    rng = Random(f"{seed} refresher")
    generator = Generator(rng, "train")
    made = 0
    while made < conversations:
        is_shipped = rng.random() < REFRESHED_LIST_SHARE
        tools = shipped_list() if is_shipped else random_list(rng)
        yield (group := _training_group(rng, generator, tools, is_shipped, False))
        made += len(group.examples)


def _training_group(
    rng: Random, generator: Generator, tools: ToolList, is_shipped: bool, with_described: bool
) -> Group:
    listed = listed_templates(tools)
    generator.unlisted_share = UNLISTED_SHARE if is_shipped else MISSING_SHARE
    generator.strange_share = STRANGE_SHARE if is_shipped else MISSING_STRANGE_SHARE
    examples: list[Example] = []
    while len(examples) < max(8, len(tools.tools) * 3 // 2):
        request = generator.request(listed)
        turns = [request.turn(tools)]
        if request.reply is not None and turns[0].answer != REFUSAL:
            turns.append(request.reply.turn(tools))
        if examples and rng.random() < OLD_TURN_SHARE:
            turns = [*examples[-1][-1:], *turns]  # an earlier, unrelated turn must not change the answer
        examples.append(tuple(turns))
    if with_described and not is_shipped:
        examples += _described(rng, tools, round(DESCRIBED_SHARE * len(examples)))
    return Group(tools, tuple(examples))


def _described(rng: Random, tools: ToolList, count: int) -> list[Example]:
    """Requests that repeat a tool's description, answered by a call without arguments: where a list has the name for
    it, or that it has none, without having to know what anything means.
    """
    examples: list[Example] = []
    for _ in range(count):
        tool = rng.choice([each.tool for each in tools.tools.values()] if rng.random() < DESCRIBED_LISTED else TOOLS)
        listed = tools.tools.get(tool.name)
        text = tool.description if listed is None else listed.description
        examples.append((Request(text, ((tool.name, {}),), None, frozenset((tool.name,))).turn(tools),))
    return examples
