"""The block manager as a state machine: free + in use = total, and no table changes behind its owner's back."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

import edge
from edge.engine import BlockManager

NUM_BLOCKS, BLOCK_SIZE = 12, 4


class Table:
    """A table, and what its owner believes is written at each position."""

    def __init__(self, blocks: list[int], content: list[int]) -> None:
        self.blocks = blocks
        self.content = content


def keys_of(content: list[int]) -> list[bytes]:
    """A key for every full block: everything up to its end."""
    ends = range(BLOCK_SIZE, len(content) + 1, BLOCK_SIZE)
    return [repr(content[:end]).encode() for end in ends]


class Blocks(RuleBasedStateMachine):
    """Writes numbered values through tables, and reads them back through all tables after every rule."""

    tables = Bundle("tables")

    def __init__(self) -> None:
        super().__init__()
        self.manager = BlockManager(NUM_BLOCKS, BLOCK_SIZE)
        self.cells = [[-1] * BLOCK_SIZE for _ in range(NUM_BLOCKS)]
        self.live: list[Table] = []
        self.next_value = 0

    @rule(target=tables)
    def start(self) -> Table:
        self.live.append(Table([], []))
        return self.live[-1]

    @rule(table=tables, count=st.integers(1, 9))
    def write(self, table: Table, count: int) -> None:
        before = list(table.blocks)
        try:
            copies = self.manager.make_writable(table.blocks, len(table.content))
            for source, target in copies:
                assert self.manager.ref_count(target) == 1
                self.cells[target] = list(self.cells[source])
            before = list(table.blocks)
            self.manager.grow(table.blocks, len(table.content) + count)
        except edge.DoesNotFit:
            assert table.blocks == before
            return
        for _ in range(count):
            position = len(table.content)
            self.cells[table.blocks[position // BLOCK_SIZE]][position % BLOCK_SIZE] = self.next_value
            table.content.append(self.next_value)
            self.next_value += 1

    @rule(target=tables, table=tables)
    def fork(self, table: Table) -> Table:
        self.live.append(Table(self.manager.share(table.blocks), list(table.content)))
        return self.live[-1]

    @rule(table=tables, keep=st.floats(0, 1))
    def trim(self, table: Table, keep: float) -> None:
        del table.content[int(keep * len(table.content)) :]
        self.manager.trim(table.blocks, len(table.content))

    @rule(table=consumes(tables))
    def release(self, table: Table) -> None:
        self.manager.release(table.blocks)
        assert table.blocks == []
        self.live.remove(table)

    @rule(table=tables)
    def publish(self, table: Table) -> None:
        for block, key in zip(table.blocks, keys_of(table.content), strict=False):
            self.manager.publish(block, key)

    @rule(target=tables, table=tables)
    def find(self, table: Table) -> Table:
        """What is found under the keys of a content has that content, whoever wrote it and whoever still owns it."""
        found = self.manager.find(keys_of(table.content))
        free = self.manager.num_free - self.manager.num_idle(found)
        self.live.append(Table(self.manager.share(found), table.content[: len(found) * BLOCK_SIZE]))
        assert self.manager.num_free == free
        return self.live[-1]

    @invariant()
    def counts_add_up(self) -> None:
        owners = [block for table in self.live for block in table.blocks]
        assert self.manager.num_free + self.manager.num_used == NUM_BLOCKS
        assert self.manager.num_used == len(set(owners))
        assert all(self.manager.ref_count(block) == owners.count(block) for block in range(NUM_BLOCKS))

    @invariant()
    def every_table_reads_what_was_written(self) -> None:
        for table in self.live:
            assert len(table.blocks) == self.manager.blocks_for(len(table.content))
            for position, value in enumerate(table.content):
                assert self.cells[table.blocks[position // BLOCK_SIZE]][position % BLOCK_SIZE] == value


def test_random_operations() -> None:
    run_state_machine_as_test(Blocks, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))


def test_growing_beyond_what_is_free_changes_nothing() -> None:
    manager = BlockManager(2, 4)
    table: list[int] = []
    manager.grow(table, 3)
    with pytest.raises(edge.DoesNotFit, match="12 positions need 2 more KV blocks, 1 are free"):
        manager.grow(table, 12)
    assert len(table) == 1
    assert manager.num_free == 1


def test_copy_on_write_without_a_free_block_changes_nothing() -> None:
    manager = BlockManager(1, 4)
    table: list[int] = []
    manager.grow(table, 2)
    fork = manager.share(table)
    with pytest.raises(edge.DoesNotFit):
        manager.make_writable(fork, 2)
    assert fork == table
    assert manager.ref_count(table[0]) == 2


def test_a_published_block_is_found_until_its_memory_is_needed() -> None:
    manager = BlockManager(4, 4)
    first: list[int] = []
    manager.grow(first, 12)
    for block, key in zip(first, (b"a", b"ab", b"abc"), strict=True):
        manager.publish(block, key)
    kept = list(first)
    manager.release(first)
    assert (manager.num_free, manager.num_used) == (4, 0)
    assert manager.find([b"a", b"ab", b"abc", b"abcd"]) == kept
    other: list[int] = []
    manager.grow(other, 8)  # the block that was never used, then the end of the prefix
    assert manager.find([b"a", b"ab", b"abc"]) == kept[:2]
    assert other[1] == kept[2]


def test_a_block_that_is_written_again_is_no_longer_found() -> None:
    manager = BlockManager(2, 4)
    table: list[int] = []
    manager.grow(table, 4)
    manager.publish(table[0], b"a")
    manager.trim(table, 3)
    assert manager.make_writable(table, 3) == []
    assert manager.find([b"a"]) == []
