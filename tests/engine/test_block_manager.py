"""The block manager, case by case; machines.py has the state machine."""

from __future__ import annotations

import pytest

import edge
from edge.engine import BlockManager


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
