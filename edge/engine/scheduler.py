"""Which tokens the next step computes: decodes first, then shares of prompts.

A sequence is admitted when there are blocks for what it and those that run need soon (`work`), which is less than they
may need in the end. When blocks run out, those that come last in `order` are set aside (`shelf`) until the others have
theirs; the first always gets its blocks, because a sequence that would not fit alone is refused. An interactive
sequence that waits takes the place and the blocks of background ones.
"""

from __future__ import annotations

from edge.engine.block_manager import BlockManager
from edge.engine.handover import Alone
from edge.engine.order import gives_way, neighbours, running_order, waiting_order, was_passed
from edge.engine.pace import Pace
from edge.engine.prefix import cached_prefix
from edge.engine.sequence import Sequence
from edge.engine.shelf import Shelf
from edge.engine.work import Work, needed_soon, shares
from edge.errors import DoesNotFit

BACKGROUND_TURN = 8  # one in so many steps shares the tokens for prompts beginning with those who give way


class Scheduler:
    """max_tokens and max_sequences: of one step."""

    def __init__(self, blocks: BlockManager, pace: Pace, shelf: Shelf, max_tokens: int, max_sequences: int) -> None:
        self._blocks = blocks
        self._pace = pace
        self._shelf = shelf
        self._max_sequences = min(max_sequences, max_tokens)  # so that every running sequence can decode in a step
        self._arrivals = self._admissions = self._turn = 0
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self.handover = Alone()  # or another engine that reads prompts, too

    def add(self, sequence: Sequence) -> None:
        """Queues a sequence. DoesNotFit: it could not run even alone."""
        needed = self._blocks.blocks_for(sequence.max_length)
        if needed > self._blocks.num_blocks:
            raise DoesNotFit(
                f"{sequence.max_length} tokens need {needed} KV blocks, the cache has {self._blocks.num_blocks}"
            )
        self._arrive(sequence)
        self.waiting.append(sequence)

    def add_running(self, sequence: Sequence) -> None:
        """Takes a fork, whose blocks are shared already. DoesNotFit: there is no room beside those that run."""
        if len(self.running) >= self._max_sequences:
            raise DoesNotFit(f"{len(self.running)} sequences run, a step takes {self._max_sequences}")
        needed = needed_soon(sequence, self._blocks)
        if self._promised(self.running) + needed > self._blocks.num_free:
            raise DoesNotFit(f"a fork needs {needed} KV blocks beside those promised to others")
        self._arrive(sequence)
        self._run(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Forgets a sequence, wherever it is, and frees its blocks and its place on the disk."""
        self.handover.drop(sequence)
        for sequences in (self.running, self.waiting):
            if sequence in sequences:
                sequences.remove(sequence)
        self._shelf.forget(sequence)
        self._blocks.windows.leave(sequence)
        self._blocks.release(sequence.block_table)

    def schedule(self) -> list[Work]:
        """Work for one step, with blocks for all of it. Every sequence appears at most once.

        Empty: nothing is left to do, or the first sequence lacks blocks although no other runs.
        """
        while self.waiting and self._admit(min(self.waiting, key=waiting_order)):
            pass
        work = self.handover.share(self.running)
        here = [sequence for sequence in self.running if not self.handover.has(sequence)]
        decodes = [sequence for sequence in here if sequence.num_uncomputed_tokens == 1]
        decodes.sort(key=neighbours)
        prompts = sorted((item for item in here if item.num_uncomputed_tokens > 1), key=running_order)
        self._turn = (self._turn + 1) % BACKGROUND_TURN
        if self._turn == 0:
            prompts.sort(key=gives_way, reverse=True)
        work += [Work(sequence, 1) for sequence in decodes]
        if prompts:  # what a share may cost need not be worked out for nobody
            work += shares(prompts, self._pace.prompt_tokens(decodes))
        return self._with_blocks(work) or self._with_blocks([Work(item, 1) for item in here])

    def _with_blocks(self, work: list[Work]) -> list[Work]:
        """What there are blocks for, or can be when those that come last are set aside."""
        kept: set[int] = set()  # places in `work`
        aside: list[Sequence] = []
        taken = 0
        for place, item in sorted(enumerate(work), key=lambda pair: running_order(pair[1].sequence)):
            if item.sequence in aside:
                continue
            while taken + item.needs(self._blocks) > self._blocks.num_free:
                last = max(self.running, key=running_order)
                if last is item.sequence:
                    break  # it waits with what it has
                self._set_aside(last, evicted=True)
                aside.append(last)
            else:
                kept.add(place)
                taken += item.needs(self._blocks)
        return [item for place, item in enumerate(work) if place in kept]

    def _admit(self, sequence: Sequence) -> bool:
        """Runs a sequence if there is room, or background ones can make it."""
        yielding = [] if gives_way(sequence) else sorted(filter(gives_way, self.running), key=running_order)
        staying = [other for other in self.running if other not in yielding]
        free = self._blocks.num_free + sum(self._blocks.num_own(other.block_table) for other in yielding)
        needed = needed_soon(sequence, self._blocks) + self._promised(staying)
        if len(staying) >= self._max_sequences or needed > free:
            yielding = []  # it would not be enough
        while len(self.running) >= self._max_sequences or not self._has_blocks(sequence):
            if not yielding:
                return False
            self._set_aside(yielding.pop(), evicted=not self._has_blocks(sequence))
        self.waiting.remove(sequence)
        if sequence.priority == "interactive":
            was_passed(self.waiting)
        self._shelf.bring_back(sequence)
        self._run(sequence)
        return True

    def _has_blocks(self, sequence: Sequence) -> bool:
        """Whether it and those that run can have the blocks that they need soon."""
        found = cached_prefix(sequence, self._blocks).blocks
        needed = needed_soon(sequence, self._blocks) - len(found) + self._blocks.num_idle(found)
        return self._promised(self.running) + needed <= self._blocks.num_free

    def _promised(self, sequences: list[Sequence]) -> int:
        """Blocks that these sequences need soon."""
        return sum(needed_soon(sequence, self._blocks) for sequence in sequences)

    def _arrive(self, sequence: Sequence) -> None:
        if not sequence.arrival:  # a fork came with the request that it is part of
            self._arrivals += 1
            sequence.arrival = self._arrivals

    def _run(self, sequence: Sequence) -> None:
        self._admissions += 1
        sequence.admission = self._admissions
        self.running.append(sequence)

    def _set_aside(self, sequence: Sequence, *, evicted: bool) -> None:
        self.handover.drop(sequence)
        self.running.remove(sequence)
        self._shelf.set_aside(sequence, evicted=evicted)
        self.waiting.append(sequence)
