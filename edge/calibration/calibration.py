"""What a calibration text says about the inputs of a model's matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.errors import RequestError

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """By matrix, for inputs x (k,) of num_tokens tokens. The mean squares are what an importance matrix holds.

    squares: mean of x_k^2, (k,) float32. maxima: largest |x_k|, (k,) float32; a file has none. grams: mean of x x^T,
    (k, k) float64, read-only, shared by matrices with one input; only where asked for. A matrix that no token reached
    is in none. text_hash: SHA-256 of the text in UTF-8, hexadecimal; "" when it is not known. window: tokens of a
    sequence.
    """

    squares: Mapping[str, NDArray[np.float32]]
    num_tokens: int
    text_hash: str
    window: int
    maxima: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    grams: Mapping[str, NDArray[np.float64]] = field(default_factory=dict[str, NDArray[np.float64]])

    def importance(self, name: str, cols: int) -> NDArray[np.float32] | None:
        """Weights (cols,) of the columns of a matrix, None when nothing is known of it.

        Raises RequestError when the calibration is of a model whose matrix has other columns.
        """
        squares = self.squares.get(name)
        if squares is not None and squares.shape != (cols,):
            raise RequestError(f"the calibration has {squares.size} columns for {name}, the matrix has {cols}")
        return squares
