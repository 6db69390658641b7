"""A model whose channels are scaled, equal to the one it was made from but for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.quant.methods.folds import Doubles, Fold
from edge.quant.methods.source import Floats, Tensor, TensorSource

__all__ = ["ScaledSource", "scale_tensor"]

T = TypeVar("T", bound=Tensor)


class ScaledSource(Generic[T]):
    """A TensorSource over another; tensors are scaled when they are read."""

    def __init__(self, source: TensorSource[T]) -> None:
        self._source = source
        self._columns: dict[str, Doubles] = {}  # factors of columns
        self._rows: dict[str, Doubles] = {}  # divisors of rows, or of a vector's values

    @property
    def metadata(self) -> dict[str, Any]:
        return self._source.metadata

    @property
    def tensors(self) -> Sequence[T]:
        return self._source.tensors

    def fold(self, fold: Fold, scales: Doubles) -> None:
        """Divides the value of a fold by `scales` (channels,), positive, in place of earlier ones."""
        if not (np.isfinite(scales).all() and (scales > 0).all()):
            raise ValueError("scales must be positive and finite")
        self._columns |= dict.fromkeys(fold.targets, fold.columns(scales))
        self._rows |= dict.fromkeys(fold.makers, scales)

    def read(self, name: str) -> Floats:
        """float32, rounded once."""
        columns, rows = self._columns.get(name), self._rows.get(name)
        values = self._source.read(name)
        if columns is None and rows is None:
            return values
        return scale_tensor(values.astype(np.float64), columns, rows).astype(np.float32)

    def squares(self, name: str, squares: Floats) -> Floats:
        """What mean squares (k,) of the inputs of a matrix have become."""
        columns = self._columns.get(name)
        return squares if columns is None else (squares / columns**2).astype(np.float32)

    def gram(self, name: str, gram: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a mean outer product (k, k) of the inputs of a matrix has become."""
        columns = self._columns.get(name)
        return gram if columns is None else gram / columns / columns[:, None]


def scale_tensor(values: Doubles, columns: Doubles | None, rows: Doubles | None) -> Doubles:
    """A matrix (n, k) or vector (n,) with its columns multiplied and its rows divided, in float64."""
    if columns is not None:
        values = values * columns
    if rows is not None:
        values = values / (rows if values.ndim == 1 else rows[:, None])
    return values
