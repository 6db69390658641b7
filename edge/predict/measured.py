"""What measured steps took beyond their matrices: barriers, norms, activations and attention, as other models will."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.backends.work import Matrix, StepWork
from edge.formats.types import GGMLType
from edge.predict.figures import FEW, Figures, between
from edge.profiles import Profile
from edge.profiles.records import StepModel

__all__ = ["MeasuredSteps", "attention_macs", "heads_per_kv_head", "work_of"]

_PROMPT = 128  # tokens of the steps that stand for a prompt
_COUNTED = re.compile(r"(\d+) x (\S+ \d+ x \d+)")


def work_of(model: StepModel) -> StepWork | None:
    """What a step of a measured model did; None: of a weight type that this version does not know."""
    counts = {match[2]: int(match[1]) for match in map(_COUNTED.fullmatch, model.matrices) if match is not None}
    matrices = {_matrix(text): count for text, count in counts.items()}
    head = _matrix(model.head)
    if head is None or None in matrices:
        return None
    return StepWork(
        {matrix: count for matrix, count in matrices.items() if matrix is not None},
        head,
        num_layers=model.layers,
        hidden_size=model.hidden_size,
        num_heads=model.heads,
        num_kv_heads=model.kv_heads,
        head_dim=model.head_dim,
    )


def _matrix(text: str) -> Matrix | None:
    kind, rows, _, cols = text.split()
    return Matrix(GGMLType[kind], int(rows), int(cols)) if kind in GGMLType.__members__ else None


@dataclass(frozen=True, slots=True)
class _Measured:
    """seconds: by (tokens, threads, depth)."""

    work: StepWork
    seconds: Mapping[tuple[int, int, int], float]

    def deep(self, tokens: int, threads: int) -> tuple[int, float] | None:
        """(positions in front, what they added to a step)"""
        start = self.seconds.get((tokens, threads, 0))
        depths = [depth for count, used, depth in self.seconds if (count, used) == (tokens, threads) and depth > 0]
        if start is None or not depths:
            return None
        depth = max(depths)
        return depth, max(0.0, self.seconds[tokens, threads, depth] - start)


class MeasuredSteps:
    """Everything is found for each measured model and thread count, then taken to lie on a line between two models."""

    def __init__(self, profile: Profile, figures: Figures) -> None:
        self._figures = figures
        self._models: list[_Measured] = []
        for model in profile.models:
            work = work_of(model)
            steps = [step for step in profile.steps if step.model == model.name]
            if work is not None and steps:
                seconds = {(step.tokens, step.threads, step.depth or 0): step.ms / 1e3 for step in steps}
                self._models.append(_Measured(work, seconds))

    def rest_of_layer(self, hidden_size: int, tokens: int, threads: int) -> float | None:
        """Seconds a layer takes, for each token of a step, beside matrices and attention; by width. tokens: 1, or a
        prompt's chunk, for which those of _PROMPT tokens stand."""
        measured = FEW if tokens == FEW else _PROMPT

        def of(model: _Measured, used: int) -> float | None:
            taken = model.seconds.get((measured, used, 0))
            matrices = self._matrix_seconds(model.work, measured, used)
            if taken is None or matrices is None:
                return None
            attention = 0.0  # of one position: nothing
            if measured == _PROMPT:
                attention = (self._macs_seconds(model, used) or 0.0) * attention_macs(model.work, 0, _PROMPT)
            return max(0.0, taken - matrices - attention) / (model.work.num_layers * measured)

        return self._on_a_line(lambda work: work.hidden_size, of, hidden_size, threads)

    def attention_per_value(self, group: float, threads: int) -> float | None:
        """Seconds for each value of K and V that a decoded token attends to; by heads for each KV head."""

        def of(model: _Measured, used: int) -> float | None:
            found = model.deep(FEW, used)
            return None if found is None else found[1] / (found[0] * model.work.kv_values)

        return self._on_a_line(heads_per_kv_head, of, group, threads)

    def attention_per_mac(self, group: float, threads: int) -> float | None:
        """Seconds of a multiply-add of a prompt's attention; by heads for each KV head."""
        return self._on_a_line(heads_per_kv_head, self._macs_seconds, group, threads)

    def _macs_seconds(self, model: _Measured, threads: int) -> float | None:
        found = model.deep(_PROMPT, threads)
        if found is None:
            return None
        return found[1] / (attention_macs(model.work, found[0], _PROMPT) - attention_macs(model.work, 0, _PROMPT))

    def _matrix_seconds(self, work: StepWork, tokens: int, threads: int) -> float | None:
        """Matrices of a step, with logits of one token. None: a figure is missing."""
        total = 0.0
        cached = self._figures.cached_share(work.num_bytes, threads)
        counted = [(matrix, count, tokens) for matrix, count in work.matrices.items()]
        counted += [] if work.head is None else [(work.head, 1, FEW)]
        for matrix, count, rows in counted:
            kernel = self._figures.kernel_seconds(matrix, rows, threads, cached)
            read = self._figures.read_seconds(matrix.packed_bytes, threads, cached)
            if kernel is None or read is None:
                return None
            total += count * max(kernel, read)
        return total

    def _on_a_line(
        self,
        place: Callable[[StepWork], float],
        of: Callable[[_Measured, int], float | None],
        at: float,
        threads: int,
    ) -> float | None:
        points: dict[float, float] = {}
        for model in self._models:
            by_threads: dict[float, float] = {}
            for used in {key[1] for key in model.seconds}:
                if (figure := of(model, used)) is not None:
                    by_threads[used] = figure
            value = between(by_threads, threads)
            if value is not None:
                points.setdefault(place(model.work), value)
        if len(points) < 2:
            return next(iter(points.values()), None)
        low, high = min(points), max(points)
        return max(0.0, points[low] + (points[high] - points[low]) * (at - low) / (high - low))


def heads_per_kv_head(work: StepWork) -> float:
    return work.num_heads / work.num_kv_heads


def attention_macs(work: StepWork, depth: float, tokens: int) -> float:
    """Of the attention of `tokens` positions behind `depth`: q x K and the weights x V, each position up to its own."""
    return 2 * work.num_layers * work.num_heads * work.head_dim * tokens * (depth + (tokens + 1) / 2)
