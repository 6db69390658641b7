"""A short run of both state machines; tests/campaigns/memory_machines.py is the long one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test  # pyright: ignore[reportUnknownVariableType]

from tests.engine.machines import BlockMachine, EngineMachine

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
    run_state_machine_as_test(Counted, settings=short)
    assert Counted.num_compared > 0
    assert Counted.num_adapted > 0
    assert Counted.num_preempted > 0
    assert (Counted.num_swapped > 0) == swaps
    assert Counted.num_restored > 0 or not swaps
