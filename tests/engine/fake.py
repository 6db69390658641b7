"""A backend without a model: its "KV" holds token ids and which adapter computed them, and logits hash what a row can
see through its block table.

A wrong table, a missed copy of a shared block, a wrong position or the block of another adapter changes the tokens.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING

from edge.backends import Batch, Capabilities, Limits
from edge.backends.compiled import window_blocks
from edge.backends.native import CAPABILITIES
from edge.engine import AdapterUse, Engine, Policy, SamplingParams, Sequence
from edge.errors import Cancelled, NumericalError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.backends.handover import Heads, KVSource

VOCAB_SIZE = 61
NUM_ADAPTERS = 2
ADAPTED = 64  # added to a token's cell for each adapter, the first once
POISON = 13  # a row that sees this token has logits that are not finite, if the backend is told so


class FakeBackend:
    name = "fake"
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, limits: Limits, poisoned: bool) -> None:
        self.limits = limits
        self.poisoned = poisoned
        self.cells = [[-1] * limits.block_size for _ in range(limits.num_blocks + limits.num_window_blocks)]
        self.batches: list[Batch] = []
        self.copies: list[tuple[int, int]] = []
        self.cancelled = False
        self.during_step: Callable[[], None] | None = None
        self.now = 0.0  # seconds of the clock, which only steps move
        self.step_seconds: Callable[[int], float] = lambda num_tokens: 1e-3 * num_tokens

    def step(self, batch: Batch) -> memoryview[float]:
        self.batches.append(batch)
        self.now += self.step_seconds(len(batch.token_ids))
        if self.during_step is not None:
            self.during_step()
        size = self.limits.block_size
        assert len(batch.token_ids) <= self.limits.max_tokens
        assert len(batch.block_tables) // batch.table_stride <= self.limits.max_sequences

        def block(row: int, position: int) -> int:
            return batch.block_tables[batch.sequences[row] * batch.table_stride + position // size]

        def place(row: int, position: int) -> int:
            assert batch.window_tables is not None
            found = batch.window_tables[batch.sequences[row] * batch.table_stride + position // size]
            assert 0 <= found < self.limits.num_window_blocks
            return self.limits.num_blocks + found

        window = self.limits.window
        for row, (token, position) in enumerate(zip(batch.token_ids, batch.positions, strict=True)):
            cell = token if batch.adapters is None else token + ADAPTED * (batch.adapters[row] + 1)
            self.cells[block(row, position)][position % size] = cell
            if window:
                self.cells[place(row, position)][position % size] = cell
        if self.cancelled:
            self.cancelled = False
            raise Cancelled("the run was cancelled")
        logits = array("f")
        for row in batch.logit_rows:
            seen = [self.cells[block(row, p)][p % size] for p in range(batch.positions[row] + 1)]
            assert -1 not in seen, "a row looks at a position that was never computed"
            if window:
                first = max(0, batch.positions[row] - window + 1)
                through = [self.cells[place(row, p)][p % size] for p in range(first, batch.positions[row] + 1)]
                assert through == seen[first:], "a window holds something else"
            if self.poisoned and any(cell % ADAPTED == POISON for cell in seen):
                raise NumericalError("logits are not finite")
            whole = zlib.crc32(bytes(seen))
            logits.extend((zlib.crc32(bytes([token]), whole) % 10007) / 16 for token in range(VOCAB_SIZE))
        return memoryview(logits)

    def copy_block(self, source: int, target: int) -> None:
        self.copies.append((source, target))
        self.cells[target] = list(self.cells[source])

    def read_block(self, block: int) -> bytearray:
        return bytearray(array("q", self.cells[block]).tobytes())

    def write_block(self, block: int, content: Buffer) -> None:
        self.cells[block] = array("q", bytes(content)).tolist()

    def store_kv(self, blocks: Items[int], places: Items[int] | None, layers: Iterable[tuple[Heads, Heads]]) -> None:
        (keys, _), size = next(iter(layers)), self.limits.block_size
        for index, block in enumerate(blocks):
            cells = [int(cell) for cell in keys[0, index * size : (index + 1) * size, 0]]
            assert len(cells) == size, "a block that is not filled"
            self.cells[block] = cells
            if places is not None and places[index] >= 0:
                self.cells[self.limits.num_blocks + places[index]] = list(cells)

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
        window: int = 0,
        poisoned: bool = False,
        schedule: str = "throughput",
        disk_bytes_s: float | None = None,
        swap_folder: Path | None = None,
        reader: KVSource | None = None,
    ) -> None:
        places = window_blocks(window, block_size, max_sequences, max_tokens, num_blocks)
        limits = Limits(
            VOCAB_SIZE,
            context,
            max_tokens,
            max_sequences,
            block_size,
            num_blocks,
            window,
            places,
            num_adapters=NUM_ADAPTERS,
        )
        self.backend = FakeBackend(limits, poisoned)
        policy = Policy(schedule, disk_bytes_s=disk_bytes_s, swap_folders=() if swap_folder is None else (swap_folder,))
        self.engine = Engine(self.backend, greedy, policy=policy, clock=lambda: self.backend.now, reader=reader)

    def add(
        self,
        prompt: Iterable[int],
        max_new: int = 6,
        end_ids: Iterable[int] = (),
        priority: str = "interactive",
        adapter: AdapterUse | None = None,
    ) -> Sequence:
        tokens = list(prompt)
        sequence = Sequence(
            tokens,
            SamplingParams(),
            max_length=len(tokens) + max_new,
            seed=0,
            end_ids=frozenset(end_ids),
            priority=priority,
            adapter=adapter,
        )
        self.engine.add(sequence)
        return sequence

    def run(self) -> None:
        while self.engine.step():
            self.check_blocks()

    def answer(self, prompt: Iterable[int], max_new: int = 6, adapter: AdapterUse | None = None) -> list[int]:
        """The tokens of one sequence run alone, to its end."""
        sequence = self.add(prompt, max_new, adapter=adapter)
        self.run()
        return list(sequence.output)

    def check_blocks(self) -> None:
        """Every block has the owners that its count says, and only sequences that are set aside lie on the disk."""
        engine = self.engine
        blocks, scheduler = engine.blocks, engine.scheduler
        owners = [block for sequence in scheduler.running for block in sequence.block_table]
        assert all(blocks.ref_count(block) == owners.count(block) for block in range(blocks.num_blocks))
        assert blocks.num_free + len(set(owners)) == blocks.num_blocks
        assert all(not sequence.block_table for sequence in scheduler.waiting)
        slots = [slot for sequence in scheduler.waiting for slot in sequence.swap_slots]
        assert len(slots) == len(set(slots)) == self.swap_slots
        assert not any(sequence.swap_slots for sequence in scheduler.running)
        self.check_windows()

    def check_windows(self) -> None:
        """What a running sequence will see has its place, and nothing behind the window is held."""
        engine = self.engine
        seen: set[int] = set()
        for sequence in engine.scheduler.running:
            first = engine.windows.first_seen(sequence.num_computed_tokens)
            needed = sequence.block_table[first : engine.blocks.blocks_for(sequence.num_computed_tokens)]
            assert engine.windows.holds(needed)
            seen.update(sequence.block_table[first:] if engine.windows.window else [])
        assert engine.windows.num_seen <= len(seen)
        assert all(sequence.window_end == 0 for sequence in engine.scheduler.waiting)

    @property
    def swap_slots(self) -> int:
        """In use on the disk."""
        return self.engine.shelf.num_swap_slots
