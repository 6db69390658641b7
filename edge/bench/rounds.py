"""The rounds on one loaded model: every phase at every depth, and the read bandwidth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from edge.backends import LoadedBackend
from edge.backends.handover import KVSource
from edge.backends.native import DECODE_TOKENS
from edge.bench.handed import HandedSteps
from edge.bench.options import BenchOptions
from edge.bench.report import Phase, Result
from edge.bench.step_bytes import StepBytes
from edge.bench.steps import Steps
from edge.errors import EdgeError
from edge.native import BLOCK_SIZE
from edge.sensors import Energy, battery_watts

STEP_REPEATS = 8  # of a single step in a round: one is over before the system has settled

Bandwidth = Callable[[int], float]  # threads -> bytes per second


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that every round measures."""

    phase: Phase
    tokens: int
    depth: int

    @property
    def num_tokens(self) -> int:
        """That it runs in one round."""
        return self.tokens * (STEP_REPEATS if self.phase == "step" else 1)


@dataclass(frozen=True, slots=True)
class Work:
    """What to measure on each load. context: positions that it needs, the longest phase behind the deepest depth."""

    cases: tuple[Case, ...]
    rounds: int
    context: int

    @classmethod
    def of(cls, options: BenchOptions, depths: tuple[int, ...], *, hands_over: bool = False) -> Work:
        """hands_over: another engine reads prompts, too; they are measured at depth 0, in whole blocks."""
        phases: list[tuple[Phase, tuple[int, ...]]] = [
            ("prefill", options.prompts),
            ("decode", options.decodes),
            ("step", options.batches),
        ]
        cases = tuple(Case(phase, tokens, depth) for depth in depths for phase, sizes in phases for tokens in sizes)
        if hands_over:
            cases += tuple(Case("handed", tokens // BLOCK_SIZE * BLOCK_SIZE, 0) for tokens in options.prompts)
        return cls(cases, options.rounds, max(depths) + options.longest)

    @property
    def num_tokens(self) -> int:
        """That one load runs, warming up included."""
        in_rounds = self.rounds * sum(case.num_tokens for case in self.cases)
        return self.context + sum(case.tokens for case in self.cases if case.phase == "step") + in_rounds


class Rounds:
    """`bandwidth` and `watts` hold one entry a round; `bandwidth_note` says why there is no bandwidth."""

    def __init__(
        self,
        backend: LoadedBackend,
        work: Work,
        *,
        read_bandwidth: Bandwidth,
        energy: Energy,
        on_step: Callable[[int], None] | None,
        reader: KVSource | None = None,
    ) -> None:
        self.bandwidth: list[float] = []
        self.bandwidth_note: str | None = None
        self.watts: list[float] = []
        self._backend = backend
        self._work = work
        self._steps = Steps(backend, on_step=on_step)
        self._handed = None if reader is None else HandedSteps(reader, backend, on_step=on_step)
        self._read_bandwidth = read_bandwidth
        self._energy = energy
        self._seconds: dict[Case, list[float]] = {case: [] for case in work.cases}
        self._joules: dict[Case, list[float]] = {case: [] for case in work.cases}

    def warm_up(self) -> None:
        """Touches all memory that the rounds use, so that the peak is known before the bandwidth's buffer is there."""
        self._steps.reach(self._work.context)
        for case in self._work.cases:
            if case.phase == "step":
                self._steps.step(case.tokens, case.depth)

    def run(self) -> None:
        """Raises Cancelled, NumericalError."""
        for _ in range(self._work.rounds):
            self._measure_bandwidth()
            for case in self._work.cases:
                before = self._energy.now()
                self._seconds[case].append(self._time(case))
                joules = self._energy.joules(before, self._energy.now())
                if joules is not None:
                    self._joules[case].append(joules / (STEP_REPEATS if case.phase == "step" else 1))
            watts = battery_watts()
            if watts is not None:
                self.watts.append(watts)

    def results(self, step_bytes: StepBytes) -> list[Result]:
        """In the order of the cases."""
        return [self._result(case, step_bytes) for case in self._work.cases]

    def _time(self, case: Case) -> float:
        match case.phase:
            case "prefill":
                return self._steps.prefill(case.tokens, case.depth)
            case "handed":
                assert self._handed is not None
                return self._handed.prefill(case.tokens)
            case "decode":
                return sum(self._steps.decode(case.tokens, case.depth))
            case "step":
                return median(self._steps.step(case.tokens, case.depth) for _ in range(STEP_REPEATS))

    def _measure_bandwidth(self) -> None:
        if self.bandwidth_note is not None:
            return
        try:
            self.bandwidth.append(self._read_bandwidth(self._backend.decode_threads))
        except (EdgeError, OSError, MemoryError) as error:  # the model is there; its buffer may not fit beside it
            self.bandwidth_note = str(error) or type(error).__name__

    def _result(self, case: Case, step_bytes: StepBytes) -> Result:
        seconds = tuple(self._seconds[case])
        decodes, is_step = case.phase == "decode", case.phase == "step"
        few = decodes or (is_step and case.tokens <= DECODE_TOKENS)
        one = self._seconds.get(Case("step", 1, case.depth))
        return Result(
            phase=case.phase,
            tokens=case.tokens,
            depth=case.depth,
            threads=self._backend.decode_threads if few else self._backend.num_threads,
            seconds=seconds,
            joules=tuple(self._joules[case]),
            bytes_per_step=step_bytes.decode(case.tokens, case.depth) if decodes else None,
            read_bytes_s=median(self.bandwidth) if decodes and self.bandwidth else None,
            cost=median(seconds) / median(one) if is_step and one else None,
        )
