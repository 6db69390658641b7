"""What the bundled model says, as fixed text: the same on every machine, level and number of threads.

A change of these texts without a new model file is a bug. After a new model: `python tests/test_golden.py` prints them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import edge
from edge.native import isa_supported
from edge.references import resolve

MODEL_SHA256 = "013729e857c01b7d68e84f866cfce93a48297d9b3ef26b7d718d27cf0fd0bd47"

CHAT = {
    "turn on the kitchen light": '[{"name":"set_light","arguments":{"room":"kitchen","state":"on"}}]',
    "set an alarm for half past six": '[{"name":"set_alarm","arguments":{"time":"06:30"}}]',
    "make it 21 degrees in the bedroom": '[{"name":"set_heating","arguments":{"room":"bedroom","temperature":21}}]',
    "hello": "Hello! What can I do for you?",
}

SAMPLED_PROMPT = "please remind me to"
SAMPLED: list[tuple[dict[str, Any], str]] = [
    (
        {"temperature": 1.5},
        '"}},{"should welcome remind you of?What remind What should I remind you of?What should I remind you of?for',
    ),
    (
        {
            "temperature": 0.9,
            "top_k": 20,
            "top_p": 0.9,
            "min_p": 0.02,
            "repetition_penalty": 1.1,
            "presence_penalty": 0.3,
        },
        "WhatWhatshould I remind you of?What should I remind you of?What should I remind you of?of?What ",
    ),
]


def test_the_texts_belong_to_this_model() -> None:
    assert hashlib.sha256(resolve(None).read_bytes()).hexdigest() == MODEL_SHA256


@pytest.mark.parametrize("isa", isa_supported())
@pytest.mark.parametrize("threads", [1, 2])
def test_greedy(isa: str, threads: int) -> None:
    with edge.load(isa=isa, threads=threads) as model:
        for question, answer in CHAT.items():
            completion = model.chat(question, max_tokens=80)
            assert completion.text == answer
            assert completion.finish_reason == "stop"


@pytest.mark.parametrize("isa", isa_supported())
def test_sampled(isa: str) -> None:
    with edge.load(isa=isa, chunk=3) as model:
        for options, text in SAMPLED:
            assert model.generate(SAMPLED_PROMPT, seed=7, max_tokens=40, **options).text == text


def test_all_at_once() -> None:
    """Batched with others, everybody's answer is the golden one."""
    with edge.load(sequences=len(CHAT)) as model:
        streams = {question: model.stream_chat(question, max_tokens=80) for question in CHAT}
        assert {question: stream.completion().text for question, stream in streams.items()} == CHAT


def _print_texts() -> None:
    print(hashlib.sha256(resolve(None).read_bytes()).hexdigest())
    with edge.load() as model:
        for question in CHAT:
            print(repr(question), repr(model.chat(question, max_tokens=80).text))
        for options, _ in SAMPLED:
            print(options, repr(model.generate(SAMPLED_PROMPT, seed=7, max_tokens=40, **options).text))


if __name__ == "__main__":
    _print_texts()
