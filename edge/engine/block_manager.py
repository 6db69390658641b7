"""Who owns which KV block: reference counts over the arena, copy-on-write of shared blocks, and which full blocks can
be found again by what they hold.

A block table is a list of block numbers, the k-th holding positions k * block_size .. (k + 1) * block_size - 1.
Tables belong to sequences; this class changes them only through its methods, so free + in use = total always holds.

A published block that nobody owns any more is free, but keeps its content until it is needed for something else: least
recently used first, and the end of a prefix before its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.engine.windows import Windows
from edge.errors import DoesNotFit


class BlockManager:
    """Counts the owners of `num_blocks` blocks of `block_size` positions each."""

    def __init__(self, num_blocks: int, block_size: int, windows: Windows | None = None) -> None:
        self.windows = Windows() if windows is None else windows
        self.origin = b""  # the name of another engine that computes blocks, too: a part of their keys
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._ref_counts = [0] * num_blocks
        self._free = list(range(num_blocks - 1, -1, -1))  # a stack: the block used last is the warmest
        self._idle: dict[int, None] = {}  # published and without owner, least recently used first
        self._keys: dict[int, bytes] = {}  # of published blocks
        self._published: dict[bytes, int] = {}

    @property
    def num_free(self) -> int:
        return len(self._free) + len(self._idle)

    @property
    def num_used(self) -> int:
        """Blocks with at least one owner."""
        return self.num_blocks - self.num_free

    @property
    def num_cached_tokens(self) -> int:
        """Positions of free blocks whose content can still be found."""
        return len(self._idle) * self.block_size

    def ref_count(self, block: int) -> int:
        return self._ref_counts[block]

    def blocks_for(self, num_positions: int) -> int:
        """Blocks that hold this many positions."""
        return -(-num_positions // self.block_size)

    def grow(self, table: list[int], num_positions: int) -> None:
        """Appends blocks until the table holds num_positions. DoesNotFit: nothing was changed."""
        missing = self.blocks_for(num_positions) - len(table)
        if missing > self.num_free:
            raise DoesNotFit(f"{num_positions} positions need {missing} more KV blocks, {self.num_free} are free")
        for _ in range(missing):
            table.append(self._take())

    def trim(self, table: list[int], num_positions: int) -> None:
        """Gives up the blocks behind num_positions."""
        while len(table) > self.blocks_for(num_positions):
            self._give_up(table.pop())

    def release(self, table: list[int]) -> None:
        """Gives up all blocks and empties the table."""
        self.trim(table, 0)

    def share(self, blocks: list[int]) -> list[int]:
        """Another table over these blocks: those of a table, or what `find` gave."""
        for block in blocks:
            self._idle.pop(block, None)
            self._ref_counts[block] += 1
        return list(blocks)

    def publish(self, block: int, key: bytes) -> None:
        """Lets a full block be found by its key, until it is written again. The first that has its windows stays."""
        known = self._published.get(key, block)
        if known == block or not self.windows.holds((known,)):
            self._withdraw(known)
            self._withdraw(block)
            self._published[key] = block
            self._keys[block] = key

    def find(self, keys: Iterable[bytes], *others: Iterable[bytes]) -> list[int]:
        """The blocks published under the first of these keys, or of the others that each may have, as far as they are
        known and can be gone on from."""
        found: list[int] = []
        for names in zip(keys, *others, strict=True):
            block = next((self._published[name] for name in names if name in self._published), None)
            if block is None:
                break
            found.append(block)
        return found[: self.windows.reach(found)]

    def num_idle(self, blocks: list[int]) -> int:
        """How many of them nobody owns: sharing these takes them from what is free."""
        return sum(block in self._idle for block in blocks)

    def num_own(self, table: list[int]) -> int:
        """Blocks that giving the table up would free."""
        return sum(self._ref_counts[block] == 1 for block in table)

    def num_shared(self, table: list[int], first_position: int) -> int:
        """Blocks at or behind first_position that writing would have to copy."""
        return sum(self._ref_counts[block] > 1 for block in table[first_position // self.block_size :])

    def make_writable(self, table: list[int], first_position: int) -> list[tuple[int, int]]:
        """Replaces the shared blocks at or behind first_position by fresh ones; the others are no longer found.

        Returns (source, target) pairs whose contents the caller copies. DoesNotFit: nothing was changed.
        """
        first = first_position // self.block_size
        shared = [index for index in range(first, len(table)) if self._ref_counts[table[index]] > 1]
        if len(shared) > self.num_free:
            raise DoesNotFit(f"copying {len(shared)} shared KV blocks, {self.num_free} are free")
        copies: list[tuple[int, int]] = []
        for block in table[first:]:
            if self._ref_counts[block] == 1:
                self._withdraw(block)
        for index in shared:
            source, target = table[index], self._take()
            self._give_up(source)
            table[index] = target
            copies.append((source, target))
        return copies

    def _take(self) -> int:
        if self._free:
            block = self._free.pop()
        else:
            block = next(iter(self._idle))
            del self._idle[block]
            self._withdraw(block)
        self._ref_counts[block] = 1
        return block

    def _give_up(self, block: int) -> None:
        self._ref_counts[block] -= 1
        if self._ref_counts[block] > 0:
            return
        if block in self._keys:
            self._idle[block] = None
        else:
            self._free.append(block)

    def _withdraw(self, block: int) -> None:
        self._published.pop(self._keys.pop(block, b""), None)
