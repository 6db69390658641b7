"""Scheduling, batching, forking, cancelling and failing, on a backend that notices any mix-up of KV blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import edge
from edge.engine import SamplingParams, Sequence

MakeBench = Callable[..., Any]


def test_chunks_do_not_change_the_answer(make_bench: MakeBench) -> None:
    prompt = list(range(20))
    answers = [make_bench(max_tokens=chunk).answer(prompt) for chunk in (4, 7, 8, 64)]
    assert len(answers[0]) == 6
    assert all(answer == answers[0] for answer in answers)


def test_three_sequences_answer_as_each_alone(make_bench: MakeBench) -> None:
    prompts = ([1, 2, 3], list(range(17)), [5] * 9)
    alone = [make_bench().answer(prompt, 10) for prompt in prompts]
    bench = make_bench()
    sequences = [bench.add(prompt, 10) for prompt in prompts]
    bench.run()
    assert [list(sequence.output) for sequence in sequences] == alone
    assert any(len(set(batch.sequences)) == 3 for batch in bench.backend.batches)
    assert bench.engine.blocks.num_used == 0


def test_decodes_come_before_prefill(make_bench: MakeBench) -> None:
    bench = make_bench(max_tokens=4)
    first = bench.add([1, 2], 10)
    bench.engine.step()
    second = bench.add(range(12), 4)
    bench.engine.step()
    batch = bench.backend.batches[-1]
    assert list(batch.sequences) == [0, 1, 1, 1]  # one decode of the first, the rest of the step for the prompt
    assert list(batch.positions) == [2, 0, 1, 2]
    bench.run()
    assert list(first.output) == make_bench().answer([1, 2], 10)
    assert list(second.output) == make_bench().answer(range(12), 4)


def test_a_prompt_that_begins_like_an_earlier_one_computes_the_rest_only(make_bench: MakeBench) -> None:
    bench = make_bench(max_tokens=64)
    bench.answer(range(18), 6)  # fills 5 blocks of 4: 23 positions are computed, the last token is not
    prompt = [*range(14), 50, 51, 52]
    sequence = bench.add(prompt, 6)
    bench.run()
    assert sequence.num_cached_tokens == 12
    assert list(sequence.output) == make_bench().answer(prompt, 6)
    positions = [list(batch.positions) for batch in bench.backend.batches if 50 in batch.token_ids]
    assert positions == [[12, 13, 14, 15, 16]]


def test_the_answer_of_a_turn_is_found_by_the_next(make_bench: MakeBench) -> None:
    bench = make_bench()
    turn = [1, 2, 3, *bench.answer([1, 2, 3], 9)]
    sequence = bench.add([*turn, 4], 3)
    bench.run()
    assert sequence.num_cached_tokens == 8  # 11 were computed
    assert list(sequence.output) == make_bench().answer([*turn, 4], 3)


def test_the_same_prompt_again_computes_its_last_block(make_bench: MakeBench) -> None:
    bench = make_bench()
    answer = bench.answer(range(16), 6)
    again = bench.add(range(16), 6)
    bench.run()
    assert again.num_cached_tokens == 12  # the last token's logits are wanted
    assert list(again.output) == answer


def test_two_at_once_share_what_the_first_has_computed(make_bench: MakeBench) -> None:
    bench = make_bench(num_blocks=8)
    first = bench.add(range(12), 8)
    bench.engine.step()
    bench.engine.step()
    second = bench.add([*range(12), 40], 7)
    bench.engine.step()
    assert second.block_table[:3] == first.block_table[:3]
    bench.check_blocks()
    bench.run()
    assert list(second.output) == make_bench().answer([*range(12), 40], 7)


def test_a_failed_step_leaves_nothing_to_be_found(make_bench: MakeBench) -> None:
    bench = make_bench(poisoned=True, max_tokens=64)
    bad = bench.add([1, 2, 13, 4, 5, 6, 7, 8, 9], 2)
    bench.run()
    assert bad.error is not None
    assert bad.block_keys == []
    again = bench.add([1, 2, 13, 4, 5], 2)
    bench.run()
    assert again.num_cached_tokens == 0


def test_waits_for_blocks_and_then_runs(make_bench: MakeBench) -> None:
    bench = make_bench(num_blocks=5)  # 20 positions; each sequence may need 4 blocks
    first, second = bench.add([1] * 8, 8), bench.add([2] * 8, 8)
    bench.engine.step()
    assert bench.engine.scheduler.running == [first]
    bench.run()
    assert first.finish_reason == second.finish_reason == "length"
    assert list(second.output) == make_bench().answer([2] * 8, 8)


def test_full_context_ends_with_length(make_bench: MakeBench) -> None:
    bench = make_bench(context=10)
    sequence = bench.add([1, 2, 3], 1000)
    bench.run()
    assert sequence.finish_reason == "length"
    assert len(sequence) == 10


def test_end_token_ends_and_is_not_handed_out(make_bench: MakeBench) -> None:
    answer = make_bench().answer([4, 5], 6)
    bench = make_bench()
    sequence = bench.add([4, 5], 6, end_ids=[answer[3]])
    bench.run()
    cut = answer.index(answer[3])
    assert sequence.finish_reason == "stop"
    assert list(sequence.output) == answer[:cut]
    assert sequence.num_answer_tokens == cut + 1


@pytest.mark.parametrize("num_tokens", [10, 11, 500])
def test_prompt_longer_than_the_context_names_both_numbers(make_bench: MakeBench, num_tokens: int) -> None:
    bench = make_bench(context=10)
    with pytest.raises(edge.DoesNotFit, match=rf"{num_tokens} tokens exceeds the available context size of 10 tokens"):
        bench.add([1] * num_tokens)
    assert bench.answer([1] * 9) != []  # the longest that fits


@pytest.mark.parametrize("prompt", [[], [61], [-1], [3, 4000]])
def test_bad_prompt_ids_are_refused(make_bench: MakeBench, prompt: list[int]) -> None:
    with pytest.raises(edge.RequestError):
        make_bench().add(prompt)


def test_bias_of_an_unknown_token_is_refused(make_bench: MakeBench) -> None:
    sequence = Sequence([1], SamplingParams(logit_bias={61: 1.0}), max_length=5, seed=0)
    with pytest.raises(edge.RequestError, match="logit_bias names token 61"):
        make_bench().engine.add(sequence)


def test_fork_continues_like_its_parent_and_copies_what_it_writes(make_bench: MakeBench) -> None:
    alone = make_bench().answer(list(range(10)), 12)
    bench = make_bench()
    parent = bench.add(range(10), 12)
    while parent.num_answer_tokens < 2:  # 11 of 12 positions: the last block is shared and not full
        bench.engine.step()
    fork = bench.engine.fork(parent, number=1)
    bench.check_blocks()
    shared = len(set(parent.block_table) & set(fork.block_table))
    assert shared == len(parent.block_table)
    fork.tokens[-1] = 7 if fork.tokens[-1] != 7 else 8  # leave the parent's path
    other = fork.tokens.tolist()
    bench.run()
    assert list(parent.output) == alone
    assert list(fork.output) == make_bench().answer(other, 10)
    assert bench.backend.copies, "nothing was copied on write"
    assert bench.engine.blocks.num_used == 0


def test_fork_without_room_waits_for_it(make_bench: MakeBench) -> None:
    bench = make_bench(num_blocks=5)
    parent = bench.add([1] * 6, 12)
    bench.engine.step()
    fork = bench.engine.fork(parent, number=1)
    bench.check_blocks()
    assert not fork.block_table
    bench.run()
    answer = make_bench().answer([1] * 6, 12)
    assert list(parent.output) == answer
    assert list(fork.output) == answer[1:]


@pytest.mark.parametrize("length", [10, 11, 13, 14])
def test_fork_from_an_earlier_token(make_bench: MakeBench, length: int) -> None:
    alone = make_bench().answer(list(range(10)), 12)
    bench = make_bench()
    parent = bench.add(range(10), 12)
    while parent.num_answer_tokens < 5:
        bench.engine.step()
    fork = bench.engine.fork(parent, number=1, length=length)
    bench.check_blocks()
    assert fork.num_computed_tokens == length - 1
    assert fork.num_cached_tokens == min(10, length - 1)
    bench.run()
    assert list(parent.output) == alone
    assert list(fork.output) == alone[length - 10 :]
    again = bench.engine.fork(parent, number=2, length=length)  # which has ended: what is still there is found
    bench.run()
    assert list(again.output) == alone[length - 10 :]
    for wrong in (9, len(parent)):
        with pytest.raises(edge.RequestError, match=f"fork at {wrong} tokens: it must be from 10, the prompt, to 21"):
            bench.engine.fork(parent, number=3, length=wrong)


def test_branches_of_a_prefix_are_neighbours_in_a_step(make_bench: MakeBench) -> None:
    bench = make_bench(max_sequences=4, num_blocks=40)
    first, other = bench.add(range(10), 12), bench.add(range(20, 30), 12)
    bench.engine.step()
    bench.engine.step()
    bench.engine.fork(first, number=1)
    bench.engine.fork(first, number=2)
    bench.engine.step()
    batch = bench.backend.batches[-1]
    tables = [batch.block_tables[row * batch.table_stride] for row in range(4)]
    assert sorted(tables).count(first.block_table[0]) == 3
    assert tables in ([first.block_table[0]] * 3 + [other.block_table[0]], [other.block_table[0]] + tables[1:2] * 3)


def test_nan_ends_only_the_sequence_it_came_from(make_bench: MakeBench) -> None:
    bench = make_bench(poisoned=True)
    good, bad, also_good = bench.add([1, 2, 3], 2), bench.add([1, 13], 2), bench.add([9], 2)
    bench.run()
    assert isinstance(bad.error, edge.NumericalError)
    assert bad.finish_reason is None
    assert list(good.output) == make_bench().answer([1, 2, 3], 2)
    assert list(also_good.output) == make_bench().answer([9], 2)
    assert bench.answer([1, 2, 3], 2) == list(good.output)  # the engine stays usable
    assert bench.engine.blocks.num_used == 0


def test_cancel_between_steps_frees_blocks_within_a_step(make_bench: MakeBench) -> None:
    bench = make_bench()
    first, second = bench.add([1, 2], 20), bench.add([3, 4], 20)
    bench.engine.step()
    bench.engine.cancel(first)
    bench.engine.step()
    assert first.finish_reason == "cancelled"
    assert first.block_table == []
    bench.run()
    assert list(second.output) == make_bench().answer([3, 4], 20)


def test_cancel_during_a_step_spares_the_others(make_bench: MakeBench) -> None:
    bench = make_bench()
    first, second = bench.add([1, 2], 20), bench.add([3, 4], 20)
    bench.engine.step()

    def cancel_from_another_thread() -> None:
        thread = threading.Thread(target=bench.engine.cancel, args=(first,))
        thread.start()
        thread.join()
        bench.backend.during_step = None

    bench.backend.during_step = cancel_from_another_thread
    bench.engine.step()
    assert first.finish_reason == "cancelled"
    bench.run()
    assert list(second.output) == make_bench().answer([3, 4], 20)


def test_a_cancellation_that_came_too_late_harms_nobody(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.backend.cancel()  # as if the step it was meant for had just ended
    assert bench.answer([1, 2, 3]) == make_bench().answer([1, 2, 3])


def test_cancel_without_work_does_not_reach_the_next_request(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.engine.cancel()
    assert bench.answer([1, 2, 3]) == make_bench().answer([1, 2, 3])


def test_cancelling_all_ends_waiting_ones_too(make_bench: MakeBench) -> None:
    bench = make_bench(num_blocks=5)
    sequences = [bench.add([i] * 8, 8) for i in range(3)]
    bench.engine.step()
    bench.engine.cancel()
    bench.engine.step()
    assert [sequence.finish_reason for sequence in sequences] == ["cancelled"] * 3
    assert not bench.engine.step()
    assert bench.engine.blocks.num_used == 0


def test_times_are_taken_at_first_step_and_tokens(make_bench: MakeBench) -> None:
    bench = make_bench(max_tokens=4)
    sequence = bench.add(range(8), 3)
    bench.run()
    assert sequence.started_at is not None
    assert sequence.first_token_at is not None
    assert sequence.last_token_at is not None
    assert sequence.started_at < sequence.first_token_at < sequence.last_token_at
