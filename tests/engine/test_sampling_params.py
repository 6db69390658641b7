"""Every parameter out of range is refused by name, value and limit."""

from __future__ import annotations

import math
from typing import Any

import pytest

import edge
from edge.engine import SamplingParams


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", 2.0),
        ("max_tokens", True),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "hot"),
        ("top_k", -1),
        ("top_k", 2**31),
        ("top_k", 1.5),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("min_p", -0.5),
        ("min_p", 1.0),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", math.inf),
        ("presence_penalty", 2.5),
        ("presence_penalty", -2.5),
        ("seed", -1),
        ("seed", 2**64),
        ("logit_bias", {-1: 0.5}),
        ("logit_bias", {3: math.nan}),
        ("logit_bias", {3: math.inf}),
        ("logit_bias", {3: "much"}),
        ("stop", [""]),
        ("stop", ["a", ""]),
        ("stop", [3]),
    ],
)
def test_out_of_range(field: str, value: Any) -> None:
    with pytest.raises(edge.RequestError, match=f"^{field}"):
        SamplingParams(**{field: value})


def test_defaults_are_greedy_and_need_no_history() -> None:
    params = SamplingParams()
    assert params.temperature == 0.0
    assert not params.needs_history
    assert SamplingParams(repetition_penalty=1.1).needs_history
    assert SamplingParams(presence_penalty=-0.5).needs_history


def test_extremes_that_are_allowed() -> None:
    SamplingParams(max_tokens=1, temperature=0, top_k=0, top_p=1, min_p=0, repetition_penalty=0.01, presence_penalty=-2)
    SamplingParams(seed=2**64 - 1, logit_bias={0: -math.inf})


def test_one_stop_string_may_be_given_as_text() -> None:
    assert SamplingParams(stop="END").stop_strings == ("END",)
    assert SamplingParams(stop=["a", "b"]).stop_strings == ("a", "b")


def test_a_request_does_not_change_with_the_callers_dict() -> None:
    bias = {1: 1.0}
    params = SamplingParams(logit_bias=bias)
    bias[2] = 5.0
    assert dict(params.logit_bias) == {1: 1.0}
