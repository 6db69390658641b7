"""Layers that see a window: which blocks of positions still have their K and V of these layers.

A block has a place in the arena of those layers while a sequence that owns it sees it. Behind the window the place is
given up, but keeps its content until it is needed for another block, least recently used first. So a prefix can be used
up to the last point at which all that the next token sees is still there.
"""

from __future__ import annotations

from collections.abc import Sequence as Blocks

from edge.engine.sequence import Sequence
from edge.errors import DoesNotFit


class Windows:
    """num_places places for blocks of block_size positions. window: positions that a token sees, its own the last of
    them; 0: no layer has a window, and nothing happens here."""

    def __init__(self, window: int = 0, block_size: int = 1, num_places: int = 0) -> None:
        self.window = window
        self._block_size = block_size
        self._free = list(range(num_places - 1, -1, -1))
        self._places: dict[int, int] = {}  # by block
        self._readers: dict[int, int] = {}  # sequences that see a block
        self._idle: dict[int, None] = {}  # blocks with a place that nobody sees, the first to lose it first

    @property
    def num_seen(self) -> int:
        """Places that hold what a sequence sees."""
        return len(self._readers)

    def first_seen(self, position: int) -> int:
        """The first block that a token at this position sees."""
        return max(0, position - self.window + 1) // self._block_size if self.window else 0

    def holds(self, blocks: Blocks[int]) -> bool:
        """Whether all of these blocks have their place, or need none."""
        return not self.window or all(block in self._places for block in blocks)

    def reach(self, blocks: Blocks[int]) -> int:
        """Of these first blocks of a prompt, the most behind which a token finds all that it sees."""
        count = len(blocks)
        while not self.holds(blocks[self.first_seen(count * self._block_size) : count]):
            count -= 1
        return count

    def enter(self, sequence: Sequence) -> None:
        """A sequence begins with blocks that others computed."""
        sequence.window_start = self.first_seen(sequence.num_computed_tokens)
        sequence.window_end = max(sequence.window_start, len(sequence.block_table))
        for block in self._seen(sequence):
            self._see(block)

    def make_room(self, sequence: Sequence, copies: Blocks[tuple[int, int]]) -> list[tuple[int, int]]:
        """Places for blocks that its table has got, some as copies (source, target). The places to copy, likewise."""
        pairs: list[tuple[int, int]] = []
        if not self.window:
            return pairs
        for source, target in copies:
            self._see(target)
            pairs.append((self._places[source], self._places[target]))
            self._leave(source)
        for block in sequence.block_table[sequence.window_end :]:
            self._see(block)
        sequence.window_end = len(sequence.block_table)
        return pairs

    def slide(self, sequence: Sequence) -> None:
        """It has computed more tokens: gives up what its next one does not see."""
        start = self.first_seen(sequence.num_computed_tokens)
        if start > sequence.window_start:
            for block in sequence.block_table[sequence.window_start : start]:
                self._leave(block)
            sequence.window_start = start

    def leave(self, sequence: Sequence) -> None:
        """It gives up all its blocks: before that. The end of a prefix loses its place before its beginning."""
        for block in reversed(self._seen(sequence)):
            self._leave(block)
        sequence.window_start = sequence.window_end = 0

    def table(self, sequence: Sequence) -> list[int]:
        """The places of its blocks, -1 for those that it does not see any more."""
        return [-1] * sequence.window_start + [self._places[block] for block in self._seen(sequence)]

    def _seen(self, sequence: Sequence) -> list[int]:
        return sequence.block_table[sequence.window_start : sequence.window_end] if self.window else []

    def _see(self, block: int) -> None:
        self._idle.pop(block, None)
        if block not in self._places:
            self._places[block] = self._take()
        self._readers[block] = self._readers.get(block, 0) + 1

    def _leave(self, block: int) -> None:
        self._readers[block] -= 1
        if self._readers[block] == 0:
            del self._readers[block]
            self._idle[block] = None

    def _take(self) -> int:
        if self._free:
            return self._free.pop()
        if not self._idle:  # a backend has places for all sequences of a step
            raise DoesNotFit(f"all {len(self._places)} places of the layers with a window are seen")
        loser = next(iter(self._idle))
        del self._idle[loser]
        return self._places.pop(loser)
