"""What a step costs: 1 .. 32 tokens, chunks of a prompt, thread counts, and many positions in front."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from statistics import median

from edge import native
from edge.probe.proof import proof, rounded
from edge.probe.sample import MAX_POSITIONS, Sample, SampleModel
from edge.probe.tasks import Clock, Part, Task
from edge.profiles import Machine
from edge.profiles.records import Step

CHUNKS = (64, 128, 256, 512)
MAX_SMALL = 32
_PREFILL = 128  # tokens of the steps that compare thread counts
_DEPTH = MAX_POSITIONS - _PREFILL  # of the steps that show what attention costs


class Steps:
    """Tasks over one model in memory, which is made at the first and freed by close()."""

    def __init__(self, machine: Machine, sample: Sample, clock: Clock, *, each: float = 0.1) -> None:
        self._machine = machine
        self._sample = sample
        self._clock = clock
        self._each = each
        self._model: SampleModel | None = None

    def part(self, seconds: float) -> Part:
        """What decides most comes first: thread counts, points of the curve, the rest of it, what takes longest."""
        most = self._machine.num_cores
        wanted = self._compared()
        curve = (2, 4, 8, 16, MAX_SMALL, *CHUNKS[:-1], *range(3, MAX_SMALL), CHUNKS[-1])
        return self._part([*wanted, *((tokens, most, 0) for tokens in curve)], seconds)

    def comparison(self, seconds: float) -> Part:
        """Thread counts only: what a second model is measured with."""
        return self._part(self._compared(), seconds)

    def _compared(self) -> list[tuple[int, int, int]]:
        """(tokens, threads, depth)"""
        counts = self._machine.thread_counts[::-1]
        return [
            *((tokens, threads, 0) for threads in counts for tokens in (1, _PREFILL)),
            *((tokens, threads, _DEPTH) for threads in counts for tokens in (1, _PREFILL)),
        ]

    def _part(self, wanted: list[tuple[int, int, int]], seconds: float) -> Part:
        def what(tokens: int, threads: int, depth: int) -> str:
            behind = f" behind {depth} positions" if depth else ""
            return f"steps of {tokens} tokens with {threads} threads{behind}, {self._sample.name}"

        tasks = [Task(what(*case), partial(self._measure, *case)) for case in dict.fromkeys(wanted)]
        return Part(tasks, seconds)

    def close(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()

    def _measure(self, tokens: int, threads: int, depth: int) -> Step:
        if self._model is None:
            self._model = SampleModel(self._sample, max_tokens=max(CHUNKS), max_threads=self._machine.num_cores)
            with closing(native.Threads(1)) as pool:
                self._model.step(pool, 1)  # pages are there from here on
        model, clock = self._model, self._clock
        with closing(native.Threads(threads)) as pool:
            taken: list[float] = []
            while sum(taken) < self._each:  # a step that is long enough is not disturbed by its beginning
                started_at = clock()
                model.step(pool, tokens, depth)
                taken.append(max(clock() - started_at, 1e-9))
        return Step(
            model=self._sample.name,
            tokens=tokens,
            threads=threads,
            depth=depth or None,
            ms=rounded(1e3 * median(taken)),  # what a user will see, not the best there is
            evidence=proof(f"median of {len(taken)} steps, logits of the last token"),
        )
