"""Ternary weights by their absolute mean, as BitNet b1.58 is trained with (Ma et al. 2024, arXiv:2402.17764)."""

from __future__ import annotations

import numpy as np

from edge.quant.methods.source import Floats

__all__ = ["absmean"]

_EPS = 1e-5


def absmean(matrix: Floats) -> Floats:
    """The matrix as scale x {-1, 0, 1}, one scale for all: codes are round(w / (mean |w| + 1e-5)), clipped.

    The scale is rounded to half precision, so that TQ1_0 and TQ2_0 store the result without another loss. It ruins a
    matrix that was not trained to be rounded so.
    """
    mean = np.abs(matrix.astype(np.float64)).mean()
    codes = np.clip(np.rint(matrix / np.float32(mean + _EPS)), -1, 1)
    values: Floats = codes.astype(np.float32) * np.float32(np.float16(mean))
    return values
