"""More sequences than blocks: some are set aside, on the disk or dropped, and all answer as each would alone."""

from __future__ import annotations

import os
from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.engine import Sequence
from tests.engine.fake import Bench

ALWAYS, NEVER = 1e15, 1e-15  # bytes a second of the disk: swapping always, or never, takes less time
Prompt = tuple[list[int], int]  # and tokens to make


def alone(prompt: list[int], max_new: int) -> list[int]:
    return Bench(context=200, num_blocks=100, max_tokens=64).answer(prompt, max_new)


def crowded(disk_bytes_s: float | None, folder: Path, num_blocks: int = 12, **options: Any) -> Bench:
    made = Bench(context=48, num_blocks=num_blocks, disk_bytes_s=disk_bytes_s, swap_folder=folder, **options)
    made.answer([60], 1)  # a step was measured
    return made


def run_all(made: Bench, prompts: Items[Prompt], priorities: Items[str] = ("interactive",)) -> list[Sequence]:
    sequences = [
        made.add(prompt, max_new, priority=priorities[index % len(priorities)])
        for index, (prompt, max_new) in enumerate(prompts)
    ]
    made.run()
    for sequence, (prompt, max_new) in zip(sequences, prompts, strict=True):
        assert sequence.error is None
        assert list(sequence.output) == alone(prompt, max_new)
    assert made.engine.blocks.num_used == made.swap_slots == made.engine.shelf.num_swap_bytes == 0
    return sequences


@pytest.mark.parametrize("disk", [ALWAYS, NEVER, None], ids=["swapped", "computed again", "disk not known"])
def test_more_than_memory_holds_answer_as_each_alone(tmp_path: Path, disk: float | None) -> None:
    made = crowded(disk, tmp_path)
    written: list[int] = []

    def look() -> None:
        written.append(made.swap_slots)

    made.backend.during_step = look
    sequences = run_all(made, [([number] * 6, 30) for number in (1, 2, 3, 4)])
    assert made.engine.shelf.num_preemptions > 0
    assert (max(written) > 0) == (disk == ALWAYS)
    assert made.engine.shelf.note is None
    assert sequences[0].num_preemptions == 0  # the first never gives way


def test_fewer_blocks_than_all_may_need_admit_all(tmp_path: Path) -> None:
    made = crowded(None, tmp_path)
    for number in (1, 2, 3):
        made.add([number] * 6, 30)  # 9 blocks each, in the end
    made.engine.step()
    assert len(made.engine.scheduler.running) == 3


@pytest.mark.parametrize("num_blocks", [12, 13, 17])
@pytest.mark.parametrize("max_tokens", [1, 5, 64])
@pytest.mark.parametrize("disk", [ALWAYS, NEVER], ids=["swapped", "computed again"])
def test_adversarial_sizes(tmp_path: Path, disk: float, max_tokens: int, num_blocks: int) -> None:
    """Each takes all blocks, or one more token than a block; all at once, and of both priorities."""
    made = crowded(disk, tmp_path, num_blocks, max_tokens=max_tokens)
    prompts: list[Prompt] = [
        ([1] * 47, 1),
        ([2] * 4, 44),
        ([3] * 5, 43),
        ([4], 47),
        ([5] * 44, 4),
        ([6] * 3, 2),
        ([1] * 46, 2),
        ([2] * 4, 10),
    ]
    run_all(made, prompts, ("background", "interactive", "background"))


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    made = crowded(ALWAYS, tmp_path / "file")
    run_all(made, [([number] * 6, 30) for number in (1, 2, 3, 4)])
    note = made.engine.stats().note
    assert note is not None
    assert "computed again instead of swapped" in note
    assert str(tmp_path / "file") in note


def test_a_disk_that_loses_what_was_written_is_survived(tmp_path: Path) -> None:
    made = crowded(ALWAYS, tmp_path)

    def lose() -> None:
        file = made.engine.shelf._file  # pyright: ignore[reportPrivateUsage]
        if file is not None and file._file is not None:  # pyright: ignore[reportPrivateUsage]
            os.ftruncate(file._file, 0)  # pyright: ignore[reportPrivateUsage]

    made.backend.during_step = lose
    run_all(made, [([number] * 6, 30) for number in (1, 2, 3, 4)])
    note = made.engine.stats().note
    assert note is not None
    assert "instead of read back" in note


