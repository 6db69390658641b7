"""What may be asked for, and what a model of some length has room for."""

from __future__ import annotations

from typing import Any

import pytest

from edge.bench import BenchOptions
from edge.errors import RequestError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": (-1,)}, "prompt is -1; it must be a whole number from 0 to 1048576"),
        ({"decode": (5, 2**21)}, "decode is 2097152"),
        ({"depth": (-5,)}, "depth is -5"),
        ({"threads": (0,)}, "threads is 0; it must be a whole number from 1 to 256"),
        ({"batch": (0,)}, "batch is 0; it must be a whole number from 1 to 256"),
        ({"rounds": 0}, "rounds is 0; it must be a whole number from 1 to 1000"),
        ({"prompt": (0,), "decode": (0,)}, "nothing to measure"),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        BenchOptions(**options)


def test_zero_leaves_a_phase_out() -> None:
    options = BenchOptions(prompt=(0,), decode=(8, 8, 4))
    assert options.prompts == ()
    assert options.decodes == (8, 4)
    assert BenchOptions(prompt=(0,), decode=(0,), batch=(2,)).batches == (1, 2)


def test_a_step_of_one_is_measured_beside_the_others() -> None:
    assert BenchOptions(batch=(8, 4, 8)).batches == (1, 8, 4)
    assert BenchOptions().batches == ()


def test_the_default_depth_that_the_model_has_no_room_for_is_left_out() -> None:
    options = BenchOptions()
    assert options.depths(1024 + 512) == (0, 1024)
    assert options.depths(1024 + 511) == (0,)


def test_a_depth_that_was_asked_for_must_fit() -> None:
    options = BenchOptions(prompt=(100,), decode=(10,), depth=(40, 0, 40))
    assert options.depths(140) == (0, 40)
    message = "100 tokens behind a depth of 40 make 140; the model was made for 139"
    with pytest.raises(RequestError, match=message):
        options.depths(139)
    with pytest.raises(RequestError, match="512 tokens behind a depth of 0"):
        BenchOptions().depths(256)
