"""KV in slots, a sequence each: the same tokens as alone, whatever is taken over, copied, forked or set aside."""

from __future__ import annotations

import dataclasses
import random

from edge.backends import Batch, Limits
from edge.backends.native import CAPABILITIES
from edge.engine import Engine, Policy, Sequence
from edge.engine.slots import LEAST_COPIED, Slots
from tests.engine.fake import VOCAB_SIZE, Bench, FakeBackend, greedy

CONTEXT = 200
LONG = [7 * i % VOCAB_SIZE for i in range(4 * LEAST_COPIED)]


class SlotBackend(FakeBackend):
    """A slot forgets what it held at a step's first position and behind it."""

    def step(self, batch: Batch) -> memoryview[float]:
        first: dict[int, int] = {}
        for sequence, position in zip(batch.sequences, batch.positions, strict=True):
            first.setdefault(batch.block_tables[sequence], position)
        for slot, position in first.items():
            self.cells[slot][position:] = [-1] * (CONTEXT - position)
        return super().step(batch)


class SlotBench(Bench):
    def __init__(self, num_slots: int = 3, *, reuses: bool = True, max_tokens: int = 16) -> None:
        limits = Limits(VOCAB_SIZE, CONTEXT, max_tokens, num_slots, CONTEXT, num_slots)
        self.backend = SlotBackend(limits, poisoned=False)
        self.backend.capabilities = dataclasses.replace(CAPABILITIES, kv_layout="slots", reuses=reuses, saves=False)
        self.engine = Engine(self.backend, greedy, policy=Policy("throughput"), clock=lambda: self.backend.now)


def alone(prompt: list[int], max_new: int = 6) -> list[int]:
    return SlotBench(1).answer(prompt, max_new)


def test_answers_are_those_of_blocks() -> None:
    for prompt in ([1], [5, 6, 7], LONG):
        assert alone(prompt) == Bench(context=CONTEXT).answer(prompt)


def test_a_conversation_goes_on_in_its_slot() -> None:
    bench = SlotBench()
    first = bench.add(LONG)
    bench.run()
    again = bench.add([*first.tokens, 3, 4])
    bench.run()
    assert again.num_cached_tokens == len(first.tokens) - 1  # the last token was chosen, not computed
    assert bench.backend.copies == []
    assert list(again.output) == alone([*first.tokens, 3, 4])


def test_another_conversation_with_the_same_beginning_leaves_the_first_one_its_slot() -> None:
    bench = SlotBench()
    first = bench.add(LONG)
    bench.run()
    prompt = [*LONG[:LEAST_COPIED], 1, 2, 3]
    other = bench.add(prompt)
    bench.run()
    assert other.num_cached_tokens == LEAST_COPIED and len(bench.backend.copies) == 1
    assert list(other.output) == alone(prompt)
    more = bench.add([*first.tokens, 9])
    bench.run()
    assert more.num_cached_tokens == len(first.tokens) - 1
    assert list(more.output) == alone([*first.tokens, 9])


def test_a_few_tokens_in_common_do_not_cost_a_conversation_its_slot() -> None:
    bench = SlotBench()
    first = bench.add(LONG)
    bench.run()
    other = bench.add([*LONG[:3], 60, 60])
    bench.run()
    assert other.num_cached_tokens == 0 and list(other.output) == alone([*LONG[:3], 60, 60])
    more = bench.add(list(first.tokens))
    bench.run()
    assert more.num_cached_tokens == len(first.tokens) - 1


def test_the_slot_used_least_recently_is_given_up_first() -> None:
    bench = SlotBench(2)
    prompts = [[i] * 20 for i in (1, 2, 3)]
    for prompt in prompts:
        bench.answer(prompt)
    cached: list[Sequence] = []
    for prompt in reversed(prompts):
        cached.append(bench.add(prompt))
        bench.run()
    assert [sequence.num_cached_tokens for sequence in cached] == [19, 19, 0]


def test_a_prompt_copies_from_a_slot_that_is_in_use() -> None:
    bench = SlotBench(2)
    first = bench.add(LONG, max_new=30)
    while first.num_uncomputed_tokens > 1:
        bench.engine.step()
    second = bench.add([*LONG, 8, 9])
    bench.run()
    assert second.num_cached_tokens == len(LONG) and len(bench.backend.copies) == 1
    assert list(first.output) == alone(LONG, 30) and list(second.output) == alone([*LONG, 8, 9])


def test_forks_have_slots_of_their_own() -> None:
    for reuses in (True, False):
        bench = SlotBench(3, reuses=reuses)
        first = bench.add(LONG, max_new=20)
        while len(first.output) < 5:
            bench.engine.step()
        forks = [bench.engine.fork(first, number=number, length=len(LONG) + number) for number in (1, 2, 3)]
        bench.run()
        assert [list(fork.tokens) for fork in forks] == [list(first.tokens)] * 3
        assert list(first.output) == alone(LONG, 20)
        assert bool(bench.backend.copies) == reuses


def test_nothing_is_reused_where_the_backend_cannot_go_back() -> None:
    bench = SlotBench(reuses=False)
    bench.answer(LONG)
    again = bench.add(LONG)
    bench.run()
    assert again.num_cached_tokens == 0 and list(again.output) == alone(LONG)


def test_background_answers_give_way_and_come_back() -> None:
    bench = SlotBench(2)
    background = [bench.add([i, *LONG], max_new=20, priority="background") for i in (1, 2)]
    for _ in range(12):
        bench.engine.step()
    urgent = bench.add([3, 4, 5])
    bench.run()
    assert all((item.last_token_at or 0) > (urgent.last_token_at or 0) > 0 for item in background)
    assert bench.engine.stats().preemptions > 0 and bench.engine.stats().swaps == 0
    for i, sequence in zip((1, 2), background, strict=True):
        assert list(sequence.output) == alone([i, *LONG], 20)


def test_a_random_crowd_computes_what_each_would_alone() -> None:
    rng = random.Random(5)
    bench = SlotBench(4, max_tokens=9)
    known: list[list[int]] = [LONG]
    running: list[Sequence] = []
    for _ in range(120):
        base = rng.choice(known)
        prompt = [*base[: rng.randint(1, min(len(base), 150))], *(rng.randrange(VOCAB_SIZE) for _ in range(3))]
        running.append(bench.add(prompt, max_new=rng.randint(1, 12)))
        for _ in range(rng.randint(0, 6)):
            bench.engine.step()
            bench.check_blocks()
        if rng.random() < 0.1:
            bench.engine.cancel(running[-1])
        known.append(list(running[-1].tokens))
    bench.run()
    for sequence in running:
        if sequence.finish_reason == "length":
            prompt = list(sequence.tokens[: sequence.num_prompt_tokens])
            assert list(sequence.output) == alone(prompt, sequence.num_answer_tokens)
    assert sum(sequence.num_cached_tokens for sequence in running) > 500
    assert isinstance(bench.engine.blocks, Slots)
    assert bench.engine.stats().cached_tokens > 0 and bench.engine.stats().blocks_used == 0
