"""KV in slots: every sequence has one for itself. A slot is a block that holds a whole sequence.

So block tables, reference counts, forks and setting aside are those of blocks. What differs: a prefix is whatever a
slot begins with, to the token, not whole blocks; and two sequences with the same beginning each need a copy of it.
"""

from __future__ import annotations

from array import array

from edge.engine.block_manager import BlockManager
from edge.engine.sequence import Sequence

__all__ = ["Slots", "common_beginning"]

LEAST_COPIED = 32  # tokens: fewer in common are computed again as quickly as a slot is copied, or filled anew


class Slots(BlockManager):
    """num_slots of num_positions each. reuses False: what a slot holds is of no use to another sequence."""

    def __init__(self, num_slots: int, num_positions: int, *, reuses: bool = True) -> None:
        super().__init__(num_slots, num_positions)
        self._reuses = reuses
        self._held: dict[int, tuple[array[int], int]] = {}  # slot -> tokens of a sequence, how many of them it holds

    @property
    def num_cached_tokens(self) -> int:
        held, idle = dict(self._held), tuple(self._idle)  # asked by any thread, while a step changes them
        return sum(held[slot][1] for slot in idle if slot in held)

    def note(self, sequence: Sequence) -> None:
        """Its slot holds its computed tokens now."""
        if self._reuses:
            self._held[sequence.block_table[0]] = sequence.tokens, sequence.num_computed_tokens

    def longest(self, sequence: Sequence) -> tuple[list[int], int]:
        """The slot that has most of the sequence's beginning, its last token left out, and how many tokens that is.

        An idle slot goes before one that is in use, from which they would have to be copied.
        """
        best, slot = (0, False), -1
        for candidate, (tokens, count) in self._held.items():
            idle = candidate in self._idle
            common = common_beginning(sequence.tokens, tokens, min(count, len(sequence) - 1))
            worth = common >= LEAST_COPIED or (idle and 2 * common >= count)
            if worth and (common, idle) > best:
                best, slot = (common, idle), candidate
        return ([slot], best[0]) if best[0] else ([], 0)

    def num_held(self, tokens: array[int]) -> int:
        """Of these tokens, from the first on, how many a slot holds."""
        return max(
            (common_beginning(tokens, held, min(count, len(tokens))) for held, count in self._held.values()), default=0
        )

    def num_idle(self, blocks: list[int]) -> int:
        """Sharing a slot that is in use takes a free one as well, for the copy."""
        return len(blocks)

    def make_writable(self, table: list[int], first_position: int) -> list[tuple[int, int]]:
        """As of blocks; but a slot that holds much more than is written behind is left as it is, for the conversation
        that it belongs to, and copied, if there is another free one."""
        if table and self.ref_count(table[0]) == 1 and self.num_free > 0:
            _, count = self._held.get(table[0], ((), 0))
            if LEAST_COPIED <= first_position < count // 2:
                source, table[0] = table[0], self._take()
                self._give_up(source)
                return [(source, table[0])]
        return super().make_writable(table, first_position)

    def _give_up(self, block: int) -> None:
        self._ref_counts[block] -= 1
        if self._ref_counts[block] > 0:
            return
        if block in self._held:
            self._idle[block] = None
        else:
            self._free.append(block)

    def _withdraw(self, block: int) -> None:
        self._held.pop(block, None)


def common_beginning(one: array[int], other: array[int], most: int) -> int:
    """How many of the first `most` tokens are the same in both, by bisection."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
