"""Prompts that another engine reads, while this one decodes: their K and V come in pieces of whole blocks.

The other engine has one slot and a thread of its own, and reads one prompt at a time. What it has read is stored into
the sequence's blocks between two steps, up to the last whole block in front of the prompt's last token; the rest is
computed here, so that logits are always this engine's.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from edge.backends.handover import KVSource, KVTarget
from edge.backends.protocol import Batch
from edge.engine.block_manager import BlockManager
from edge.engine.order import running_order
from edge.engine.sequence import Sequence
from edge.engine.slots import common_beginning
from edge.engine.work import Work
from edge.errors import Cancelled, EdgeError, NativeError

LEAST = 64  # tokens: fewer are read here as quickly as they are handed over
MOST_AGAIN = 2  # times the tokens that are missing here: more are not read there to get at them
WAIT_SECONDS = 0.01  # for a piece when there is nothing else to do: a signal handler cannot end it


class _Job:
    """Positions first .. end - 1 of a sequence, of which the other engine has done some and this one taken some."""

    def __init__(self, sequence: Sequence, end: int) -> None:
        self.sequence = sequence
        self.tokens = sequence.tokens[:end]
        self.taken = self.done = sequence.num_computed_tokens
        self.end = end
        self.error: EdgeError | None = None
        self.is_cancelled = False


class Alone:
    """No other engine reads prompts."""

    origin = b""

    @property
    def is_reading(self) -> bool:
        """Whether a piece will come, if one waits for it."""
        return False

    def failed(self) -> tuple[Sequence, EdgeError] | None:
        """The sequence that could not be read, and why."""
        return None

    def share(self, running: Iterable[Sequence]) -> list[Work]:
        """Gives one of these prompts to the other engine if that is idle; what has come of the one that it has."""
        return []

    def has(self, sequence: Sequence) -> bool:
        """Whether the other engine reads it, so that this one must not."""
        return False

    def deliver(self, work: Work, target: KVTarget, places: list[int] | None) -> None:
        """Stores a piece into the sequence's blocks. places: of all its blocks, in the windows' arena."""

    def drop(self, sequence: Sequence) -> None:
        """It has ended, or is set aside: the other engine need not go on with it."""

    def wait(self) -> None:
        """Until there is a piece, but not long."""

    def stop(self) -> None:
        """Ends what runs; allowed twice."""

    def close(self) -> None:
        """Ends what runs and frees the other engine; allowed twice."""


class Handover(Alone):
    """source: nothing else uses it, and `close` closes it. most: tokens of a piece, as of a step. on_begin: called with
    a sequence when its reading begins."""

    def __init__(self, source: KVSource, blocks: BlockManager, most: int, on_begin: Callable[[Sequence], None]) -> None:
        self.origin = source.name.encode()
        self._source = source
        self._blocks = blocks
        self._most = max(blocks.block_size, most // blocks.block_size * blocks.block_size)
        self._on_begin = on_begin
        self._job: _Job | None = None
        self._offered = 0  # of the job: how far it was when `share` was last asked
        self._held = array("i")  # tokens whose K and V are in the slot
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._progress = threading.Event()
        self._thread = threading.Thread(target=self._work, name="edge-prefill", daemon=True)
        self._thread.start()

    @property
    def is_reading(self) -> bool:
        job = self._job
        if job is None:
            return False
        return job.error is not None or job.done < job.end or job.done > self._offered  # since `share`: a step tells

    def failed(self) -> tuple[Sequence, EdgeError] | None:
        job = self._job
        return None if job is None or job.error is None else (job.sequence, job.error)

    def has(self, sequence: Sequence) -> bool:
        return self._job is not None and self._job.sequence is sequence

    def share(self, running: Iterable[Sequence]) -> list[Work]:
        if self._job is None:
            given = min(filter(self._is_worth, running), key=running_order, default=None)
            if given is not None:
                self._on_begin(given)
                self._progress.clear()
                self._job = _Job(given, self._end(given))
                self._jobs.put(self._job)
        job = self._job
        if job is None:
            return []
        self._offered = done = job.done  # the other thread may go on while this one looks
        return [] if done == job.taken else [Work(job.sequence, min(done - job.taken, self._most), is_handed=True)]

    def deliver(self, work: Work, target: KVTarget, places: list[int] | None) -> None:
        job, size = self._job, self._blocks.block_size
        assert job is not None and job.sequence is work.sequence
        end = job.taken + work.num_tokens
        filled = slice(job.taken // size, end // size)
        layers = self._source.read_kv(0, job.taken, end)
        target.store_kv(work.sequence.block_table[filled], None if places is None else places[filled], layers)
        job.taken = end
        if end == job.end:
            self._job = None

    def drop(self, sequence: Sequence) -> None:
        if self._job is not None and self._job.sequence is sequence:
            self._job.is_cancelled = True
            self._job = None
            self._source.cancel()

    def wait(self) -> None:
        self._progress.wait(WAIT_SECONDS)
        self._progress.clear()

    def stop(self) -> None:
        if self._job is not None:
            self.drop(self._job.sequence)
        self._jobs.put(None)
        self._thread.join()

    def close(self) -> None:
        self.stop()
        self._source.close()

    def _end(self, sequence: Sequence) -> int:
        size = self._blocks.block_size
        return min(len(sequence) - 1, self._source.limits.context) // size * size

    def _is_worth(self, sequence: Sequence) -> bool:
        first, end = sequence.num_computed_tokens, self._end(sequence)
        if sequence.is_read_here or sequence.adapter is not None:
            return False
        if first % self._blocks.block_size or end - first < LEAST:
            return False
        again = end - self._known(sequence.tokens, end)
        return again <= MOST_AGAIN * (end - first)

    def _known(self, tokens: array[int], end: int) -> int:
        """Of these tokens, from the first on, how many the other engine need not read again."""
        common = common_beginning(tokens, self._held, min(end, len(self._held)))
        return common if self._source.capabilities.reuses or common == len(self._held) else 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._read(job)

    def _read(self, job: _Job) -> None:
        position = self._known(job.tokens, job.end)
        self._done(job, position)
        while position < job.end and not job.is_cancelled:
            count = min(self._source.limits.max_tokens, job.end - position)
            try:
                self._source.step(_batch(job.tokens, position, count))
            except Cancelled:  # perhaps meant for the one before, which had just ended: then it is computed again
                continue
            except Exception as error:  # nobody else would hear of it, and the engine would wait for ever
                job.error = error if isinstance(error, EdgeError) else NativeError(f"{self._source.name}: {error!r}")
                self._progress.set()
                return
            position += count
            self._done(job, position)

    def _done(self, job: _Job, position: int) -> None:
        self._held = job.tokens[:position]
        job.done = max(job.done, position // self._blocks.block_size * self._blocks.block_size)
        self._progress.set()


def _batch(tokens: array[int], first: int, count: int) -> Batch:
    return Batch(
        token_ids=tokens[first : first + count],
        positions=array("i", range(first, first + count)),
        sequences=array("i", bytes(4 * count)),
        block_tables=array("i", [0]),
        table_stride=1,
        logit_rows=array("i"),
    )
