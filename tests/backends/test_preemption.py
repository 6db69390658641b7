"""The native backend with less KV memory than its sequences need: equal bits, swapped or computed again."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge
from edge.engine import Policy
from edge.formats import open_gguf
from tests.backends.recorder import Recorder, alone

PROMPTS = ([*range(90)], [200] * 33, [*range(40, 110)], [7, 8, 9])
PRIORITIES = ("background", "interactive", "background", "interactive")


@pytest.mark.parametrize("kv_type", ["f16", "q8"])
@pytest.mark.parametrize("disk", [1e15, None], ids=["swapped", "computed again"])
@pytest.mark.parametrize("schedule", ["latency", "throughput"])
def test_sequences_that_give_way_have_equal_bits(
    tiny_model: Path, tmp_path: Path, kv_type: str, disk: float | None, schedule: str
) -> None:
    expected = [alone(tiny_model, prompt, 80, kv_type=kv_type, num_threads=1) for prompt in PROMPTS]
    policy = Policy(schedule, disk_bytes_s=disk, swap_folders=(tmp_path,))
    with open_gguf(tiny_model) as file:
        recorder = Recorder(
            file, policy=policy, kv_type=kv_type, chunk=32, num_sequences=3, context=192, kv_tokens=192, num_threads=2
        )
        assert recorder.backend.limits.num_blocks == 6  # of 14 that the first three need in the end
        sequences = [
            recorder.add(prompt, 80, priority=priority) for prompt, priority in zip(PROMPTS, PRIORITIES, strict=True)
        ]
        recorder.run()
        for sequence, result in zip(sequences, expected, strict=True):
            assert recorder.of(sequence) == result
        stats = recorder.engine.stats()
        assert stats.preemptions > 0
        assert (stats.swaps > 0) == (disk is not None)
        assert (stats.blocks_used, stats.note) == (0, None)
        recorder.close()


def test_fewer_kv_tokens_than_a_context_are_refused(tiny_model: Path) -> None:
    with pytest.raises(edge.RequestError, match="kv_tokens is 100; it must be a whole number from 192"):
        edge.load(tiny_model, context=192, kv_tokens=100)


def test_the_plan_counts_the_kv_tokens_that_are_kept(tiny_model: Path) -> None:
    with edge.load(tiny_model, context=192, sequences=4) as model:
        whole = model.plan.kv_bytes
    with edge.load(tiny_model, context=192, sequences=4, kv_tokens=384) as model:
        assert model.plan.kv_bytes * 2 == whole
        assert model.stats.blocks_free == 12
    with edge.load(tiny_model, context=192, sequences=1, kv_tokens=10**6) as model:
        assert model.stats.blocks_free == 6  # more than all may need is of no use
