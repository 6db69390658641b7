"""A constrained answer is the same alone, beside others, forked, set aside, and with forced tokens one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import edge
from tests.grammar.schemas import schemas
from tests.grammar.validator import problem

SCHEMAS = schemas()
NAMES = ("person", "invoice", "tool call", "tree", "array of tagged", "3 of 8 required", "allOf strings", "list")
FORMS: list[dict[str, Any]] = [
    *({"schema": SCHEMAS[name]} for name in NAMES if name in SCHEMAS),
    {"regex": "[a-f]{20}-[0-9]{5}"},
    {"grammar": 'start: "{" item ("," item)* "}"\nitem: /[a-z]{1,9}/ "=" /[0-9]+/'},
    {},
    {},
]


def _options(index: int) -> dict[str, Any]:
    return {"max_tokens": 150, "temperature": 1.0, "seed": index, **FORMS[index % len(FORMS)]}


def _prompt(index: int) -> str:
    return f"Request {index}: " + "fill in the form. " * (index % 4)


@pytest.fixture(scope="module")
def alone(random_weights: edge.Model) -> list[edge.Completion]:
    return [random_weights.generate(_prompt(i), **_options(i)) for i in range(len(FORMS))]


def test_a_batch_of_constrained_and_free_answers(long_model: Path, alone: list[edge.Completion]) -> None:
    with edge.load(long_model, context=1024, sequences=len(FORMS), schedule="throughput") as model:
        streams = [model.stream(_prompt(i), **_options(i)) for i in range(len(FORMS))]
        for stream in streams[::2]:  # some are further on than others
            next(stream)
        answers = [stream.completion() for stream in streams]
    assert [(a.tokens, a.finish_reason) for a in answers] == [(a.tokens, a.finish_reason) for a in alone]


def test_set_aside_and_computed_again(long_model: Path, alone: list[edge.Completion]) -> None:
    with edge.load(long_model, context=256, sequences=6, kv_tokens=448, schedule="throughput") as model:
        streams = [model.stream(_prompt(i), **_options(i)) for i in range(len(FORMS))]
        answers = [stream.completion() for stream in streams]
        assert model.stats.preemptions > 0
    assert [(a.tokens, a.finish_reason) for a in answers] == [(a.tokens, a.finish_reason) for a in alone]


def test_forced_tokens_at_once_or_one_by_one(bundled: edge.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's own switch is the only difference: the same tokens, the same text, fewer steps."""
    engine = bundled._engine  # pyright: ignore[reportPrivateUsage]
    step, fast, steps = engine.step, False, [0, 0]

    def counted() -> bool:
        steps[fast] += 1
        return step()

    monkeypatch.setattr(engine, "step", counted)
    for index, name in enumerate([*NAMES[:5], "objects 7 deep", "enum of texts", "8 of 8 required"]):
        options: dict[str, Any] = {"schema": SCHEMAS[name], "max_tokens": 120, "temperature": 0.8, "seed": index}
        answers: list[edge.Completion] = []
        for fast in (False, True):
            monkeypatch.setattr(engine, "_fast_forward", fast)
            answers.append(bundled.chat("Fill in the form.", **options))
        slow, quick = answers
        assert (slow.tokens, slow.text, slow.finish_reason) == (quick.tokens, quick.text, quick.finish_reason)
        assert slow.usage.completion_tokens == quick.usage.completion_tokens == len(quick.tokens)
    assert steps[True] < 0.8 * steps[False]


def test_forks_go_on_in_their_own_grammar_state(long_model: Path) -> None:
    schema = SCHEMAS["invoice"]
    with edge.load(long_model, context=1024, sequences=4) as model:
        options: dict[str, Any] = {"schema": schema, "max_tokens": 400}
        whole = model.generate("x", temperature=0.0, **options)
        first = model.stream("x", temperature=0.0, **options)
        for _ in range(25):
            next(first)
        copies = [first.fork(), first.fork(restart=True)]
        assert [fork.completion().tokens for fork in [*copies, first]] == [whole.tokens] * 3
        again = first.fork(restart=True)  # of an answer that has ended
        assert again.completion().tokens == whole.tokens
        hot = model.stream("x", temperature=1.0, seed=3, **options)
        for _ in range(40):
            next(hot)
        forks = [hot.fork(), hot.fork(restart=True), hot.fork()]
        answers = [stream.completion() for stream in [hot, *forks]]
    assert len({answer.text for answer in answers}) == len(answers)
    for answer in answers:
        assert answer.finish_reason == "length" or problem(answer.text, schema) is None
    assert any(answer.finish_reason == "stop" for answer in answers)


def test_forks_of_an_answer_whose_last_token_was_forced_already(bundled: edge.Model) -> None:
    with bundled.stream("x", regex="(yes|no), and that is all there is to say", max_tokens=60) as first:
        next(first)
        assert len(first.context_tokens) > 8  # the rest was taken at once
        fork, again = first.fork(), first.fork(restart=True)
        text = first.completion().text
        assert fork.completion().text == again.completion().text == text
        assert text.endswith(", and that is all there is to say")


def test_sessions_take_constrained_answers(bundled: edge.Model, tmp_path: Path) -> None:
    with bundled.session(tmp_path / "s.session") as session:
        first = session.chat("A colour?", schema={"enum": ["red", "green"]})
        second = session.chat("Another?", schema={"enum": ["blue"]})
    assert [m["content"] for m in session.messages if m["role"] == "assistant"] == [first.text, second.text]
    assert second.text == '"blue"'
