"""Means over the positions of texts, with standard errors that allow for neighbours being alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["CLUSTER", "mean_and_error"]

CLUSTER = 64  # positions that count as one observation: what is hard to predict comes in runs


def mean_and_error(windows: Sequence[npt.NDArray[np.float64]]) -> tuple[float, float]:
    """The mean of all values, and its standard error. Runs of CLUSTER values of a window are one observation each.

    The error is that of a ratio of sums over clusters (Cochran, Sampling Techniques, 1977, 6.3), times
    sqrt(n / (n - 1)) for n clusters; nan when there is only one.
    """
    values = np.concatenate(windows)
    mean = float(values.mean())
    sums = np.array(
        [
            float((window[start : start + CLUSTER] - mean).sum())
            for window in windows
            for start in range(0, len(window), CLUSTER)
        ]
    )
    if len(sums) < 2:
        return mean, float("nan")
    return mean, float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(values))
