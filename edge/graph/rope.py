"""Rotary frequencies: linear, Llama 3, YaRN and LongRoPE scaling as one factor per frequency.

Only +, -, *, / and our own logarithm are used, so that every machine computes the same factors.
"""

from __future__ import annotations

import math
from typing import Literal

from edge.errors import BadModelFile
from edge.formats.config import ModelConfig, RopeScaling
from edge.graph.ops import RopeSpec

_MAX_FREQUENCY = 16.0  # of the native engine, whose sine is exact for bounded angles

Pairs = Literal["norm", "neox"]  # ggml's names: (2i, 2i+1), (i, i + dims/2)


def rope_spec(config: ModelConfig, pairs: Pairs) -> RopeSpec:
    """The rotation that a model asks for. A frequency is theta^(-2i/dims) times its frequency_scale."""
    scale = [1.0] * (config.rope_dims // 2)
    magnitude = config.rope_attention_factor
    scaling = config.rope_scaling
    if scaling is not None:
        if scaling.rope_type == "yarn" and scaling.extrapolation_factor > 0.0:
            scale = _yarn(config, scaling)
            magnitude *= 1.0 + 0.1 * _log(max(1.0, scaling.factor))
        else:
            scale = [1.0 / scaling.factor] * len(scale)
    if config.rope_freq_factors:
        scale = [s / factor for s, factor in zip(scale, config.rope_freq_factors, strict=True)]
    if max(scale) > _MAX_FREQUENCY:
        raise BadModelFile(
            config.path, f"rope scaling raises a frequency to {max(scale)}, the limit is {_MAX_FREQUENCY}"
        )
    return RopeSpec(config.rope_theta, config.rope_dims, pairs == "neox", magnitude, tuple(scale))


def local_rope_spec(config: ModelConfig, pairs: Pairs) -> RopeSpec:
    """The rotation in layers with a window, where it is another one: never scaled."""
    ones = (1.0,) * (config.rope_dims // 2)
    return RopeSpec(config.rope_local_theta, config.rope_dims, pairs == "neox", 1.0, ones)


def _yarn(config: ModelConfig, scaling: RopeScaling) -> list[float]:
    """Peng et al. 2023, "NTK by parts": fast pairs keep their frequency, slow ones are divided by the factor.

    Between them a linear ramp, its ends rounded outward to whole pairs as in ggml_rope_yarn_corr_dims.
    """
    context, dims = scaling.original_max_position_embeddings, config.rope_dims

    def pair_that_turns(times: float) -> float:  # within the original context
        return dims * _log(context / (times * 2.0 * math.pi)) / (2.0 * _log(config.rope_theta))

    low = max(0.0, float(math.floor(pair_that_turns(scaling.beta_fast))))
    high = min(dims - 1.0, float(math.ceil(pair_that_turns(scaling.beta_slow))))
    result: list[float] = []
    for i in range(dims // 2):
        ramp = (i - low) / max(0.001, high - low)
        keep = (1.0 - min(1.0, max(0.0, ramp))) * scaling.extrapolation_factor
        result.append((1.0 - keep) / scaling.factor + keep)
    return result


def _log(x: float) -> float:
    """Natural logarithm: x = m * 2^e with m in [0.5, 1), log(m) = -2 * atanh((1 - m) / (1 + m)) as a series."""
    mantissa, exponent = math.frexp(x)
    t = (1.0 - mantissa) / (1.0 + mantissa)  # at most 1/3: 20 terms reach 1e-19
    square, power, total = t * t, t, 0.0
    for k in range(20):
        total += power / (2 * k + 1)
        power *= square
    return exponent * 0.6931471805599453 - 2.0 * total
