"""Who computes how much in a step: the step-time target, priorities, and that nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import edge
from edge.engine import Policy, SamplingParams, Sequence
from edge.engine.order import FAVOUR, PATIENCE
from edge.engine.pace import LEAST_SHARE, MOST_UNREAD
from edge.engine.scheduler import BACKGROUND_TURN
from tests.engine.fake import Bench

PROMPT = [3 + i % 50 for i in range(1600)]


def bound_by_memory(step: float) -> Callable[[int], float]:
    """A machine whose steps take as long as one of 20 tokens, at least."""
    return lambda num_tokens: step * max(1.0, num_tokens / 20)


def bench(step_seconds: Callable[[int], float], schedule: str = "latency") -> Bench:
    made = Bench(schedule=schedule, context=2000, max_tokens=64, num_blocks=1000)
    made.backend.step_seconds = step_seconds
    return made


def seconds_of(made: Bench) -> float:
    """Runs to the end: the time that it took."""
    start = made.backend.now
    made.run()
    return made.backend.now - start


def mixed(made: Bench) -> tuple[Sequence, Sequence, list[float], float]:
    """A stream of ten tokens already, then PROMPT beside it: (stream, prompt, seconds of each step until the prompt
    has its first token, the time of all of them)."""
    stream = made.add([1, 2], 1500)
    while stream.num_answer_tokens < 10:
        made.engine.step()
        stream.output.clear()  # it is read
    prompt = made.add(PROMPT, 1)
    steps: list[float] = []
    while not prompt.finished:
        before = made.backend.now
        made.engine.step()
        steps.append(made.backend.now - before)
        stream.output.clear()
        assert 0 in made.backend.batches[-1].sequences  # the stream has a token in every step
    return stream, prompt, steps, sum(steps)


@pytest.mark.parametrize("step", [0.001, 0.03])
def test_a_prompt_beside_a_stream_keeps_steps_within_twice_its_own(step: float) -> None:
    stream, prompt, steps, seconds = mixed(bench(bound_by_memory(step)))
    assert max(sorted(steps)[: len(steps) * 99 // 100]) <= 2 * step * 1.0001
    assert max(steps[-10:]) >= 1.8 * step
    alone = bench(bound_by_memory(step))
    alone.add(PROMPT, 1)
    # Of 40 tokens that two steps have room for, one is the stream's; finding the border costs some.
    assert seconds_of(alone) / seconds >= 0.8
    assert list(prompt.output) == Bench(context=2000, num_blocks=500).answer(PROMPT, 1)
    assert stream.num_answer_tokens == 10 + len(steps)


def test_steps_are_of_the_size_that_is_computed_quickest() -> None:
    """Kernels unpack weights once for eight tokens: in the time of two steps ten could be computed, but fewer a
    second."""
    made = bench(lambda num_tokens: 0.02 + 0.001 * num_tokens + 0.012 * ((num_tokens - 1) // 8))
    _, prompt, steps, _ = mixed(made)
    sizes = [len(batch.token_ids) for batch in made.backend.batches[-100:-1]]
    assert max(set(sizes), key=sizes.count) == 8 and sizes.count(8) > 90
    made = bench(lambda num_tokens: 0.02 + 0.001 * num_tokens)  # no such border: all that there is time for
    mixed(made)
    sizes = [len(batch.token_ids) for batch in made.backend.batches[-50:-1]]
    assert max(set(sizes), key=sizes.count) >= 20 and prompt.finished and steps


def test_no_step_is_longer_than_a_reader_bears() -> None:
    """Twice the step of this machine would be over 80 ms."""
    _, _, steps, _ = mixed(bench(bound_by_memory(0.06)))
    assert max(sorted(steps)[: len(steps) * 99 // 100]) <= 0.08 * 1.0001


def test_a_prompt_goes_on_however_slow_the_machine() -> None:
    made = bench(lambda num_tokens: 0.1 * num_tokens)
    mixed(made)
    counts = [len(batch.token_ids) for batch in made.backend.batches[-100:-1]]
    assert set(counts) == {1 + LEAST_SHARE}


def test_without_a_measured_step_one_goes_without_a_prompt() -> None:
    made = bench(bound_by_memory(0.03))
    made.add([1, 2], 50)
    made.engine.step()
    made.add(PROMPT, 1)
    for _ in range(3):
        made.engine.step()
    assert [len(batch.token_ids) > 1 for batch in made.backend.batches[1:4]] == [False, True, True]


def test_the_throughput_setting_fills_steps() -> None:
    _, _, steps, seconds = mixed(bench(bound_by_memory(0.03), "throughput"))
    assert len(steps) == -(-len(PROMPT) // 63)
    apart = bench(bound_by_memory(0.03))
    apart.add([1, 2], len(steps))
    apart.run()
    apart.add(PROMPT, 1)
    apart.run()
    assert apart.backend.now / seconds >= 0.9


def test_nobody_reads_a_background_stream() -> None:
    made = bench(bound_by_memory(0.03))
    made.add([1, 2], 100, priority="background")
    made.engine.step()
    made.add(PROMPT, 1)
    made.engine.step()
    assert len(made.backend.batches[-1].token_ids) == 64


def test_a_stream_that_nobody_reads_holds_nobody_up() -> None:
    """Somebody may keep it and ask for something else first."""
    made = bench(bound_by_memory(0.03))
    stream = made.add([1, 2], 100)
    made.engine.step()
    made.engine.step()
    prompt = made.add(PROMPT, 1)
    made.engine.step()
    assert len(made.backend.batches[-1].token_ids) < 64
    while len(stream.output) <= MOST_UNREAD:
        made.engine.step()
    made.engine.step()
    assert len(made.backend.batches[-1].token_ids) == 64
    assert not prompt.finished


def test_bad_names_are_refused() -> None:
    with pytest.raises(edge.RequestError, match=r"schedule is 'fast'; it must be 'latency' or 'throughput'"):
        Policy("fast")
    with pytest.raises(edge.RequestError, match=r"priority is 'low'; it must be 'interactive' or 'background'"):
        Sequence([1], SamplingParams(), max_length=2, seed=0, priority="low")


def test_interactive_sequences_are_admitted_and_computed_first() -> None:
    made = Bench(max_sequences=2, max_tokens=8)
    background = [made.add([number] * 12, 4, priority="background") for number in (1, 2, 3)]
    made.engine.step()
    interactive = made.add([9] * 12, 4)
    made.engine.step()
    assert interactive in made.engine.scheduler.running
    assert interactive.num_computed_tokens == 8
    assert [sequence.num_preemptions for sequence in background] == [0, 1, 0]  # the one admitted last made room
    made.run()
    for sequence, first in zip([*background, interactive], (1, 2, 3, 9), strict=True):
        assert list(sequence.output) == Bench().answer([first] * 12, 4)


def test_among_equals_the_first_come_is_the_first_served() -> None:
    made = Bench(max_sequences=1)
    sequences = [made.add([number], 3) for number in range(1, 5)]
    order: list[Sequence] = []
    while made.engine.step():
        order += [item for item in sequences if item.finished and item not in order]
    assert order == sequences


def test_background_prompts_get_their_turn() -> None:
    """Beside interactive prompts that fill every step."""
    made = Bench(context=600, max_tokens=8, num_blocks=400, max_sequences=2)
    background = made.add([7] * 60, 1, priority="background")
    made.add([1] * 590, 1)
    for _ in range(2 * BACKGROUND_TURN):
        made.engine.step()
        made.check_blocks()
    assert 8 <= background.num_computed_tokens <= 24


@pytest.mark.parametrize("max_new", [2, 30])
def test_background_does_not_starve_among_interactive_ones_that_never_end(max_new: int) -> None:
    """A place for one, and always an interactive sequence more that waits."""
    made = Bench(max_sequences=1, context=60, num_blocks=30)
    background = made.add([5] * 9, max_new, priority="background")
    admitted = 0
    while not background.finished:
        if not any(item.priority == "interactive" for item in made.engine.scheduler.waiting):
            made.add([admitted % 50], 3)
            admitted += 1
        made.engine.step()
        made.check_blocks()
        assert admitted < 200
    assert list(background.output) == Bench(context=60, num_blocks=30).answer([5] * 9, max_new)
    # Passed PATIENCE times for every FAVOUR tokens, and one that was running or waiting already.
    assert admitted <= (PATIENCE + 2) * (1 + max_new // FAVOUR) + 2


def test_stats_add_up() -> None:
    made = Bench(max_sequences=1)
    made.add([1] * 8, 4, priority="background")
    made.engine.step()
    made.add([2] * 8, 4)
    made.add([3] * 8, 4)
    made.engine.step()
    stats = made.engine.stats()
    assert (stats.running, stats.waiting, stats.preempted, stats.swapped, stats.preemptions) == (1, 1, 1, 0, 1)
    assert stats.blocks_free + stats.blocks_used == 40
    assert stats.blocks_used == 2
    assert stats.cached_tokens == 8  # of the one that was set aside
    made.run()
    assert made.engine.stats().blocks_used == 0


def test_several_answers_to_one_request_do_not_queue_again_for_each() -> None:
    """Whoever asks for three answers waits for a place for each, but not behind those who came later."""
    made = Bench(context=40, max_sequences=2, num_blocks=400)
    first = made.add([1, 2, 3], 10)
    later = [made.add([5 + number, 6], 10) for number in range(8)]
    while not first.num_answer_tokens:
        made.engine.step()
    forks = [made.engine.fork(first, number=number, length=3) for number in (1, 2)]  # both places are taken
    assert all(not fork.block_table for fork in forks)
    ended: list[Sequence] = []
    while made.engine.step():
        ended += [item for item in (first, *forks, *later) if item.finished and item not in ended]
    # One that came later ran beside the first; the others begin when all three have a place.
    assert ended.index(forks[1]) < ended.index(later[1])
    assert {id(item) for item in ended[:4]} == {id(item) for item in (first, *forks, later[0])}
