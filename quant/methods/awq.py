"""AWQ: channels with large inputs are scaled up before rounding, by what a search per value finds best.

Lin et al. 2023, arXiv:2306.00978: s = m^alpha for the mean magnitude m of a channel's input, alpha on a grid from 0 (no
scaling), s over sqrt(max s x min s). Ours takes the root mean square for m, which importance matrices hold, and judges
by what a matrix's output loses. The paper's search of clipping is what our encoders do for every block anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.graph.ops import Graph
from edge.quant.methods.error import output_error, rounded
from edge.quant.methods.folds import Doubles, Fold, find_folds
from edge.quant.methods.scaled import ScaledSource
from edge.quant.methods.source import Encode, Floats, Tensor, TensorSource

__all__ = ["awq"]

NUM_ALPHAS = 20
MAX_ROWS = 512  # of a matrix, evenly spread, that a candidate is judged by
_SMALLEST = 1e-4  # of the largest magnitude: a channel without input gets no boundless scale

T = TypeVar("T", bound=Tensor)


def awq(
    source: TensorSource[T],
    graph: Graph,
    squares: Mapping[str, Floats],
    types: Mapping[str, str],
    encode: Encode,
    *,
    grams: Mapping[str, NDArray[np.float64]] | None = None,
    max_rows: int = MAX_ROWS,
) -> ScaledSource[T]:
    """The same model with scaled channels, to be rounded to `types` (matrix -> type name) by `encode`.

    squares: mean squares of inputs (k,), as calibration gives them; a value whose matrices have none stays as it is.
    grams: mean outer products (k, k); where there is one it judges the candidates instead, correlations included.
    """
    result = ScaledSource(source)
    for fold in find_folds(graph):
        known = squares.get(fold.targets[0])
        targets = [name for name in fold.targets if name in types]
        if known is None or not targets or not known.any():
            continue
        inputs: NDArray[np.floating] = known
        if grams is not None and fold.targets[0] in grams:
            inputs = grams[fold.targets[0]]
        rows = {name: _some_rows(result.read(name), max_rows) for name in targets}
        magnitudes = np.sqrt(fold.channels(known.astype(np.float64), np.mean))
        candidates = [_scales(magnitudes, i / NUM_ALPHAS) for i in range(NUM_ALPHAS)]
        losses = [
            sum(_loss(fold, rows[name], types[name], encode, known, inputs, scales) for name in targets)
            for scales in candidates
        ]
        if (best := int(np.argmin(losses))) > 0:
            result.fold(fold, candidates[best])
    return result


def _scales(magnitudes: Doubles, alpha: float) -> Doubles:
    scales: Doubles = np.maximum(magnitudes, _SMALLEST * magnitudes.max()) ** alpha
    scales /= np.sqrt(scales.max() * scales.min())
    return scales


def _some_rows(matrix: Floats, most: int) -> Floats:
    return matrix[np.linspace(0, len(matrix) - 1, min(most, len(matrix))).astype(np.int64)]


def _loss(
    fold: Fold,
    rows: Floats,
    type_name: str,
    encode: Encode,
    squares: Floats,
    inputs: NDArray[np.floating],
    scales: Doubles,
) -> float:
    columns = fold.columns(scales)
    importance = (squares / columns**2).astype(np.float32)
    stored = rounded(type_name, (rows * columns).astype(np.float32), importance, encode)
    return output_error(stored / columns - rows, inputs)