def test_cancelling_a_swapped_sequence_frees_the_disk_within_a_step(tmp_path: Path) -> None:
    made = crowded(ALWAYS, tmp_path)
    sequences = [made.add([number] * 6, 30) for number in (1, 2, 3)]
    while not made.swap_slots:
        made.engine.step()
    swapped = next(item for item in sequences if item.swap_slots)
    made.engine.cancel(swapped)
    made.engine.step()
    made.check_blocks()
    assert swapped.finish_reason == "cancelled"
    assert made.swap_slots == made.engine.shelf.num_swap_bytes == 0
    made.run()
    for sequence, number in zip(sequences, (1, 2, 3), strict=True):
        assert sequence is swapped or list(sequence.output) == alone([number] * 6, 30)


def test_a_background_sequence_gives_its_blocks_to_an_interactive_one(tmp_path: Path) -> None:
    made = crowded(ALWAYS, tmp_path)
    background = made.add([1] * 36, 10, priority="background")
    while background.num_answer_tokens < 3:
        made.engine.step()
    interactive = made.add([2] * 30, 8)
    made.engine.step()
    assert made.engine.scheduler.running == [interactive]
    assert made.engine.stats().swapped == 1
    made.run()
    assert list(background.output) == alone([1] * 36, 10)
    assert list(interactive.output) == alone([2] * 30, 8)
    positions = [position for batch in made.backend.batches for position in batch.positions if 36 < position]
    assert len(positions) == len(set(positions))  # nothing was computed twice


def test_nothing_is_set_aside_where_that_would_not_be_enough(tmp_path: Path) -> None:
    made = crowded(None, tmp_path)
    made.add([1] * 30, 10)
    background = made.add([2] * 3, 30, priority="background")
    while background.num_answer_tokens < 2:
        made.engine.step()
    large = made.add([3] * 30, 4)
    for _ in range(3):
        made.engine.step()
    assert background.num_preemptions == 0
    assert large.num_computed_tokens == 0
    made.run()


def test_who_only_lost_its_place_is_found_again_without_the_disk(tmp_path: Path) -> None:
    made = Bench(max_sequences=1, disk_bytes_s=ALWAYS, swap_folder=tmp_path)
    background = made.add([1] * 18, 10, priority="background")
    while background.num_answer_tokens < 3:
        made.engine.step()
    made.add([2] * 5, 4)
    made.engine.step()
    assert (background.num_preemptions, made.swap_slots) == (1, 0)
    made.run()
    computed = sum(batch.token_ids.count(1) for batch in made.backend.batches)
    assert computed <= 18 + 4  # its last block at most
    assert background.num_cached_tokens == 0  # as the user sees it, nothing was found
    assert list(background.output) == alone([1] * 18, 10)


def test_forks_share_blocks_and_are_set_aside_like_others(tmp_path: Path) -> None:
    made = crowded(ALWAYS, tmp_path, num_blocks=12, max_sequences=4)
    parent = made.add(range(16), 26)
    while parent.num_answer_tokens < 2:
        made.engine.step()
    forks = [made.engine.fork(parent, number=number) for number in (1, 2)]
    made.check_blocks()
    made.run()
    assert made.engine.shelf.num_preemptions > 0
    expected = alone(list(range(16)), 26)
    assert list(parent.output) == expected
    assert all(list(fork.output) == expected[2:] for fork in forks)
    assert made.engine.blocks.num_used == made.swap_slots == 0


@pytest.mark.parametrize("disk", [ALWAYS, NEVER], ids=["swapped", "computed again"])
def test_a_sequence_that_is_set_aside_can_be_forked(tmp_path: Path, disk: float) -> None:
    made = crowded(disk, tmp_path)
    sequences = [made.add([number] * 6, 30) for number in (1, 2, 3)]
    while not any(item.num_preemptions for item in sequences):
        made.engine.step()
    parent = next(item for item in sequences if item.num_preemptions)
    begun = parent.num_answer_tokens
    fork = made.engine.fork(parent, number=1)
    made.check_blocks()
    made.run()
    expected = alone(parent.tokens[:6].tolist(), 30)
    assert list(parent.output) == expected
    assert list(fork.output) == expected[begun:]
    with pytest.raises(edge.RequestError, match="the answer has ended"):
        made.engine.fork(parent, number=2)


def test_blocks_that_others_hold_are_an_error_not_a_loop() -> None:
    """As by whoever keeps blocks beyond the life of a sequence."""
    made = Bench(context=40, num_blocks=10)
    held: list[int] = []
    made.engine.blocks.grow(held, 24)
    sequence, small = made.add([1] * 30, 8), made.add([2] * 3, 3)
    for _ in range(100):
        made.engine.step()
    assert isinstance(sequence.error, edge.DoesNotFit)
    assert list(small.output) == alone([2] * 3, 3)
    assert not made.engine.step()
