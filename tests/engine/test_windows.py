"""Layers that see a window keep no more than it, and a prefix is used only as far as its windows are there."""

from __future__ import annotations

import pytest

from edge.engine import Sequence
from edge.engine.windows import Windows
from tests.engine.fake import Bench

SIZE, WINDOW = 4, 10  # positions of a block, and that a token sees


def bench(max_sequences: int = 2) -> Bench:
    return Bench(context=120, max_tokens=8, max_sequences=max_sequences, block_size=SIZE, num_blocks=60, window=WINDOW)


def prompt(length: int, seed: int = 0) -> list[int]:
    return [(7 * i + seed) % 40 + 15 for i in range(length)]


def cached(test: Bench, tokens: list[int], max_new: int = 2) -> Sequence:
    sequence = test.add(tokens, max_new)
    test.run()
    return sequence


def test_a_sequence_holds_its_window() -> None:
    test = bench()
    sequence = test.add(prompt(40), 60)
    most = 0
    while test.engine.step():
        test.check_blocks()
        most = max(most, test.engine.windows.num_seen)
    assert len(sequence) == 100 and sequence.num_computed_tokens == 99
    assert most <= (WINDOW - 1) // SIZE + 3 + test.backend.limits.max_tokens // SIZE
    assert test.engine.windows.num_seen == 0
    assert test.backend.limits.num_window_blocks < test.backend.limits.num_blocks


def test_answers_are_those_without_a_window_to_keep() -> None:
    """The fake backend checks that a window holds what was computed there."""
    plain = Bench(context=120, block_size=SIZE, num_blocks=60)
    for length in (1, 9, 40):
        assert bench().answer(prompt(length), 50) == plain.answer(prompt(length), 50)


def test_a_prompt_goes_on_where_the_last_one_ended() -> None:
    test = bench()
    first = cached(test, prompt(40), 4)
    again = cached(test, [*first.tokens, 20, 21])
    assert again.num_cached_tokens == 40  # all full blocks of 43 computed tokens


def test_behind_a_long_answer_the_prefix_is_computed_again() -> None:
    """Its full layers are all there, its windows are not: the nearest point before is the beginning."""
    test = bench(max_sequences=1)
    cached(test, prompt(40), 60)
    again = cached(test, [*prompt(40), 20, 21])
    assert again.num_cached_tokens == 0
    third = cached(test, [*prompt(40), 22, 23])  # what was computed again is found, beside the old blocks
    assert third.num_cached_tokens == 40


def test_the_nearest_point_before_is_used() -> None:
    """The windows of the first blocks are still there, those in the middle are not."""
    windows = Windows(WINDOW, SIZE, 5)
    sequence = sequence_of([0, 1, 2, 3, 4, 5, 6])
    for blocks, computed in ((3, 12), (5, 20), (7, 28)):
        sequence.block_table = list(range(blocks))
        windows.make_room(sequence, [])
        sequence.num_computed_tokens = computed
        windows.slide(sequence)
    windows.leave(sequence)
    held = [block for block in range(7) if windows.holds([block])]
    assert len(held) == 5
    assert windows.reach([0, 1, 2, 3, 4, 5, 6]) == 7
    assert windows.reach([0, 1, 2, 3]) == (4 if windows.holds([1, 2, 3]) else 0)
    other = sequence_of([7, 8, 9])
    windows.make_room(other, [])  # takes three places: those of blocks that were seen least recently
    assert windows.reach([0, 1, 2, 3, 4, 5, 6]) < 7


def sequence_of(table: list[int]) -> Sequence:
    sequence = Bench().add([1], 1)
    sequence.block_table = table
    return sequence


def test_forks_share_a_window_and_keep_it_for_each_other() -> None:
    test = bench()
    parent = test.add(prompt(30), 30)
    while parent.num_answer_tokens < 3:
        test.engine.step()
    fork = test.engine.fork(parent, number=1, length=31)
    assert fork.num_computed_tokens == 30
    test.run()
    assert list(parent.tokens)[31:] == list(fork.tokens)[31:]


def test_a_fork_from_behind_the_window_waits_and_computes_again() -> None:
    test = bench()
    parent = test.add(prompt(12), 95)
    while parent.num_answer_tokens < 90:
        test.engine.step()
    fork = test.engine.fork(parent, number=1, length=12)
    assert fork.num_computed_tokens == 0 and fork in test.engine.scheduler.waiting
    test.run()
    assert fork.num_cached_tokens < 12
    assert list(parent.tokens) == list(fork.tokens)


def test_a_hit_without_its_windows_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Windows, "reach", lambda self, blocks: len(blocks))  # pyright: ignore
    test = bench(max_sequences=1)
    cached(test, prompt(40), 60)
    with pytest.raises(AssertionError, match="window|computed"):
        cached(test, [*prompt(40), 20, 21])
