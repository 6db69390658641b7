"""A short run of both state machines; tests/campaigns/memory_machines.py is the long one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test  # pyright: ignore[reportUnknownVariableType]

from tests.engine.machines import BlockMachine, EngineMachine

RUNS = 4  # at most: what happens is drawn by chance, and one run in a hundred restores nothing
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much)  # a machine at work for others is no reason to fail


def test_block_manager() -> None:
    short = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=SLOW)
    run_state_machine_as_test(BlockMachine, settings=short)


@pytest.mark.parametrize("swaps", [True, False])
def test_engine(swaps: bool) -> None:
    class Counted(EngineMachine):
        """With counters of its own."""

        disk_is_faster = keeps_all = swaps

    short = settings(max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=SLOW)
    counts = list[int]()
    for _ in range(RUNS):
        run_state_machine_as_test(Counted, settings=short)
        counts = [Counted.num_compared, Counted.num_adapted, Counted.num_preempted]
        counts += [Counted.num_swapped, Counted.num_restored] if swaps else []
        if all(counts):
            break
    assert all(counts), counts
    assert swaps or Counted.num_swapped == 0
