"""What rounding a matrix does to its output, by what is known of its input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import GGMLType
from edge.quant.codec import decode
from edge.quant.methods.source import Encode, Floats

__all__ = ["output_error", "rounded"]


def rounded(type_name: str, rows: Floats, importance: Floats | None, encode: Encode) -> Floats:
    """The rows (n, k) that a type stores of `rows`."""
    return decode(GGMLType[type_name], encode(type_name, rows, importance), rows.shape)


def output_error(difference: NDArray[np.floating], inputs: NDArray[np.floating]) -> float:
    """Mean over tokens of the squared error of the output, summed over rows, when weights are off by `difference`
    (n, k). inputs: mean outer product (k, k), or mean squares (k,), which takes channels as uncorrelated."""
    delta = difference.astype(np.float64)
    if inputs.ndim == 1:
        return float((delta**2 @ inputs.astype(np.float64)).sum())
    return float(np.einsum("nk,nk->", delta @ inputs, delta))
