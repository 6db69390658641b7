"""Steps: which batches they run, what is timed, and that KV is computed before anything is timed behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.backends import Batch, Limits
from edge.backends.native import CAPABILITIES
from edge.bench import Steps

if TYPE_CHECKING:
    from typing_extensions import Buffer


class FakeBackend:
    """Remembers the batches. A step takes as many seconds as it has tokens, on `clock`."""

    name = "fake"
    capabilities = CAPABILITIES
    limits = Limits(vocab_size=50, context=100, max_tokens=8, max_sequences=4, block_size=32, num_blocks=16)

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.now = 0.0

    def step(self, batch: Batch) -> memoryview[float]:
        self.batches.append(batch)
        self.now += len(batch.token_ids)
        return memoryview(bytes(4)).cast("f")

    def clock(self) -> float:
        return self.now

    def copy_block(self, source: int, target: int) -> None:
        raise AssertionError("nothing is shared")

    def read_block(self, block: int) -> bytearray:
        raise AssertionError("nothing is kept")

    def write_block(self, block: int, content: Buffer) -> None:
        raise AssertionError("nothing is kept")

    def cancel(self) -> None: ...
    def close(self) -> None: ...

    def spans(self) -> list[tuple[int, int, int]]:
        """(first position, tokens, logits) of each batch."""
        return [(batch.positions[0], len(batch.positions), len(batch.logit_rows)) for batch in self.batches]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


def test_a_prompt_goes_in_chunks_and_only_its_last_token_has_logits(backend: FakeBackend) -> None:
    assert Steps(backend, clock=backend.clock).prefill(20, 0) == 20
    assert backend.spans() == [(0, 8, 0), (8, 8, 0), (16, 4, 1)]
    assert list(backend.batches[2].logit_rows) == [3]


def test_what_stands_in_front_is_computed_once_and_not_timed(backend: FakeBackend) -> None:
    steps = Steps(backend, clock=backend.clock)
    assert steps.decode(2, 10) == [1, 1]
    assert backend.spans() == [(0, 8, 0), (8, 2, 1), (10, 1, 1), (11, 1, 1)]
    backend.batches.clear()
    assert steps.prefill(8, 12) == 8
    assert steps.decode(1, 3) == [1]
    assert backend.spans() == [(12, 8, 1), (3, 1, 1)]


def test_a_step_of_several_has_all_their_logits(backend: FakeBackend) -> None:
    assert Steps(backend, clock=backend.clock).step(4, 0) == 4
    assert backend.spans() == [(0, 4, 4)]


def test_a_position_always_has_the_same_token(backend: FakeBackend) -> None:
    steps = Steps(backend, clock=backend.clock)
    steps.prefill(60, 0)
    tokens = [token for batch in backend.batches for token in batch.token_ids]
    backend.batches.clear()
    steps.decode(5, 40)
    assert [batch.token_ids[0] for batch in backend.batches] == tokens[40:45]
    assert all(0 <= token < 50 for token in tokens) and len(set(tokens)) > 25


def test_batches_are_sound(backend: FakeBackend) -> None:
    Steps(backend, clock=backend.clock).step(3, 40)
    batch = backend.batches[-1]
    assert list(batch.positions) == [40, 41, 42]
    assert list(batch.sequences) == [0, 0, 0]
    assert list(batch.block_tables) == [0, 1, 2, 3] and batch.table_stride == 4  # 100 positions in blocks of 32


def test_progress_counts_tokens_while_no_clock_runs(backend: FakeBackend) -> None:
    seen: list[int] = []

    def on_step(num_tokens: int) -> None:
        seen.append(num_tokens)
        backend.now += 1000

    assert Steps(backend, on_step=on_step, clock=backend.clock).prefill(20, 0) == 20
    assert seen == [8, 8, 4]


def test_every_row_uses_the_adapter(backend: FakeBackend) -> None:
    Steps(backend).decode(1, 0)
    Steps(backend, adapter=3).step(5, 0)
    assert [None if batch.adapters is None else batch.adapters.tolist() for batch in backend.batches] == [None, [3] * 5]
