"""Many sequences, one step at a time: schedule, run the backend, choose tokens, hand them out."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable
from typing import Protocol, cast

from edge.backends.handover import KVSource, KVTarget
from edge.backends.protocol import Backend, Batch
from edge.engine.block_manager import BlockManager
from edge.engine.fair_lock import FairLock
from edge.engine.handover import Handover
from edge.engine.logprobs import token_logprobs
from edge.engine.order import running_order, waiting_order
from edge.engine.pace import Pace
from edge.engine.policy import Policy
from edge.engine.prefix import mark_origin, publish_computed
from edge.engine.scheduler import Scheduler
from edge.engine.sequence import FinishReason, Sequence
from edge.engine.shelf import Shelf
from edge.engine.slots import Slots
from edge.engine.stats import EngineStats
from edge.engine.steady import Steady
from edge.engine.step_cost import StepCost
from edge.engine.windows import Windows
from edge.engine.work import Work
from edge.errors import Cancelled, ContextExceeded, DoesNotFit, EdgeError, NumericalError, RequestError


class Chooser(Protocol):
    """Picks the next token of a sequence from its logits, (vocab_size,) float32."""

    def __call__(self, sequence: Sequence, logits: memoryview[float]) -> int: ...


class Engine:
    """Runs sequences on a backend. One thread at a time calls step; `cancel` may come from any thread or handler."""

    def __init__(
        self,
        backend: Backend,
        choose: Chooser,
        *,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.perf_counter,
        reader: KVSource | None = None,
    ) -> None:
        """reader: another engine that reads prompts for a backend that is a `KVTarget`; freed with it."""
        limits, policy = backend.limits, Policy() if policy is None else policy
        self.backend = backend
        self.windows = Windows(limits.window, limits.block_size, limits.num_window_blocks)
        self.blocks = (
            BlockManager(limits.num_blocks, limits.block_size, self.windows)
            if backend.capabilities.kv_layout == "blocks"
            else Slots(limits.num_blocks, limits.block_size, reuses=backend.capabilities.reuses)
        )
        self.cost = StepCost(policy.step_seconds)
        self.shelf = Shelf(backend, self.blocks, policy, self.cost)
        self.scheduler = Scheduler(
            self.blocks,
            Pace(policy, self.cost, limits.max_tokens),
            self.shelf,
            limits.max_tokens,
            limits.max_sequences,
        )
        if reader is not None:
            self.scheduler.handover = Handover(reader, self.blocks, limits.max_tokens, self._begin)
            self.blocks.origin = self.scheduler.handover.origin
        self.lock = FairLock()  # held around step by callers that share the engine between threads
        self._choose = choose
        self._fast_forward = policy.fast_forward
        self._clock = clock
        self._active: list[Sequence] = []
        self._stepping = False
        self._steady: Steady | None = None  # the last step, when the next one may be like it

    def add(self, sequence: Sequence) -> None:
        """Queues a sequence. RequestError: an empty prompt, an unknown id. DoesNotFit: longer than the context."""
        limits = self.backend.limits
        known = f"the vocabulary has ids 0 to {limits.vocab_size - 1}"
        if not sequence.tokens:
            raise RequestError("the prompt has no tokens; a sequence starts with at least one")
        for token in (min(sequence.tokens), max(sequence.tokens)):
            if not 0 <= token < limits.vocab_size:
                raise RequestError(f"the prompt holds token id {token}; {known}")
        for token in sequence.params.logit_bias:
            if token >= limits.vocab_size:
                raise RequestError(f"logit_bias names token {token}; {known}")
        if sequence.adapter is not None and not 0 <= sequence.adapter.number < limits.num_adapters:
            raise RequestError(f"adapter {sequence.adapter.number} is not one of the {limits.num_adapters} loaded ones")
        if sequence.num_prompt_tokens >= limits.context:
            raise ContextExceeded(sequence.num_prompt_tokens, limits.context)
        sequence.max_length = min(sequence.max_length, limits.context)
        self.scheduler.add(sequence)
        self._active.append(sequence)

    def fork(self, sequence: Sequence, *, number: int, length: int | None = None) -> Sequence:
        """A sequence that continues like this one from here, or from its first `length` tokens.

        It shares the KV blocks until one of them writes. Where there is no room for it beside those that run, or the
        sequence does not run at this moment, it waits as a new one does, and finds what is still there.
        number: the fork's own, so that its random tokens differ. RequestError: no such length; the answer has ended.
        """
        length, last = len(sequence) if length is None else length, len(sequence) - sequence.finished
        if not sequence.num_prompt_tokens <= length <= last:
            what = "with its last token, the answer has ended" if sequence.finished else "all tokens so far"
            raise RequestError(
                f"fork at {length} tokens: it must be from {sequence.num_prompt_tokens}, the prompt, to {last}, {what}"
            )
        fork = Sequence(
            sequence.tokens[:length],
            sequence.params,
            max_length=sequence.max_length,
            seed=sequence.seed,
            number=number,
            end_ids=sequence.end_ids,
            priority=sequence.priority,
            forced=None if sequence.forced is None else sequence.forced.fresh(),
            adapter=sequence.adapter,
            is_read_here=sequence.is_read_here,
        )
        fork.num_prompt_tokens = sequence.num_prompt_tokens
        fork.origin = sequence.origin
        fork.arrival = sequence.arrival  # who asks for several answers does not queue again for each
        if sequence.constraint is not None:
            fork.constraint = sequence.constraint.copy()
            fork.constraint.rollback(fork.constraint.num_tokens - fork.num_answer_tokens)
        if sequence not in self.scheduler.running or not self._share(sequence, fork):
            self.scheduler.add(fork)
        self._active.append(fork)
        return fork

    def _share(self, sequence: Sequence, fork: Sequence) -> bool:
        """Lets the fork run on the blocks of a running sequence; its last token is left to compute, for its logits."""
        if not self.backend.capabilities.reuses:
            return False
        computed = min(sequence.num_computed_tokens, len(fork) - 1)
        table = sequence.block_table[: self.blocks.blocks_for(computed)]
        if not self.windows.holds(table[self.windows.first_seen(computed) :]):
            return False
        fork.num_computed_tokens, fork.num_cached_tokens = computed, min(computed, fork.num_prompt_tokens)
        fork.block_table = self.blocks.share(table)
        fork.block_keys = sequence.block_keys[: computed // self.blocks.block_size]
        self.windows.enter(fork)
        try:
            self.scheduler.add_running(fork)
        except DoesNotFit:
            self.windows.leave(fork)
            self.blocks.release(fork.block_table)
            fork.num_computed_tokens, fork.num_cached_tokens, fork.block_keys = 0, 0, []
            return False
        return True

    def cancel(self, *sequences: Sequence) -> None:
        """Ends these sequences (without any: all) with reason "cancelled"; a running step stops between two operations.

        From any thread, and from a signal handler: it takes no lock.
        """
        for sequence in sequences or tuple(self._active):
            sequence.cancel_requested = True
        if self._stepping:
            self.backend.cancel()

    def finish(self, sequence: Sequence, reason: FinishReason) -> None:
        """Ends a sequence between steps and frees its blocks: its text holds a stop string, its reader went away ..."""
        if not sequence.finished:
            sequence.finish_reason = reason
        self._drop(sequence)

    def step(self) -> bool:
        """Runs one step. False: nothing was left to do.

        A sequence whose logits are not finite ends with its `error` set; the others of its batch are not affected.
        """
        steady = self._steady
        if steady is not None:
            batch = steady.next(self.scheduler, self.blocks)
            if batch is not None:
                self._try(steady.work, batch)
                return True
            self._steady = None
        self._drop_cancelled()
        failed = self.scheduler.handover.failed()
        if failed is not None:
            self._fail(*failed)
        work = self.scheduler.schedule()
        if not work and self.scheduler.handover.is_reading:
            self.scheduler.handover.wait()
            return True
        if not work:
            return self._fail_stuck()
        for item in work:
            self._begin(item.sequence)
        self._take_handed([item for item in work if item.is_handed])
        work = [item for item in work if not item.is_handed]
        if not work:
            return True
        for item in work:
            self._make_room(item)
        batch = _batch(work, self.windows)
        self._steady = Steady.after(work, batch, self.blocks)
        self._try(work, batch)
        return True

    def _try(self, work: list[Work], batch: Batch) -> None:
        try:
            self._run(work, batch)
        except Cancelled:
            # Nothing of this batch was committed: sequences that were not meant compute it again in the next step.
            # That also absorbs a request which arrived just after its step had ended.
            self._drop_cancelled()

    def _begin(self, sequence: Sequence) -> None:
        if sequence.started_at is None:
            sequence.started_at = self._clock()

    def _take_handed(self, work: list[Work]) -> None:
        """Stores what another engine has computed of prompts."""
        handover = self.scheduler.handover
        for item in work:
            sequence = item.sequence
            self._make_room(item)
            places = self.windows.table(sequence) if self.windows.window else None
            handover.deliver(item, cast("KVTarget", self.backend), places)
            mark_origin(sequence, handover.origin, self.blocks.block_size)
            sequence.num_computed_tokens += item.num_tokens
            sequence.num_handed_tokens += item.num_tokens
            publish_computed(sequence, self.blocks)
            self.windows.slide(sequence)

    def stats(self) -> EngineStats:
        """From any thread; a step that runs meanwhile may have changed part of it."""
        waiting = tuple(self.scheduler.waiting)
        return EngineStats(
            running=len(self.scheduler.running),
            waiting=sum(sequence.num_preemptions == 0 for sequence in waiting),
            preempted=sum(sequence.num_preemptions > 0 for sequence in waiting),
            swapped=sum(bool(sequence.swap_slots) for sequence in waiting),
            blocks_free=self.blocks.num_free,
            blocks_used=self.blocks.num_used,
            cached_tokens=self.blocks.num_cached_tokens,
            preemptions=self.shelf.num_preemptions,
            swaps=self.shelf.num_swaps,
            note=self.shelf.note,
            blocks_shared=self._num_shared(),
            block_size=self.blocks.block_size,
        )

    def _num_shared(self) -> int:
        """Blocks that several sequences own."""
        owners = Counter(block for sequence in tuple(self.scheduler.running) for block in tuple(sequence.block_table))
        return sum(count > 1 for count in owners.values())

    def close(self) -> None:
        """Ends all sequences and frees the backend."""
        for sequence in tuple(self._active):
            sequence.cancel_requested = True
        self._drop_cancelled()
        self.shelf.close()
        self.scheduler.handover.close()
        self.backend.close()

    def _run(self, work: list[Work], batch: Batch) -> None:
        started_at = self._clock()
        try:
            self._stepping = True
            try:
                logits = self.backend.step(batch)
            finally:
                self._stepping = False
        except NumericalError as error:
            if len(work) == 1:
                self._fail(work[0].sequence, error)
                return
            # The results of a row do not depend on its batch: run each alone to find whose they are.
            for item in work:
                self._run([item], _batch([item], self.windows))
            return
        self._commit(work, logits)
        self.cost.observe(len(batch.token_ids), self._clock() - started_at)

    def _commit(self, work: list[Work], logits: memoryview[float]) -> None:
        vocab_size = self.backend.limits.vocab_size
        row = 0
        for item in work:
            sequence, completes = item.sequence, item.completes
            sequence.num_computed_tokens += item.num_tokens
            publish_computed(sequence, self.blocks)
            self.windows.slide(sequence)
            if not completes:
                continue
            row_logits, num_top = logits[row * vocab_size : (row + 1) * vocab_size], sequence.params.logprobs
            # Probabilities need the logits in front of every token.
            fast = self._fast_forward and num_top is None and sequence.constraint is not None
            try:
                # Tokens that the constraint forces are computed in one step, as a prompt is; only the first token of an
                # answer can be one here, later ones were taken with the token before them.
                if not (fast and sequence.append_forced()):
                    token = sequence.forced_token()
                    if token is None:
                        token = self._choose(sequence, row_logits)
                    sequence.append(token, None if num_top is None else token_logprobs(row_logits, token, num_top))
                    if fast:
                        sequence.append_forced()
            except EdgeError as error:
                self._fail(sequence, error)
            else:
                sequence.last_token_at = self._clock()
                if sequence.first_token_at is None:
                    sequence.first_token_at = sequence.last_token_at
                if sequence.finished:
                    self._drop(sequence)
            row += 1

    def _make_room(self, item: Work) -> None:
        """Blocks for the tokens of this step; shared ones it would write to are copied first."""
        sequence = item.sequence
        copies = self.blocks.make_writable(sequence.block_table, sequence.num_computed_tokens)
        for source, target in copies:
            self.backend.copy_block(source, target)
        self.blocks.grow(sequence.block_table, sequence.num_computed_tokens + item.num_tokens)
        first = self.backend.limits.num_blocks
        for source, target in self.windows.make_room(sequence, copies):
            self.backend.copy_block(first + source, first + target)

    def _fail_stuck(self) -> bool:
        """False: nothing is left to do. Otherwise the first sequence cannot run even alone, and ends with an error."""
        stuck = self.scheduler.running or self.scheduler.waiting
        if not stuck:
            return False
        first = min(stuck, key=running_order if self.scheduler.running else waiting_order)
        free = self.blocks.num_free
        self._fail(first, DoesNotFit(f"{len(first)} tokens need more KV blocks than the {free} that nobody holds"))
        return True

    def _fail(self, sequence: Sequence, error: EdgeError) -> None:
        sequence.error = error
        self._drop(sequence)

    def _drop(self, sequence: Sequence) -> None:
        self.scheduler.remove(sequence)
        self._steady = None  # it may hold the sequence
        if sequence in self._active:
            self._active.remove(sequence)

    def _drop_cancelled(self) -> None:
        for sequence in tuple(self._active):
            if sequence.cancel_requested:
                sequence.finish_reason = "cancelled"
                self._drop(sequence)


def _batch(work: list[Work], windows: Windows) -> Batch:
    """The rows of all sequences, one after another; logits of each row that completes its sequence."""
    stride = max(len(item.sequence.block_table) for item in work)
    token_ids, positions, sequences, logit_rows, tables, seen, adapters = (array("i") for _ in range(7))
    adapted = any(item.sequence.adapter is not None for item in work)
    for index, item in enumerate(work):
        start = item.sequence.num_computed_tokens
        end = start + item.num_tokens
        token_ids.extend(item.sequence.tokens[start:end])
        positions.extend(range(start, end))
        sequences.extend([index] * item.num_tokens)
        table = item.sequence.block_table
        tables.extend(table)
        tables.extend([-1] * (stride - len(table)))
        if windows.window:
            seen.extend(windows.table(item.sequence))
            seen.extend([-1] * (stride - len(table)))
        if adapted:
            use = item.sequence.adapter
            adapters.extend(-1 if use is None else use.at(position) for position in range(start, end))
        if item.completes:
            logit_rows.append(len(token_ids) - 1)
    return Batch(
        token_ids,
        positions,
        sequences,
        tables,
        stride,
        logit_rows,
        seen if windows.window else None,
        adapters if adapted else None,
    )
