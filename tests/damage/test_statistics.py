"""Standard errors: those of independent values, and larger ones where neighbours are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.damage.statistics import CLUSTER, mean_and_error


def test_independent_values_have_the_usual_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 64_000)
    mean, error = mean_and_error([values[:40_000], values[40_000:]])
    assert mean == values.mean()
    assert error == pytest.approx(2.0 / math.sqrt(len(values)), rel=0.1)


def test_runs_of_equal_values_count_once() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0.0, 1.0, 2000), CLUSTER)
    assert mean_and_error([values])[1] == pytest.approx(1.0 / math.sqrt(2000), rel=0.1)


def test_one_observation_has_no_error() -> None:
    mean, error = mean_and_error([np.array([1.0, 3.0])])
    assert mean == 2.0 and math.isnan(error)
