"""The curve of step costs: what it says between and beyond what was measured, and that it finds the border."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from edge.engine.step_cost import DOUBT_AFTER, RECENT, StepCost

MACHINES: dict[str, Callable[[int], float]] = {
    "bound by memory up to 20 tokens": lambda n: max(0.03, 0.0015 * n),
    "small steps dear": lambda n: 0.028 * (1 + 0.26 * (n - 1)) if n <= 8 else 0.0084 * n + 0.02,
    "linear": lambda n: 0.01 + 0.001 * n,
    "nearly flat": lambda n: 0.02 + 0.00001 * n,
}


def test_nothing_is_known_at_first() -> None:
    cost = StepCost({})
    assert cost.seconds(1) is None
    assert cost.tokens_within(1e9, 64) == 0
    assert cost.tokens_per_second(64) is None
    assert not cost.measured_up_to(64)


def test_one_step_is_extended_by_the_profiles_shape() -> None:
    cost = StepCost({1: 5.0, 9: 5.0, 41: 25.0})
    cost.observe(1, 0.1)
    assert [cost.seconds(n) for n in (1, 9, 25, 41)] == pytest.approx([0.1, 0.1, 0.3, 0.5])
    assert cost.seconds(73) == pytest.approx(0.9)  # as steep as the shape's last piece
    assert cost.measured_up_to(1)


def test_measured_steps_overrule_the_shape() -> None:
    cost = StepCost({1: 1.0, 11: 2.0})
    cost.observe(1, 0.1)
    cost.observe(11, 0.8)
    assert cost.seconds(1) == pytest.approx(0.1)
    assert cost.seconds(11) == pytest.approx(0.8)
    assert 0.1 < (cost.seconds(6) or 0) < 0.8


def test_one_slow_step_says_nothing() -> None:
    cost = StepCost({})
    for _ in range(RECENT):
        cost.observe(1, 0.1)
    cost.observe(1, 9.0)
    assert cost.seconds(1) == pytest.approx(0.1)


def test_a_clock_that_stands_still_is_borne() -> None:
    cost = StepCost({})
    cost.observe(1, 0.0)
    assert cost.tokens_within(0.1, 64) == 64


@pytest.mark.parametrize("machine", MACHINES, ids=lambda name: name.replace(" ", "-"))
@pytest.mark.parametrize("prior", [{}, {1: 2.0, 8: 2.1, 32: 4.0, 128: 15.0}], ids=["plain", "profile"])
def test_finds_the_longest_step_within_a_time(machine: str, prior: dict[int, float]) -> None:
    """By what its own choices took. At most a step in 50 is too long by more than the border's own width."""
    true, limit = MACHINES[machine], 2 * MACHINES[machine](1)
    best = max(n for n in range(1, 257) if true(n) <= limit)
    cost = StepCost(prior)
    cost.observe(1, true(1))
    chosen: list[int] = []
    for _ in range(400):
        chosen.append(cost.tokens_within(limit, 256))
        cost.observe(chosen[-1], true(chosen[-1]))
    settled = sorted(chosen[20:])
    assert 0.8 * best <= settled[len(settled) // 2] <= best
    assert sum(true(n) > limit for n in settled) <= len(settled) // 50


def test_follows_a_machine_that_became_slower_and_faster() -> None:
    cost, size = StepCost({}), 1
    cost.observe(1, 0.02)
    sizes: dict[float, int] = {}
    for factor in (1.0, 3.0, 1.0001):
        for _ in range(3 * DOUBT_AFTER):
            size = cost.tokens_within(0.1, 256)
            cost.observe(size, factor * (0.01 + 0.001 * size))
        sizes[factor] = size
    assert 70 <= sizes[1.0] <= 90
    assert 18 <= sizes[3.0] <= 23
    assert 70 <= sizes[1.0001] <= 90


def test_what_it_compares_with_is_not_forgotten() -> None:
    cost = StepCost({})
    cost.observe(1, 1.0)
    cost.observe(5, 5.0)
    for _ in range(2 * DOUBT_AFTER):
        assert cost.tokens_within(0.1, 64) == 0
    assert cost.seconds(1) == pytest.approx(1.0)
    assert cost.seconds(5) == pytest.approx(2.0)  # by the shape: the measured step is forgotten


def test_does_not_grow() -> None:
    cost, rng = StepCost({}), random.Random(1)
    for _ in range(3000):
        cost.observe(rng.randint(1, 4096), rng.random())
    assert len(cost._measured) == len(cost._ratios) <= 16 + 4 * 8 + 1  # pyright: ignore[reportPrivateUsage]
    assert cost._ratios == sorted(cost._ratios)  # pyright: ignore[reportPrivateUsage]
