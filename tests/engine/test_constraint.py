"""What the engine does with a constraint: a fake one that says what may come by its place in the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.engine import Constraint, SamplingParams, Sequence
from edge.errors import GrammarError
from tests.engine.fake import Bench

Make = Callable[..., Bench]


class Script:
    """Forces the tokens of `plan`; None is a place of free choice, "end" completes, "fail" raises."""

    def __init__(self, plan: list[int | str | None]) -> None:
        self.plan = plan
        self.taken: list[int] = []

    @property
    def num_tokens(self) -> int:
        return len(self.taken)

    @property
    def complete(self) -> bool:
        return self.plan[len(self.taken)] == "end"

    def mask(self) -> bytes:
        return b"\xff" * 8

    def forced(self) -> list[int]:
        run: list[int] = []
        for item in self.plan[len(self.taken) :]:
            if item == "fail":
                raise GrammarError("cannot go on")
            if not isinstance(item, int):
                break
            run.append(item)
        return run[:3]  # the rest comes when it is asked again

    def advance(self, token: int) -> None:
        wanted = self.plan[len(self.taken)]
        assert wanted is None or wanted == token
        self.taken.append(token)

    def rollback(self, num_tokens: int) -> None:
        del self.taken[len(self.taken) - num_tokens :]

    def copy(self) -> Constraint:
        other = Script(self.plan)
        other.taken = list(self.taken)
        return other


def _add(bench: Bench, plan: list[int | str | None], max_new: int = 20, prompt: int = 5) -> Sequence:
    sequence = Sequence(
        range(1, 1 + prompt), SamplingParams(), max_length=prompt + max_new, seed=0, constraint=Script(plan)
    )
    bench.engine.add(sequence)
    return sequence


def _run(bench: Bench) -> list[int]:
    """Tokens computed by each step."""
    while bench.engine.step():
        pass
    return [len(batch.token_ids) for batch in bench.backend.batches]


def test_forced_tokens_take_one_step(make_bench: Make) -> None:
    bench = make_bench()
    sequence = _add(bench, [21, 22, 23, 24, None, 31, 32, None, "end"])
    assert _run(bench) == [5, 4, 3]
    assert list(sequence.output)[:4] == [21, 22, 23, 24]
    assert list(sequence.output)[5:7] == [31, 32]
    assert (len(sequence.output), sequence.finish_reason) == (8, "stop")
    assert sequence.num_answer_tokens == 8


def test_an_answer_that_is_forced_whole_needs_no_second_step(make_bench: Make) -> None:
    bench = make_bench()
    sequence = _add(bench, [21, 22, 23, 24, 25, "end"])
    assert _run(bench) == [5]
    assert (list(sequence.output), sequence.finish_reason) == ([21, 22, 23, 24, 25], "stop")


def test_more_forced_tokens_than_a_step_holds(make_bench: Make) -> None:
    bench = make_bench(context=60, num_blocks=60)
    sequence = _add(bench, [*range(10, 30), None, "end"], max_new=40)
    assert _run(bench) == [5, 8, 8, 4]
    assert list(sequence.output)[:20] == list(range(10, 30))


def test_forced_tokens_end_with_the_length_allowed(make_bench: Make) -> None:
    bench = make_bench()
    sequence = _add(bench, [*range(10, 30), None, "end"], max_new=4)
    _run(bench)
    assert (list(sequence.output), sequence.finish_reason) == ([10, 11, 12, 13], "length")
    whole = _add(bench, [10, 11, "end"], max_new=2)
    _run(bench)
    assert (list(whole.output), whole.finish_reason) == ([10, 11], "stop")


def test_an_end_token_is_not_told(make_bench: Make) -> None:
    bench = make_bench()
    sequence = _add(bench, [None, None, None, None, None, "end"])
    while not sequence.output:
        bench.engine.step()
    sequence.end_ids = frozenset(range(61))
    _run(bench)
    assert sequence.finish_reason == "stop"
    assert sequence.constraint is not None and sequence.constraint.num_tokens == 1
    fork = bench.engine.fork(sequence, number=1, length=sequence.num_prompt_tokens)
    assert fork.constraint is not None and fork.constraint.num_tokens == 0


FAILING: list[list[int | str | None]] = [["fail"], [None, "fail"], [21, None, None, 22, 23, 24, "fail"]]


@pytest.mark.parametrize("plan", FAILING)
def test_a_constraint_that_fails_ends_its_answer_only(make_bench: Make, plan: list[int | str | None]) -> None:
    bench = make_bench()
    free = bench.add([7, 8, 9])
    sequence = _add(bench, plan)
    _run(bench)
    assert isinstance(sequence.error, GrammarError)
    assert free.finish_reason == "length"
    assert bench.engine.blocks.num_used == 0


def test_forks_have_a_state_of_their_own(make_bench: Make) -> None:
    bench = make_bench(num_blocks=60)
    plan: list[int | str | None] = [None, 21, 22, None, None, 23, None, "end"]
    sequence = _add(bench, plan)
    while sequence.num_answer_tokens < 5:
        bench.engine.step()
    forks = [bench.engine.fork(sequence, number=n, length=length) for n, length in ((1, None), (2, 5), (3, 7))]
    assert [fork.constraint.num_tokens for fork in forks if fork.constraint] == [sequence.num_answer_tokens, 0, 2]
    _run(bench)
    tokens = [list(item.tokens) for item in (sequence, *forks)]
    assert tokens == [tokens[0]] * 4  # the fake chooses greedily
    assert {item.finish_reason for item in (sequence, *forks)} == {"stop"}


def test_preemption_keeps_the_state(make_bench: Make) -> None:
    plan: list[int | str | None] = [None, 21, 22, 23, None, 24, 25, None, None, 26, 27, 28, None, "end"]
    alone = make_bench(num_blocks=60)
    expected = [_add(alone, plan, prompt=5 + n) for n in range(4)]
    _run(alone)
    tight = make_bench(num_blocks=9)
    sequences = [_add(tight, plan, prompt=5 + n) for n in range(4)]
    _run(tight)
    assert sum(sequence.num_preemptions for sequence in sequences) > 0
    assert [list(s.tokens) for s in sequences] == [list(s.tokens) for s in expected]
    assert {s.finish_reason for s in sequences} == {"stop"}
