"""Random requests, cancellations and forks: everybody's answer is the one they would get alone, no block is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import edge

# What prompts have in common, for blocks to be found.
BEGINNINGS: tuple[list[int], ...] = ([], list(range(17)), [*range(9), 40, 41, 42])


def _prompt(beginning: list[int], rest: list[int]) -> list[int]:
    return [*beginning, *rest]


PROMPTS = st.builds(_prompt, st.sampled_from(BEGINNINGS), st.lists(st.integers(0, 60), min_size=1, max_size=12))
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PROMPTS, st.integers(1, 12)),
        st.tuples(st.just("step"), st.integers(1, 4)),
        st.tuples(st.just("cancel"), st.integers(0, 7)),
        st.tuples(st.just("fork"), st.integers(0, 7)),
        st.tuples(st.just("late cancel"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS, num_blocks=st.integers(11, 30), max_tokens=st.integers(1, 9), max_sequences=st.integers(1, 4))
def test_random_traffic(
    make_bench: Callable[..., Any],
    actions: list[tuple[Any, ...]],
    num_blocks: int,
    max_tokens: int,
    max_sequences: int,
) -> None:
    bench = make_bench(num_blocks=num_blocks, max_tokens=max_tokens, max_sequences=max_sequences)
    sequences: list[Any] = []
    starts: list[tuple[list[int], int, int]] = []  # prompt, answer tokens at the start, answer tokens in all
    for action, *values in actions:
        if action == "add":
            prompt: list[int] = values[0]
            max_new: int = values[1]
            sequences.append(bench.add(prompt, max_new))
            starts.append((prompt, 0, max_new))
        elif action == "step":
            for _ in range(values[0]):
                bench.engine.step()
                bench.check_blocks()
        elif action == "late cancel":
            bench.backend.cancel()
        elif sequences and action == "cancel":
            bench.engine.cancel(sequences[values[0] % len(sequences)])
        elif sequences and action == "fork":
            parent_index: int = values[0] % len(sequences)
            parent = sequences[parent_index]
            try:
                fork = bench.engine.fork(parent, number=1)
            except (edge.RequestError, edge.DoesNotFit):
                continue
            sequences.append(fork)
            start = starts[parent_index]
            starts.append((start[0], parent.num_answer_tokens, start[2]))
    bench.run()
    assert bench.engine.blocks.num_used == 0
    for sequence, (first, skipped, length) in zip(sequences, starts, strict=True):
        assert sequence.finished
        expected = make_bench().answer(first, length)[skipped:]
        got = list(sequence.output)
        assert got == expected[: len(got)]
        assert len(got) == len(expected) or sequence.finish_reason == "cancelled"
