"""Steps that are like the one before: the same sequences, one token each, into blocks that they have.

Most steps of an answer are such. Nothing is to be decided in them, so they do without the scheduler: what stands
between two runs of a backend is cold in the processor's caches, which the weights have just passed through, and costs
several times what it costs in a loop of its own.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from edge.backends.protocol import Batch
from edge.engine.block_manager import BlockManager
from edge.engine.scheduler import Scheduler
from edge.engine.sequence import Sequence
from edge.engine.work import Work


@dataclass(frozen=True, slots=True)
class Steady:
    """batch: a step of one token of each of `sequences`, in this order. ends: positions that each one's blocks hold."""

    work: list[Work]
    sequences: list[Sequence]
    ends: list[int]
    batch: Batch

    @staticmethod
    def after(work: list[Work], batch: Batch, blocks: BlockManager) -> Steady | None:
        """None: it has part of a prompt, or adapters or windows, which differ from step to step."""
        if not len(batch.token_ids) == len(batch.logit_rows) == len(work):
            return None
        if batch.adapters is not None or batch.window_tables is not None:
            return None
        sequences = [item.sequence for item in work]
        ends = [len(sequence.block_table) * blocks.block_size for sequence in sequences]
        return Steady(work, sequences, ends, batch)

    def next(self, scheduler: Scheduler, blocks: BlockManager) -> Batch | None:
        """The step that follows, or the same again if it did not end; None: something is to be decided."""
        if scheduler.waiting or len(scheduler.running) != len(self.sequences):
            return None
        token_ids, positions = array("i"), array("i")
        for sequence, end in zip(self.sequences, self.ends, strict=True):
            position = len(sequence.tokens) - 1
            if (
                sequence.num_computed_tokens != position
                or position >= end
                or sequence.cancel_requested
                or sequence not in scheduler.running
                or blocks.ref_count(sequence.block_table[-1]) > 1
            ):
                return None
            token_ids.append(sequence.tokens[position])
            positions.append(position)
        _, _, owners, tables, stride, rows, _, _ = self.batch
        return Batch(token_ids, positions, owners, tables, stride, rows)
