"""A backend without a model: its "KV" holds token ids, and logits hash what a row can see through its block table.

A wrong table, a missed copy of a shared block or a wrong position therefore changes the tokens.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

from edge.backends import Batch, Limits
from edge.engine import Engine, SamplingParams, Sequence
from edge.errors import Cancelled, NumericalError

if TYPE_CHECKING:
    from typing_extensions import Buffer

VOCAB_SIZE = 61
POISON = 13  # a row that sees this token has logits that are not finite, if the backend is told so


class FakeBackend:
    name = "fake"

    def __init__(self, limits: Limits, poisoned: bool) -> None:
        self.limits = limits
        self.poisoned = poisoned
        self.cells = [[-1] * limits.block_size for _ in range(limits.num_blocks)]
        self.batches: list[Batch] = []
        self.copies: list[tuple[int, int]] = []
        self.cancelled = False
        self.during_step: Callable[[], None] | None = None

    def step(self, batch: Batch) -> memoryview[float]:
        self.batches.append(batch)
        if self.during_step is not None:
            self.during_step()
        size = self.limits.block_size
        assert len(batch.token_ids) <= self.limits.max_tokens
        assert len(batch.block_tables) // batch.table_stride <= self.limits.max_sequences

        def block(row: int, position: int) -> int:
            return batch.block_tables[batch.sequences[row] * batch.table_stride + position // size]

        for row, (token, position) in enumerate(zip(batch.token_ids, batch.positions, strict=True)):
            self.cells[block(row, position)][position % size] = token
        if self.cancelled:
            self.cancelled = False
            raise Cancelled("the run was cancelled")
        logits = array("f")
        for row in batch.logit_rows:
            seen = [self.cells[block(row, p)][p % size] for p in range(batch.positions[row] + 1)]
            assert -1 not in seen, "a row looks at a position that was never computed"
            if self.poisoned and POISON in seen:
                raise NumericalError("logits are not finite")
            logits.extend((zlib.crc32(repr((seen, token)).encode()) % 10007) / 16 for token in range(VOCAB_SIZE))
        return memoryview(logits)

    def copy_block(self, source: int, target: int) -> None:
        self.copies.append((source, target))
        self.cells[target] = list(self.cells[source])

    def read_block(self, block: int) -> bytearray:
        return bytearray(array("q", self.cells[block]).tobytes())

    def write_block(self, block: int, content: Buffer) -> None:
        self.cells[block] = array("q", bytes(content)).tolist()

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        pass


def greedy(sequence: Sequence, logits: memoryview[float]) -> int:
    return max(range(len(logits)), key=lambda token: (logits[token], -token))


class Bench:
    """An engine on a fake backend, and the helpers that tests of both share."""

    def __init__(
        self,
        *,
        context: int = 40,
        max_tokens: int = 8,
        max_sequences: int = 4,
        block_size: int = 4,
        num_blocks: int = 40,
        poisoned: bool = False,
    ) -> None:
        limits = Limits(VOCAB_SIZE, context, max_tokens, max_sequences, block_size, num_blocks)
        self.backend = FakeBackend(limits, poisoned)
        self.clock = 0.0
        self.engine = Engine(self.backend, greedy, clock=self._tick)

    def _tick(self) -> float:
        self.clock += 1.0
        return self.clock

    def add(self, prompt: Iterable[int], max_new: int = 6, end_ids: Iterable[int] = ()) -> Sequence:
        tokens = list(prompt)
        sequence = Sequence(
            tokens, SamplingParams(), max_length=len(tokens) + max_new, seed=0, end_ids=frozenset(end_ids)
        )
        self.engine.add(sequence)
        return sequence

    def run(self) -> None:
        while self.engine.step():
            self.check_blocks()

    def answer(self, prompt: Iterable[int], max_new: int = 6) -> list[int]:
        """The tokens of one sequence run alone, to its end."""
        sequence = self.add(prompt, max_new)
        self.run()
        return list(sequence.output)

    def check_blocks(self) -> None:
        blocks = self.engine.blocks
        owners = [block for sequence in self.engine.scheduler.running for block in sequence.block_table]
        assert all(blocks.ref_count(block) == owners.count(block) for block in range(blocks.num_blocks))
        assert blocks.num_free + len(set(owners)) == blocks.num_blocks


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., Bench]:
    return Bench
