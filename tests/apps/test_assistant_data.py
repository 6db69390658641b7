"""The generator: reproducible, its splits apart by construction, its answers well formed."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from apps.assistant_model import spoken
from apps.assistant_model.data import EVAL_SEED, TEMPLATES, TRAIN_EXAMPLES, TRAIN_SEED, Example, Kind, make_examples
from apps.assistant_model.scoring import same_answer
from apps.assistant_model.templates import say
from apps.assistant_model.values import OPEN, Draw, is_held_out

ROOT = Path(__file__).parents[2]
PRINT_DIGEST = """
import hashlib
from apps.assistant_model.data import make_examples
print(hashlib.sha256(repr(make_examples(5, "train", 300)).encode()).hexdigest())
"""


def requests(examples: list[Example]) -> set[str]:
    return {turn.request.lower().rstrip(".!?") for example in examples for turn in example}


def test_the_same_seed_gives_the_same_data_in_another_process() -> None:
    here = hashlib.sha256(repr(make_examples(5, "train", 300)).encode()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", PRINT_DIGEST], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == here, run.stderr
    assert make_examples(6, "train", 300) != make_examples(5, "train", 300)


def expansions(pattern: str) -> set[str]:
    """Every way to make the choices of a pattern."""
    parts = [part.split("|") if i % 2 else [part] for i, part in enumerate(re.split(r"\(([^()]*)\)", pattern))]
    return {" ".join("".join(choice).split()) for choice in itertools.product(*parts)}


def test_no_held_out_wording_is_trained() -> None:
    trained = {text for template in TEMPLATES for pattern in template.train for text in expansions(pattern)}
    held_out = {text for template in TEMPLATES for pattern in template.held_out for text in expansions(pattern)}
    assert not trained & held_out


def test_every_wording_has_one_meaning() -> None:
    seen: dict[str, int] = {}
    for number, template in enumerate(TEMPLATES):
        for pattern in template.train + template.held_out:
            for text in expansions(pattern):
                shape = re.sub(r"\d+}", "}", text)
                assert seen.setdefault(shape, number) == number, f"{shape!r} has two meanings"


def test_training_never_draws_a_held_out_value() -> None:
    for kind in (*OPEN, "todo", "fact"):
        for i in range(300):
            draw = Draw(Random(i), "train")
            draw.slot(kind)
            value = draw.values[kind]
            assert isinstance(value, str)
            assert not is_held_out(value), f"{kind}: {value}"
    for i in range(300):
        value = spoken.time_of_day(Random(i), lambda text: not is_held_out(text))[1]
        assert not is_held_out(f"time {value}") or value in ("12:00", "00:00")


def test_evaluation_requests_are_not_in_the_training_data() -> None:
    trained = requests(make_examples(TRAIN_SEED, "train", TRAIN_EXAMPLES))
    for kind in ("new_values", "new_templates"):
        held_out = make_examples(EVAL_SEED, kind, 1000)
        assert len(requests(held_out)) == 1000
        assert not requests(held_out) & trained


@pytest.mark.parametrize("kind", ["train", "new_values", "new_templates"])
def test_answers_are_calls_or_sentences(kind: Kind) -> None:
    tools = {template.tool for template in TEMPLATES}
    replies = {template.reply for template in TEMPLATES}
    calls = 0
    for example in make_examples(3, kind, 500):
        answer = example[-1].answer
        assert example[-1].request.strip() == example[-1].request
        if not answer.startswith("["):
            assert answer in replies
            continue
        for call in json.loads(answer):
            calls += 1
            assert list(call) == ["name", "arguments"]
            assert call["name"] in tools
    assert calls > 300


def test_every_template_can_be_said_and_answered() -> None:
    for template in TEMPLATES:
        for pattern in template.train + template.held_out:
            for seed in range(3):
                draw = Draw(Random(seed), "train")
                request = say(pattern, draw)
                assert request and not set("{}()|$") & set(request)
                assert template.answer(draw)


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [(7, 0, {"seven", "7", "seven o'clock", "7 o'clock", "7:00"}), (6, 50, {"ten to seven", "6:50", "six fifty"})],
)
def test_clock_times_are_said_as_people_do(hour: int, minute: int, said: set[str]) -> None:
    def only(value: str) -> bool:
        return value == f"time {hour:02d}:{minute:02d}"

    plain = {spoken.time_of_day(Random(seed), only) for seed in range(60)}
    phrases = {phrase for phrase, value in plain if value == f"{hour:02d}:{minute:02d}"}
    assert said & phrases
    assert {value for _, value in plain} <= {f"{hour:02d}:{minute:02d}", "12:00", "00:00"}


def test_number_words() -> None:
    assert [spoken.number_words(n) for n in (0, 19, 20, 42, 100, 305)] == [
        "zero", "nineteen", "twenty", "forty two", "a hundred", "three hundred and five",
    ]  # fmt: skip


def test_answers_compare_after_json_normalisation() -> None:
    wanted = '[{"name":"set_timer","arguments":{"minutes":1,"seconds":30}}]'
    assert same_answer(wanted, '[ {"arguments": {"seconds": 30, "minutes": 1}, "name": "set_timer"} ]')
    assert not same_answer(wanted, '[{"name":"set_timer","arguments":{"minutes":1,"seconds":31}}]')
    assert not same_answer(wanted, '[{"name":"set_timer","arguments":{"minutes":1')
    assert same_answer("Goodbye.", "Goodbye.\n")
    assert not same_answer("Goodbye.", wanted)
