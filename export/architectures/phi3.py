"""Phi-3, Phi-3.5 and Phi-4 of text: q, k and v in one matrix, gate and up in another, factors for long contexts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.architectures.layout import Layout, decoder
from edge.export.config import Config, Rope
from edge.formats.cursor import quoted
from edge.models.phi3 import MODULES


def layout(config: Config) -> Layout:
    config.require_activation("silu")
    dims, context, text = config.dimensions(), config.context(4096), config.text
    parameters = config.rope_parameters()
    part = parameters.get_float("partial_rotary_factor", text.get_float("partial_rotary_factor", 1.0))
    rotary = int(dims.head_dim * part)
    if not 2 <= rotary <= dims.head_dim or rotary % 2:
        raise BadModelFile(
            config.path, f"partial_rotary_factor {part:g} rotates {rotary} of {dims.head_dim} dimensions"
        )
    limit = 2**31 - 1
    original = text.get_int("original_max_position_embeddings", context, minimum=2, maximum=limit)
    original = parameters.get_int("original_max_position_embeddings", original, minimum=2, maximum=limit)
    window = text.get_int("sliding_window", 0, minimum=0, maximum=limit)
    keys: dict[str, Any] = {
        "rope.dimension_count": rotary,
        "rope.scaling.original_context_length": original,
        "attention.sliding_window": window,  # 0 tells Phi-4 from the others
    }
    rope = Rope(parameters.get_float("rope_theta", text.get_float("rope_theta", 10000.0)), {})
    extra: dict[str, NDArray[np.float32]] = {}
    name = parameters.get_str("rope_type", parameters.get_str("type", "default"))
    if name in ("longrope", "su"):
        for length in ("long", "short"):
            factors = parameters.get_floats(f"{length}_factor")
            if len(factors) != rotary // 2 or not all(0.0 < factor <= 1e30 for factor in factors):
                parameters.fail(f"{length}_factor", f"has {len(factors)} values, wanted {rotary // 2}, all above 0")
            extra[f"rope_factors_{length}.weight"] = np.array(factors, np.float32)
        keys["rope.scaling.attn_factor"] = _attention_factor(config, context / original, original)
    elif name != "default":
        raise UnsupportedModel(config.path, f"rotary scaling {quoted(name)} is not one of phi3's (longrope)")
    return decoder(
        config,
        "phi3",
        MODULES,
        dims,
        rope,
        context=context,
        epsilon=config.epsilon(1e-5),
        tied=text.get_bool("tie_word_embeddings", False),
        keys=keys,
        extra=extra,
    )


def _attention_factor(config: Config, stretch: float, original: int) -> float:
    """What cos and sin are multiplied by (Ding et al. 2024, LongRoPE), unless the file says it."""
    parameters = config.rope_parameters()
    if parameters.has("attention_factor"):
        return parameters.get_float("attention_factor")
    return math.sqrt(1.0 + math.log(stretch) / math.log(original)) if stretch > 1.0 else 1.0
