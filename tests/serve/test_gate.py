"""How many may come in, and what the others are told."""

from __future__ import annotations

import pytest

from edge.serve.api_error import ApiError
from edge.serve.gate import Gate


def test_the_queue_is_full_and_then_not() -> None:
    gate = Gate(2, 3)
    gate.enter(4)
    gate.enter(1)
    with pytest.raises(ApiError) as info:
        gate.enter(1)
    assert info.value.status == 429 and int(info.value.headers["retry-after"]) >= 1
    assert (gate.inside, gate.num_refused) == (5, 1)
    gate.leave(1, 0.5)
    gate.enter(1)


def test_what_never_fits_is_not_told_to_come_again() -> None:
    with pytest.raises(ApiError) as info:
        Gate(2, 3).enter(6)
    assert info.value.status == 400 and info.value.param == "n"


def test_slow_answers_make_others_wait_longer() -> None:
    def told(seconds: float) -> int:
        gate = Gate(1, 1)
        for _ in range(50):
            gate.enter(1)
            gate.leave(1, seconds)
        gate.enter(2)
        with pytest.raises(ApiError) as info:
            gate.enter(1)
        return int(info.value.headers["retry-after"])

    assert told(0.01) == 1 < told(20.0) <= 60
    assert told(10000.0) == 60
