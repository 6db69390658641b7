"""What a step costs: 1 .. 32 tokens, chunks of a prompt, and thread counts."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from edge import native
from edge.probe.proof import proof, rounded
from edge.probe.sample import Sample, SampleModel
from edge.probe.tasks import Clock, Part, Task
from edge.profiles import Machine
from edge.profiles.records import Step

CHUNKS = (64, 128, 256, 512)
MAX_SMALL = 32
_PREFILL = 128  # tokens of the steps that compare thread counts


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
        counts = self._machine.thread_counts[::-1]
        wanted = [(tokens, threads) for threads in counts for tokens in (1, _PREFILL)]
        curve = (2, 4, 8, 16, MAX_SMALL, *CHUNKS[:-1], *range(3, MAX_SMALL), CHUNKS[-1])
        wanted += [(tokens, most) for tokens in curve]
        tasks = [
            Task(f"steps of {tokens} tokens with {threads} threads", partial(self._measure, tokens, threads))
            for tokens, threads in dict.fromkeys(wanted)
        ]
        return Part(tasks, seconds)

    def close(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()

    def _measure(self, tokens: int, threads: int) -> Step:
        if self._model is None:
            self._model = SampleModel(self._sample, max_tokens=max(CHUNKS), max_threads=self._machine.num_cores)
        model, clock = self._model, self._clock
        with closing(native.Threads(threads)) as pool:
            best, total, steps = float("inf"), 0.0, 0
            while steps == 0 or total < self._each:  # a step that is long enough is not disturbed by its beginning
                started_at = clock()
                model.step(pool, tokens)
                taken = max(clock() - started_at, 1e-9)
                best, total, steps = min(best, taken), total + taken, steps + 1
        return Step(
            model=self._sample.name,
            tokens=tokens,
            threads=threads,
            ms=rounded(1e3 * best),
            evidence=proof(f"fastest of {steps} steps from position 0, logits of the last token"),
        )
