"""The generator: reproducible, its splits apart by construction, its answers well formed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from apps.assistant_model import spoken_numbers, spoken_times
from apps.assistant_model.courses import TRAIN_SEED, training_groups
from apps.assistant_model.data import (
    KINDS,
    TEMPLATES,
    EvalKind,
    Group,
    evaluation_groups,
    hand_written,
    slot_makers,
    words_of,
)
from apps.assistant_model.scoring import same_answer
from apps.assistant_model.template_chains import CHAINS
from apps.assistant_model.template_extra import EXTRA_TOOLS
from apps.assistant_model.templates import Call, join, say
from apps.assistant_model.tool_list import ToolList, random_list, renamed_list
from apps.assistant_model.tools import OFFERED, QUESTIONS, REFUSAL, TALK, TOOLS
from apps.assistant_model.values import Draw, Value, is_held_out
from apps.assistant_model.words import OPEN

ROOT = Path(__file__).parents[2]
SAMPLE = 20_000  # conversations of the training data that a test run looks at
SENTENCES = {REFUSAL, *QUESTIONS.values(), *TALK.values()}
ALL_TOOLS = {tool.name: tool for tool in (*OFFERED, *EXTRA_TOOLS)}
PRINT_DIGEST = """
import hashlib
from apps.assistant_model.courses import training_groups
print(hashlib.sha256(repr([group.examples for group in training_groups(5, 600)]).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def trained() -> list[Group]:
    return list(training_groups(TRAIN_SEED, SAMPLE))


def test_the_same_seed_gives_the_same_data_in_another_process() -> None:
    here = hashlib.sha256(repr([group.examples for group in training_groups(5, 600)]).encode()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", PRINT_DIGEST], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == here, run.stderr
    assert next(training_groups(6, 600)).examples != next(training_groups(5, 600)).examples


def sayings(patterns: tuple[str, ...], times: int) -> list[tuple[str, Draw]]:
    """Each pattern said `times` times, with the draw that filled it."""
    found: list[tuple[str, Draw]] = []
    for number, pattern in enumerate(patterns):
        for seed in range(times):
            draw = Draw(Random(f"{number} {seed}"), "train", slot_makers())
            found.append((join(say(pattern, draw)), draw))
    return found


def test_every_template_can_be_said_and_answered() -> None:
    for template in (*TEMPLATES, *CHAINS):
        for text, draw in sayings(template.train + template.held_out, 3):
            assert text and not set("{}()|$<>") & set(text), text
            if template.sentence is None:
                check_calls(template.calls_for(draw))
        for text, draw in sayings(template.replies, 3):
            assert text and not set("{}()|$<>") & set(text), text
            say(template.train[0], draw)
            check_calls(template.calls_for(draw))


def check_calls(calls: list[Call]) -> None:
    for name, arguments in calls:
        types = {argument.name: argument.type for argument in ALL_TOOLS[name].arguments}
        assert set(arguments) <= set(types), (name, arguments)
        for key, value in arguments.items():
            assert is_of_type(value, types[key]), (name, key, value)


def is_of_type(value: Value, kind: str) -> bool:
    if kind == "array":
        return isinstance(value, list) and bool(value) and all(value)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        return isinstance(value, int) or (kind == "number" and isinstance(value, float))
    return isinstance(value, str) and bool(value)


def test_no_wording_is_in_both_splits_or_has_two_meanings() -> None:
    seen: dict[str, tuple[bool, str]] = {}
    for template in TEMPLATES:
        for held_out, patterns in ((False, template.train), (True, template.held_out)):
            for text, draw in sayings(patterns, 3):
                answer = template.sentence or repr(template.calls_for(draw))
                assert seen.setdefault(text, (held_out, answer)) == (held_out, answer), text


def test_a_kept_result_is_that_of_the_call_before() -> None:
    for template in CHAINS:
        for before in (0, 1):
            _, draw = sayings(template.train[:1], 1)[0]
            asked, kept = template.calls_for(draw, before)
            assert kept[1]["text"] == f"${before + 1}.text" and "$" not in str(asked)


def test_requests_of_three_results_kept_and_sums_with_nothing_are_trained(trained: list[Group]) -> None:
    answers = [example[-1].answer for group in trained for example in group.examples]
    wanted: list[list[dict[str, Any]]] = [json.loads(answer) for answer in answers if answer.startswith("[")]
    assert sum(len(calls) >= 3 for calls in wanted) > 0.04 * len(answers)
    referred = [calls for calls in wanted if "$" in str(calls)]
    assert len(referred) > 0.005 * len(answers)
    for calls in referred:
        used = [int(text[1]) for call in calls for text in call["arguments"].values() if str(text).startswith("$")]
        assert used == [len(calls) - 1], calls  # what is kept is the result before it, at the end
    sums = [text for calls in wanted for call in calls for text in call["arguments"].values()]
    assert len({text for text in sums if re.fullmatch(r"0[-+*/]\d+|\d+[-+*/]0", str(text))}) > 20


def test_training_never_draws_a_held_out_value() -> None:
    for kind in (*OPEN, "todo", "fact"):
        for seed in range(200):
            draw = Draw(Random(seed), "train", slot_makers(), cased=seed % 2 == 0, invents=True)
            draw.slot(kind)
            value = draw.values[kind]
            assert isinstance(value, str)
            assert not is_held_out(value), f"{kind}: {value}"
    for seed in range(300):
        value = spoken_times.time_of_day(Random(seed), lambda text: not is_held_out(text))[1]
        assert not is_held_out(f"time {value}") or value in ("12:00", "00:00")


def test_evaluation_requests_are_not_in_the_training_data(trained: list[Group]) -> None:
    known = {words_of(turn.request) for group in trained for example in group.examples for turn in example}
    for kind in ("new_values", "new_templates"):
        examples = [example for group in evaluation_groups(kind, 1000) for example in group.examples]
        assert len({words_of(example[-1].request) for example in examples}) == 1000
        assert not {words_of(example[-1].request) for example in examples} & known


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_answers_are_calls_of_listed_tools_or_sentences(kind: EvalKind | None, trained: list[Group]) -> None:
    calls = refusals = 0
    for group in trained[:400] if kind is None else evaluation_groups(kind, 400):
        listed = {tool.name: tool for tool in group.tools.tools.values()}
        for turn in (turn for example in group.examples for turn in example):
            refusals += turn.answer == REFUSAL
            if not turn.answer.startswith("["):
                assert turn.answer in SENTENCES
                continue
            for call in json.loads(turn.answer):
                calls += 1
                assert list(call) == ["name", "arguments"]
                tool = listed[call["name"]]
                types = {tool.arguments[argument.name][0]: argument.type for argument in tool.tool.arguments}
                assert all(is_of_type(value, types[key]) for key, value in call["arguments"].items()), turn
    assert calls > 100 and refusals > 10


def names(tools: ToolList) -> set[str]:
    found = {tool.name for tool in tools.tools.values()}
    return found | {name for tool in tools.tools.values() for name, _ in tool.arguments.values()}


def test_names_of_the_renamed_lists_are_never_trained_on(trained: list[Group]) -> None:
    own = {tool.name for tool in ALL_TOOLS.values()} | {a.name for tool in ALL_TOOLS.values() for a in tool.arguments}
    known = set(own)
    for group in trained:
        known |= names(group.tools)
    for seed in range(200):
        tools = renamed_list(Random(seed))
        assert len(tools.tools) == round(len(TOOLS) * 2 / 3)
        assert not names(tools) & known
        assert not any(is_held_out(name) for name in names(random_list(Random(seed))) - own)


def test_a_request_for_a_removed_tool_is_refused() -> None:
    shipped = evaluation_groups("new_templates", 400)
    requests = {example[-1].request: example[-1].answer for group in shipped for example in group.examples}
    refused = 0
    for group in evaluation_groups("renamed", 400):
        for example in group.examples:
            before = requests[example[-1].request]
            needed = {call["name"] for call in json.loads(before)} if before.startswith("[") else set[str]()
            if not needed <= group.tools.tools.keys():
                assert example[-1].answer == REFUSAL
                refused += 1
    assert refused > 60


def test_the_hand_written_requests_are_never_trained_on(trained: list[Group]) -> None:
    """Nothing reads them into training; a short one may still be said by chance, as by anybody."""
    known = {words_of(turn.request) for group in trained for example in group.examples for turn in example}
    common = [example[-1].request for example in hand_written() if words_of(example[-1].request) in known]
    assert len(common) <= 10, common


def test_number_words() -> None:
    assert [spoken_numbers.number_words(n) for n in (0, 19, 20, 42, 100, 305)] == [
        "zero", "nineteen", "twenty", "forty two", "a hundred", "three hundred and five",
    ]  # fmt: skip


def test_answers_compare_after_json_normalisation() -> None:
    wanted = '[{"name":"set_volume","arguments":{"level":1,"change":30}}]'
    assert same_answer(wanted, '[ {"arguments": {"change": 30, "level": 1}, "name": "set_volume"} ]')
    assert not same_answer(wanted, '[{"name":"set_volume","arguments":{"level":1,"change":31}}]')
    assert not same_answer(wanted, '[{"name":"set_volume","arguments":{"level":1')
    assert same_answer("Goodbye.", "Goodbye.\n")
    assert not same_answer("Goodbye.", wanted)
