"""What the bundled model is trained on is what the assistant offers, sends and understands."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from apps.assistant_model.chat_template import CHAT_TEMPLATE
from apps.assistant_model.courses import CONTINUED, NEW_EMPHASIS, TRAIN_SEED, training_groups
from apps.assistant_model.data import TEMPLATES, Group, evaluation_groups, slot_makers
from apps.assistant_model.templates import Call, Template, join, say
from apps.assistant_model.tool_list import assistant_list
from apps.assistant_model.tools import MORE_TOOLS, OFFERED
from apps.assistant_model.values import Draw
from edge.assistant import Assistant, ToolFailure
from edge.assistant.schema_check import problem_of
from edge.assistant.tool import Tool
from edge.templates import ChatTemplate
from tests.apps.assistant.scripted import ScriptedModel, in_turn

NEW = frozenset(tool.name for tool in MORE_TOOLS)
LEAST_WORDINGS = 25  # trained, of every tool


@pytest.fixture
def assistant(make: Callable[..., Assistant]) -> Assistant:
    model = ScriptedModel(in_turn("Goodbye.", "Goodbye."))
    model.tool_format = "assistant"
    return make(model)


def sent(assistant: Assistant) -> str:
    """The prompt of the last request, as the model's template writes it."""
    assert isinstance(assistant.model, ScriptedModel)
    seen = assistant.model.seen[-1]
    return ChatTemplate(CHAT_TEMPLATE).render(
        [dict(message) for message in seen.messages], tools=[dict(tool) for tool in seen.tools or ()]
    )


def test_the_prompt_is_the_one_trained_behind(assistant: Assistant) -> None:
    assistant.ask("goodbye")
    assert sent(assistant) == f"<|tools|>\n{assistant_list().text}<|user|>goodbye<|assistant|>"


def test_a_shortened_list_is_a_part_of_it_in_its_order(make: Callable[..., Assistant]) -> None:
    model = ScriptedModel(in_turn("Goodbye."))
    model.tool_format = "assistant"
    assistant = make(model, retrieval="on", shown_tools=6)
    assistant.ask("read the file plan.txt")
    lines = sent(assistant).removeprefix("<|tools|>\n").split("\n")[:-1]
    known = assistant_list().text.split("\n")
    places = [known.index(line) for line in lines]
    assert len(lines) == 6 and places == sorted(places)
    assert "read a file>read_file(path)" in lines


def drawn(templates: list[Template]) -> Iterator[tuple[str, list[Call]]]:
    for template in templates:
        for number, pattern in enumerate(template.train + template.held_out):
            draw = Draw(Random(f"{number} {pattern}"), "train", slot_makers(), cased=number % 2 == 0, invents=True)
            text = join(say(template.replies[0] if template.replies else pattern, draw))
            if template.replies:
                say(pattern, draw)
            yield text, template.calls_for(draw)


def test_what_is_taught_obeys_the_schemas(assistant: Assistant) -> None:
    checked = 0
    for text, calls in drawn([template for template in TEMPLATES if template.needs & NEW]):
        for name, arguments in calls:
            problem = problem_of(arguments, assistant.tools[name].parameters)
            assert problem is None, (text, name, arguments, problem)
            checked += 1
    assert checked > 800


def runs(tool: Tool, arguments: dict[str, Any]) -> str | None:
    """None when the tool understands its arguments; the failure otherwise."""
    with contextlib.suppress(ToolFailure):
        tool.run(arguments)
        return None
    return f"{tool.name} {arguments}"


@pytest.mark.parametrize("name", ["count_days", "add_to_day", "get_weekday", "write_file", "get_home"])
def test_the_tools_understand_what_is_taught(assistant: Assistant, name: str) -> None:
    tool = assistant.tools[name]
    given = [arguments for _, calls in drawn([t for t in TEMPLATES if name in t.needs]) for _, arguments in calls]
    if name == "write_file":
        given = [arguments | {"replace": True} for arguments in given]
    if name == "get_home":
        given = [arguments for arguments in given if "room" not in arguments]  # rooms are made up
    assert len(given) > 20
    assert [failed for arguments in given if (failed := runs(tool, dict(arguments)))] == []


def test_every_tool_has_many_wordings() -> None:
    for tool in OFFERED:
        patterns = [pattern for template in TEMPLATES if tool.name in template.needs for pattern in template.train]
        assert len(set(patterns)) >= LEAST_WORDINGS, tool.name


def called(groups: list[Group]) -> set[str]:
    """By their own names, behind lists that do not rename them."""
    answers = [example[-1].answer for group in groups for example in group.examples]
    return {call["name"] for answer in answers if answer.startswith("[") for call in json.loads(answer)}


def test_every_new_tool_is_trained_and_tested() -> None:
    assert NEW <= called(list(training_groups(TRAIN_SEED, 3000, CONTINUED, NEW_EMPHASIS)))
    assert NEW <= called(evaluation_groups("assistant", 1000))
    assert not NEW & called(evaluation_groups("new_templates", 1000))
