"""SmoothQuant+: one strength of smoothing for the whole model, the one with which the rounded model loses least.

Pan et al. 2023, arXiv:2312.03788: s = max|x|^alpha / max|w|^(1 - alpha) for each channel, over the tokens and over the
rows of all matrices that read it; alpha by a search over the whole model, because errors of early layers reach later
ones. What the model loses is for the caller to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from edge.graph.ops import Graph
from edge.quant.methods.folds import Doubles, Fold, find_folds
from edge.quant.methods.scaled import ScaledSource
from edge.quant.methods.source import Floats, Tensor, TensorSource

__all__ = ["ALPHAS", "Smoothed", "smooth", "smoothquant_plus"]

ALPHAS = tuple(i / 20 for i in range(21))
_SMALLEST = 1e-4  # of the largest: a channel without input or weights gets no boundless scale

T = TypeVar("T", bound=Tensor)


class Smoothed(NamedTuple):
    """alpha: None when the model loses least without smoothing. losses: of every candidate tried."""

    alpha: float | None
    losses: Mapping[float | None, float]


def smoothquant_plus(
    source: TensorSource[T],
    graph: Graph,
    maxima: Mapping[str, Floats],
    loss: Callable[[TensorSource[T]], float],
    *,
    alphas: Sequence[float] = ALPHAS,
) -> tuple[ScaledSource[T], Smoothed]:
    """The same model with smoothed channels, and what the search found.

    maxima: largest magnitudes of inputs (k,), as calibration gives them; a value whose matrices have none stays as it
    is. loss: what a model loses when its tensors are rounded; called once for each alpha and once without smoothing.
    """
    peaks = _peaks(source, graph, maxima)
    losses: dict[float | None, float] = {None: loss(source)}
    for alpha in alphas:
        losses[alpha] = loss(smooth(source, peaks, alpha))
    best = min(losses, key=lambda alpha: losses[alpha])
    return smooth(source, peaks, best), Smoothed(best, losses)


class Peaks(NamedTuple):
    """Of the channels of a value: the largest input, and the largest weight that meets it."""

    fold: Fold
    inputs: Doubles
    weights: Doubles


def smooth(source: TensorSource[T], peaks: Sequence[Peaks], alpha: float | None) -> ScaledSource[T]:
    """Smoothing of one strength, 0 (weights made even) to 1 (inputs made even); None: none."""
    result = ScaledSource(source)
    if alpha is not None:
        for fold, inputs, weights in peaks:
            result.fold(fold, inputs**alpha / weights ** (1.0 - alpha))
    return result


def _peaks(source: TensorSource[T], graph: Graph, maxima: Mapping[str, Floats]) -> list[Peaks]:
    peaks: list[Peaks] = []
    for fold in find_folds(graph):
        known = maxima.get(fold.targets[0])
        if known is None or not known.any():
            continue
        weights = np.max([np.abs(source.read(name)).max(axis=0) for name in fold.targets], axis=0)
        if not weights.any():
            continue
        channels = [fold.channels(values.astype(np.float64), np.max) for values in (known, weights)]
        inputs, largest = (np.maximum(values, _SMALLEST * values.max()) for values in channels)
        peaks.append(Peaks(fold, inputs, largest))
    return peaks
