"""Rotary frequencies against the formulas of the papers and of ggml, written once more with the math module."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadModelFile
from edge.formats.config import RopeScaling
from edge.graph import rope
from edge.graph.rope import rope_spec
from tests.models.tiny import tiny_config


@given(st.floats(1e-300, 1e300))
def test_own_logarithm(x: float) -> None:
    assert math.isclose(rope._log(x), math.log(x), rel_tol=4e-16, abs_tol=4e-16)  # pyright: ignore[reportPrivateUsage]


def test_no_scaling() -> None:
    spec = rope_spec(tiny_config(rope_dims=12), "norm")
    assert spec.dims == 12 and spec.frequency_scale == (1.0,) * 6 and spec.magnitude == 1.0 and not spec.neox
    assert rope_spec(tiny_config(), "neox").neox


def test_linear_and_llama3_multiply() -> None:
    factors = (1.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0)
    config = tiny_config(rope_scaling=RopeScaling("linear", 4.0, 64), rope_freq_factors=factors)
    assert rope_spec(config, "norm").frequency_scale == tuple(0.25 / f for f in factors)
    assert rope_spec(config, "norm").magnitude == 1.0


@pytest.mark.parametrize(
    ("dims", "theta", "original", "factor", "fast", "slow"),
    [(128, 1e6, 32768, 4.0, 32.0, 1.0), (128, 1e4, 4096, 16.0, 32.0, 1.0), (64, 5e5, 8192, 2.0, 64.0, 2.0)],
)
def test_yarn(dims: int, theta: float, original: int, factor: float, fast: float, slow: float) -> None:
    scaling = RopeScaling("yarn", factor, original, fast, slow)
    config = tiny_config(head_dim=dims, rope_dims=dims, rope_theta=theta, rope_scaling=scaling)
    spec = rope_spec(config, "neox")

    def correction(turns: float) -> float:
        return dims * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(0, math.floor(correction(fast))), min(dims - 1, math.ceil(correction(slow)))
    assert 0 < low < high < dims // 2  # all three regions are there
    for i, scale in enumerate(spec.frequency_scale):
        interpolated = min(1.0, max(0.0, (i - low) / (high - low)))
        assert math.isclose(scale, interpolated / factor + (1 - interpolated), rel_tol=1e-14)
    assert math.isclose(spec.magnitude, 0.1 * math.log(factor) + 1.0, rel_tol=1e-15)
    assert spec.frequency_scale[0] == 1.0 and spec.frequency_scale[-1] == 1 / factor


def test_yarn_without_extrapolation_is_linear() -> None:
    config = tiny_config(rope_scaling=RopeScaling("yarn", 4.0, 64, extrapolation_factor=0.0))
    assert rope_spec(config, "norm").frequency_scale == (0.25,) * 8 and rope_spec(config, "norm").magnitude == 1.0


def test_attention_factor_multiplies() -> None:
    config = tiny_config(rope_attention_factor=0.5, rope_scaling=RopeScaling("yarn", 8.0, 64))
    assert math.isclose(rope_spec(config, "norm").magnitude, 0.5 * (1 + 0.1 * math.log(8.0)), rel_tol=1e-15)


@pytest.mark.parametrize(
    "change", [{"rope_scaling": RopeScaling("linear", 0.01, 64)}, {"rope_freq_factors": (1.0,) * 7 + (0.05,)}]
)
def test_frequencies_beyond_the_engine(change: dict[str, Any]) -> None:
    with pytest.raises(BadModelFile, match="limit is 16"):
        rope_spec(tiny_config(**change), "norm")
