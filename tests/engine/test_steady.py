"""Steps like the one before do without the scheduler, and change nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.engine import Sequence
from tests.engine.fake import Bench

MakeBench = Callable[..., Bench]
BLOCK = 4


def counted(bench: Bench) -> list[int]:
    """How many steps the scheduler has made, as a list of that length."""
    calls: list[int] = []
    schedule = bench.engine.scheduler.schedule

    def count() -> object:
        calls.append(len(calls))
        return schedule()

    bench.engine.scheduler.schedule = count  # type: ignore[method-assign,assignment]
    return calls


def step(bench: Bench, *, plainly: bool) -> bool:
    """plainly: with the scheduler, whatever the step before was."""
    if plainly:
        bench.engine._steady = None  # pyright: ignore[reportPrivateUsage]
    return bench.engine.step()


def test_the_scheduler_is_asked_for_prompts_and_new_blocks_only(make_bench: MakeBench) -> None:
    bench = make_bench(block_size=BLOCK)
    calls = counted(bench)
    bench.add([1, 2, 3], 12)
    bench.run()
    # the prompt, its next token, positions 4, 8 and 12, and the end
    assert len(bench.backend.batches) == 12
    assert len(calls) <= 6


@pytest.mark.parametrize("window", [0, 6])
def test_a_backend_sees_the_same_batches(make_bench: MakeBench, window: int) -> None:
    seen: list[list[object]] = []
    for plainly in (True, False):
        bench = make_bench(window=window, block_size=BLOCK)
        answers = [bench.add([1, 2, 3], 14), bench.add([9, 8], 5), bench.add(range(11), 9)]
        while step(bench, plainly=plainly):
            bench.check_blocks()
        seen.append([*bench.backend.batches, *(list(answer.output) for answer in answers)])
    assert seen[0] == seen[1]


def add(bench: Bench, first: Sequence) -> list[Sequence]:
    return [bench.add([7, 7, 7], 6)]


def fork(bench: Bench, first: Sequence) -> list[Sequence]:
    return [bench.engine.fork(first, number=5)]


def fork_and_end_it(bench: Bench, first: Sequence) -> list[Sequence]:
    bench.engine.finish(bench.engine.fork(first, number=5), "cancelled")
    return []


def end_one_and_fork(bench: Bench, first: Sequence) -> list[Sequence]:
    """As many run as before, but not the same."""
    bench.engine.finish(first, "stop")
    other = next(sequence for sequence in bench.engine.scheduler.running if sequence is not first)
    return [bench.engine.fork(other, number=6)]


def cancel(bench: Bench, first: Sequence) -> list[Sequence]:
    bench.engine.cancel(first)
    return []


def cancel_within_the_step(bench: Bench, first: Sequence) -> list[Sequence]:
    def now() -> None:
        bench.backend.during_step = None
        bench.engine.cancel(first)

    bench.backend.during_step = now
    return []


def cancel_too_late(bench: Bench, first: Sequence) -> list[Sequence]:
    """The request meant for a step that had just ended."""
    bench.backend.cancel()
    return []


ACTIONS = (add, fork, fork_and_end_it, end_one_and_fork, cancel, cancel_within_the_step, cancel_too_late)


@pytest.mark.parametrize("steps", [5, 6, 7, 8, 9])
@pytest.mark.parametrize("action", ACTIONS)
def test_whatever_comes_between_two_steps(
    make_bench: MakeBench, action: Callable[[Bench, Sequence], list[Sequence]], steps: int
) -> None:
    ends: list[list[tuple[list[int], str | None]]] = []
    for plainly in (True, False):
        bench = make_bench(block_size=BLOCK, max_sequences=3)
        calls = counted(bench)
        sequences = [bench.add([1, 2], 15), bench.add([3, 4, 5], 12)]
        for _ in range(steps):
            step(bench, plainly=plainly)
        assert plainly or len(calls) < steps, "no step was like the one before: nothing is tested"
        sequences += action(bench, sequences[0])
        while step(bench, plainly=plainly):
            bench.check_blocks()
        assert bench.engine.blocks.num_used == 0
        ends.append([(list(item.output), item.finish_reason) for item in sequences])
    assert ends[0] == ends[1]
    assert len(ends[0][1][0]) == 12


def test_a_cancelled_sequence_ends_within_one_step(make_bench: MakeBench) -> None:
    bench = make_bench(block_size=16)
    first, second = bench.add([1, 2], 20), bench.add([3, 4], 20)
    for _ in range(6):
        bench.engine.step()
    bench.engine.cancel(first)
    num_batches = len(bench.backend.batches)
    bench.engine.step()
    assert first.finish_reason == "cancelled" and not first.block_table
    assert [len(batch.token_ids) for batch in bench.backend.batches[num_batches:]] == [1]  # the other goes on
    bench.run()
    assert list(second.output) == make_bench().answer([3, 4], 20)
