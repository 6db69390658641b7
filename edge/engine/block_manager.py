"""Who owns which KV block: reference counts over the arena, and copy-on-write of shared blocks.

A block table is a list of block numbers, the k-th holding positions k * block_size .. (k + 1) * block_size - 1.
Tables belong to sequences; this class changes them only through its methods, so free + in use = total always holds.
"""

from __future__ import annotations

from edge.errors import DoesNotFit


class BlockManager:
    """Counts the owners of `num_blocks` blocks of `block_size` positions each."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._ref_counts = [0] * num_blocks
        self._free = list(range(num_blocks - 1, -1, -1))  # a stack: the block used last is the warmest

    @property
    def num_free(self) -> int:
        return len(self._free)

    @property
    def num_used(self) -> int:
        """Blocks with at least one owner."""
        return self.num_blocks - len(self._free)

    def ref_count(self, block: int) -> int:
        return self._ref_counts[block]

    def blocks_for(self, num_positions: int) -> int:
        """Blocks that hold this many positions."""
        return -(-num_positions // self.block_size)

    def grow(self, table: list[int], num_positions: int) -> None:
        """Appends blocks until the table holds num_positions. DoesNotFit: nothing was changed."""
        missing = self.blocks_for(num_positions) - len(table)
        if missing > len(self._free):
            raise DoesNotFit(f"{num_positions} positions need {missing} more KV blocks, {len(self._free)} are free")
        for _ in range(missing):
            table.append(self._take())

    def trim(self, table: list[int], num_positions: int) -> None:
        """Gives up the blocks behind num_positions."""
        while len(table) > self.blocks_for(num_positions):
            self._give_up(table.pop())

    def release(self, table: list[int]) -> None:
        """Gives up all blocks and empties the table."""
        self.trim(table, 0)

    def fork(self, table: list[int]) -> list[int]:
        """A second table over the same blocks."""
        for block in table:
            self._ref_counts[block] += 1
        return list(table)

    def num_shared(self, table: list[int], first_position: int) -> int:
        """Blocks at or behind first_position that writing would have to copy."""
        return sum(self._ref_counts[block] > 1 for block in table[first_position // self.block_size :])

    def make_writable(self, table: list[int], first_position: int) -> list[tuple[int, int]]:
        """Replaces the shared blocks at or behind first_position by fresh ones.

        Returns (source, target) pairs whose contents the caller copies. DoesNotFit: nothing was changed.
        """
        first = first_position // self.block_size
        shared = [index for index in range(first, len(table)) if self._ref_counts[table[index]] > 1]
        if len(shared) > len(self._free):
            raise DoesNotFit(f"copying {len(shared)} shared KV blocks, {len(self._free)} are free")
        copies: list[tuple[int, int]] = []
        for index in shared:
            source, target = table[index], self._take()
            self._give_up(source)
            table[index] = target
            copies.append((source, target))
        return copies

    def _take(self) -> int:
        block = self._free.pop()
        self._ref_counts[block] = 1
        return block

    def _give_up(self, block: int) -> None:
        self._ref_counts[block] -= 1
        if self._ref_counts[block] == 0:
            self._free.append(block)
