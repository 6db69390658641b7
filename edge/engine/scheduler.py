"""Which tokens the next step computes: decodes first, then chunks of prompts.

A sequence is admitted when the KV blocks it may ever need are free and not promised to others, so a running one
never waits for memory. It starts behind the longest beginning of its prompt that the blocks still hold.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from edge.engine.block_manager import BlockManager
from edge.engine.prefix import cached_prefix
from edge.engine.sequence import Sequence
from edge.errors import DoesNotFit


@dataclass(frozen=True, slots=True)
class Work:
    """The next num_tokens uncomputed tokens of a sequence."""

    sequence: Sequence
    num_tokens: int

    @property
    def completes(self) -> bool:
        """Whether the sequence has nothing left to compute afterwards, so that its next token can be chosen."""
        return self.num_tokens == self.sequence.num_uncomputed_tokens


class Scheduler:
    """First come, first served. max_tokens and max_sequences: of one step."""

    def __init__(self, blocks: BlockManager, max_tokens: int, max_sequences: int) -> None:
        self._blocks = blocks
        self._max_tokens = max_tokens
        self._max_sequences = min(max_sequences, max_tokens)  # so that every running sequence can decode in a step
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []

    def add(self, sequence: Sequence) -> None:
        """Queues a sequence. DoesNotFit: it could not run even alone."""
        needed = self._blocks.blocks_for(sequence.max_length)
        if needed > self._blocks.num_blocks:
            raise DoesNotFit(
                f"{sequence.max_length} tokens need {needed} KV blocks, the cache has {self._blocks.num_blocks}"
            )
        self.waiting.append(sequence)

    def add_running(self, sequence: Sequence) -> None:
        """Takes a fork, whose blocks are shared already. DoesNotFit: there is no room beside those that run."""
        if len(self.running) >= self._max_sequences:
            raise DoesNotFit(f"{len(self.running)} sequences run, a step takes {self._max_sequences}")
        if self._promised() + self._outstanding(sequence) > self._blocks.num_free:
            raise DoesNotFit(f"a fork needs {self._outstanding(sequence)} KV blocks beside those promised to others")
        self.running.append(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Forgets a sequence, wherever it is, and frees its blocks."""
        if sequence in self.running:
            self.running.remove(sequence)
        elif sequence in self.waiting:
            self.waiting.remove(sequence)
        self._blocks.release(sequence.block_table)

    def schedule(self) -> list[Work]:
        """Work for one step; empty when there is none. Every sequence appears at most once."""
        self._admit()
        work = [Work(sequence, 1) for sequence in self.running if sequence.num_uncomputed_tokens == 1]
        budget = self._max_tokens - len(work)
        for sequence in self.running:
            count = min(sequence.num_uncomputed_tokens, budget)
            if count > 0 and sequence.num_uncomputed_tokens > 1:
                work.append(Work(sequence, count))
                budget -= count
        return work

    def _admit(self) -> None:
        while self.waiting and len(self.running) < self._max_sequences:
            sequence = self.waiting[0]
            keys, found = cached_prefix(sequence, self._blocks)
            needed = self._outstanding(sequence) - len(found) + self._blocks.num_idle(found)
            if self._promised() + needed > self._blocks.num_free:
                return
            sequence.block_keys, sequence.block_table = keys, self._blocks.share(found)
            sequence.num_computed_tokens = sequence.num_cached_tokens = len(found) * self._blocks.block_size
            self.running.append(self.waiting.popleft())

    def _promised(self) -> int:
        """Blocks that running sequences may still take."""
        return sum(self._outstanding(sequence) for sequence in self.running)

    def _outstanding(self, sequence: Sequence) -> int:
        missing = self._blocks.blocks_for(sequence.max_length) - len(sequence.block_table)
        return missing + self._blocks.num_shared(sequence.block_table, sequence.num_computed_tokens)
