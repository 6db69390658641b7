"""Sequences that are set aside: their KV goes to the disk, or is dropped and computed again.

Dropped blocks that are full stay findable until their memory is needed for something else, so that a sequence which
only lost its place in the steps loses next to nothing. When memory is what it lost, the KV is written to the disk if
writing and reading it back takes less time than computing it again: bytes over the disk's speed, which the profile
knows, twice, against tokens over the speed of this model's prompts, which the engine measures. Where either is not
known it is dropped, and also when the disk is full or fails, and where layers see a window.
"""

from __future__ import annotations

from edge.backends.protocol import Backend
from edge.engine.block_manager import BlockManager
from edge.engine.policy import Policy
from edge.engine.prefix import cached_prefix, mark_origin
from edge.engine.sequence import Sequence
from edge.engine.step_cost import StepCost
from edge.engine.swap_file import SwapFile

_SLOTS_PER_BLOCK = 4  # on the disk, of those in memory: what it may take is bounded


class Shelf:
    """Sets sequences aside and brings them back, with the same KV as before."""

    def __init__(self, backend: Backend, blocks: BlockManager, policy: Policy, cost: StepCost) -> None:
        self._backend = backend
        self._blocks = blocks
        self._policy = policy
        self._cost = cost
        self._file: SwapFile | None = None
        self._block_bytes = 0
        self.num_preemptions = 0
        self.num_swaps = 0  # those of them that went to the disk
        self.note: str | None = None  # why something was dropped that should have been written

    @property
    def num_swap_slots(self) -> int:
        """Blocks on the disk."""
        return 0 if self._file is None else self._file.num_used

    @property
    def num_swap_bytes(self) -> int:
        """Length of the file there."""
        return 0 if self._file is None else self._file.num_bytes

    def set_aside(self, sequence: Sequence, *, evicted: bool) -> None:
        """Frees its blocks. evicted: their memory is needed now, so that they will not be found again."""
        slots = self._written(sequence) if evicted and self._disk_is_faster(sequence) else []
        self._blocks.windows.leave(sequence)
        self._blocks.release(sequence.block_table)
        sequence.block_keys = []
        sequence.swap_slots = slots
        if not slots:
            sequence.num_computed_tokens = sequence.num_handed_tokens = 0
        sequence.num_preemptions += 1
        self.num_preemptions += 1

    def bring_back(self, sequence: Sequence) -> None:
        """Gives a sequence without blocks what can be found, and what was written; also one that never had any."""
        prefix = cached_prefix(sequence, self._blocks)
        sequence.block_keys, sequence.block_table = prefix.keys, self._blocks.share(prefix.blocks)
        computed, origin = prefix.num_tokens, prefix.origin
        if sequence.num_computed_tokens > computed and self._read(sequence, len(prefix.blocks)):
            computed, origin = sequence.num_computed_tokens, sequence.origin or origin
        sequence.num_computed_tokens, sequence.origin = computed, prefix.origin
        mark_origin(sequence, origin, self._blocks.block_size)
        self._blocks.windows.enter(sequence)
        if sequence.num_preemptions == 0:
            sequence.num_cached_tokens = computed
        self.forget(sequence)

    def forget(self, sequence: Sequence) -> None:
        """Frees its place on the disk."""
        if sequence.swap_slots and self._file is not None:
            self._file.free(sequence.swap_slots)
        sequence.swap_slots = []

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _disk_is_faster(self, sequence: Sequence) -> bool:
        tokens_s = self._cost.tokens_per_second(self._backend.limits.max_tokens)
        if tokens_s is None or self._policy.disk_bytes_s is None or sequence.num_computed_tokens == 0:
            return False
        if not self._backend.capabilities.saves:
            return False
        if self._blocks.windows.window:  # a file has whole blocks, of which most windows are gone
            return False
        if not self._block_bytes:
            self._block_bytes = len(self._backend.read_block(sequence.block_table[0]))
        num_bytes = self._block_bytes * self._blocks.blocks_for(sequence.num_computed_tokens)
        return 2 * num_bytes / self._policy.disk_bytes_s < sequence.num_computed_tokens / tokens_s

    def _written(self, sequence: Sequence) -> list[int]:
        if self._file is None:
            max_slots = _SLOTS_PER_BLOCK * self._blocks.num_blocks
            self._file = SwapFile(self._policy.swap_folders, self._block_bytes, max_slots)
        table = sequence.block_table[: self._blocks.blocks_for(sequence.num_computed_tokens)]
        try:
            slots = self._file.write(self._backend.read_block(block) for block in table)
        except OSError as error:
            self.note = f"KV is computed again instead of swapped: {error}"
            return []
        self.num_swaps += 1
        return slots

    def _read(self, sequence: Sequence, first: int) -> bool:
        """Writes the blocks from `first` on back into the arena."""
        assert self._file is not None
        self._blocks.grow(sequence.block_table, sequence.num_computed_tokens)
        try:
            for block, slot in zip(sequence.block_table[first:], sequence.swap_slots[first:], strict=True):
                self._backend.write_block(block, self._file.read(slot))
        except OSError as error:
            self.note = f"KV is computed again instead of read back: {error}"
            self._blocks.trim(sequence.block_table, first * self._blocks.block_size)
            return False
        return True
