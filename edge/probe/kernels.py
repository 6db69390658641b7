"""How fast each instruction-set level multiplies matrices of each weight type."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from edge import native
from edge.backends.compiled import MATRIX_TYPES
from edge.formats.types import GGMLType, type_name
from edge.native.measure import MAX_TOKENS
from edge.probe.proof import proof, rounded
from edge.probe.sample import Sample, made_up
from edge.probe.tasks import Part, Task
from edge.profiles import Machine
from edge.profiles.records import Compute

TOKENS = (1, MAX_TOKENS)  # a decode step, a piece of a prompt
_TYPICAL = (5632, 2048)  # rows, columns: gate and up of TinyLlama-1.1B
_SCALAR_ROWS = 256  # a level without SIMD takes seconds for more
COMMON = (
    GGMLType.Q4_0, GGMLType.Q8_0, GGMLType.Q4_K, GGMLType.Q6_K, GGMLType.Q2_K, GGMLType.Q3_K, GGMLType.Q5_K,
    GGMLType.Q5_0, GGMLType.F16, GGMLType.TQ1_0, GGMLType.TQ2_0,
)  # fmt: skip
_MAX_SHAPES = 12  # of a model: the largest

Shape = tuple[int, tuple[int, int]]  # type, (rows, columns)


def peaks_part(machine: Machine, seconds: float, *, each: float = 0.1) -> Part:
    """The integer peak of every level: what no kernel of it exceeds."""

    def record(isa: str) -> Compute:
        figure = native.integer_peak(machine.num_cores, seconds=each, isa=isa)
        method = f"the dot product's instructions alone, operands in registers and the first cache, for {each:g} s"
        return Compute(isa=isa, threads=machine.num_cores, gmacs_s=rounded(figure / 1e9), evidence=proof(method))

    levels = native.isa_supported()[::-1]
    return Part([Task(f"integer peak of {isa}", partial(record, isa)) for isa in levels], seconds)


def kernels_part(machine: Machine, shapes: Sequence[Shape], seconds: float, *, each: float = 0.02) -> Part:
    """All levels of a shape after each other, so that its weights are made once; the highest with one thread too."""
    matrices = _Matrices()
    tasks: dict[str, Task] = {}  # two shapes may become one on the scalar level
    levels = native.isa_supported()[::-1]
    for kind, (rows, cols) in shapes:
        cases = [(isa, machine.num_cores) for isa in levels]
        if machine.num_cores > 1:
            cases.insert(1, (levels[0], 1))
        for isa, threads in cases:
            fewer = min(rows, _SCALAR_ROWS) if isa == "scalar" else rows
            for tokens in TOKENS:
                what = f"{type_name(kind)} {fewer} x {cols} with {tokens} tokens on {isa}, {threads} threads"
                tasks[what] = Task(what, partial(matrices.measure, kind, fewer, cols, tokens, isa, threads, each))
    return Part([*tasks.values()], seconds)


def streams_part(
    machine: Machine, kinds: Sequence[int], size: int, seconds: float, *, each: float = 0.04, cols: int = _TYPICAL[1]
) -> Part:
    """Matrices of `size` packed bytes, which no cache holds, with one token on the highest level: what a step's weights
    take on their way from memory through the kernel, which is more than either takes alone."""
    matrices, isa = _Matrices(), native.isa_supported()[-1]
    tasks: list[Task] = []
    for kind in kinds:
        rows = max(size // native.weights_sizes(kind, 16, cols)[1], 1) * 16
        for threads in machine.thread_counts[::-1]:
            what = f"{type_name(kind)} {rows} x {cols} from memory, {threads} threads"
            tasks.append(Task(what, partial(matrices.measure, kind, rows, cols, 1, isa, threads, each)))
    return Part(tasks, seconds)


class _Matrices:
    """Keeps the matrix that was measured last."""

    def __init__(self) -> None:
        self._key: tuple[int, int, int] | None = None
        self._weights: native.Weights | None = None

    def measure(self, kind: int, rows: int, cols: int, tokens: int, isa: str, threads: int, seconds: float) -> Compute:
        with native.Threads(threads) as pool:
            if self._weights is None or self._key != (kind, rows, cols):
                self._weights = None  # never two at a time
                self._weights, self._key = made_up(kind, rows, cols, pool), (kind, rows, cols)
            figure = native.matmul_speed(pool, self._weights, tokens, seconds=seconds, isa=isa)
        return Compute(
            isa=isa,
            weights=type_name(kind),
            rows=rows,
            columns=cols,
            tokens=tokens,
            threads=threads,
            gmacs_s=rounded(figure / 1e9),
            evidence=proof(f"fastest product in {seconds:g} s"),
        )


def streamed_types(sample: Sample | None) -> tuple[int, ...]:
    """The model's, and those of the narrow sample, whose steps are measured too; without a model common ones."""
    if sample is None:
        return COMMON
    kinds = (kind for shapes in (shapes_of(sample), Sample.narrow().matrices) for kind, _ in shapes)
    return tuple(dict.fromkeys(kinds))


def shapes_of(sample: Sample | None) -> list[Shape]:
    """The model's matrices, those with most weights first; without a model every weight type, common ones first."""
    if sample is None:
        others = sorted(MATRIX_TYPES - {*COMMON}, key=lambda kind: kind.value)
        return [(kind, _TYPICAL) for kind in (*COMMON, *others)]
    counts = sample.matrices
    ordered = sorted(counts, key=lambda key: counts[key] * key[1][0] * key[1][1], reverse=True)
    return ordered[:_MAX_SHAPES]
