"""A sequence's part in a step, and the blocks that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.engine.block_manager import BlockManager
from edge.engine.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Work:
    """The next num_tokens uncomputed tokens of a sequence. is_handed: another engine has computed them."""

    sequence: Sequence
    num_tokens: int
    is_handed: bool = False

    @property
    def completes(self) -> bool:
        """Whether the sequence has nothing left to compute afterwards, so that its next token can be chosen."""
        return self.num_tokens == self.sequence.num_uncomputed_tokens

    def needs(self, blocks: BlockManager) -> int:
        """Blocks that it must take."""
        return _missing(self.sequence, self.sequence.num_computed_tokens + self.num_tokens, blocks)


def shares(sequences: Iterable[Sequence], num_tokens: int) -> Iterator[Work]:
    """Gives the tokens of a step to the first, and what it leaves to the next."""
    for sequence in sequences:
        count = min(sequence.num_uncomputed_tokens, num_tokens)
        if count > 0:
            yield Work(sequence, count)
            num_tokens -= count


def needed_soon(sequence: Sequence, blocks: BlockManager) -> int:
    """Blocks that it must take for all tokens that it has, and one block more as far as it may grow at all."""
    return _missing(sequence, min(len(sequence) + blocks.block_size, sequence.max_length), blocks)


def _missing(sequence: Sequence, num_positions: int, blocks: BlockManager) -> int:
    """To hold so many positions, and to copy the shared blocks that it will write to."""
    missing = blocks.blocks_for(num_positions) - len(sequence.block_table)
    return max(missing, 0) + blocks.num_shared(sequence.block_table, sequence.num_computed_tokens)
