"""Gemma 3's language model, alone or inside the multimodal one: norms hold 1 + w, five layers of six have a window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import UnsupportedModel
from edge.export.architectures.layout import Layout, decoder
from edge.export.config import Config, Dimensions
from edge.models.gemma3 import MODULES

_PERIOD = 6  # llama.cpp's: every sixth layer sees all
_LAYERS_27B = 62  # the one size whose scale llama.cpp takes from hidden_size / num_attention_heads


def layout(config: Config) -> Layout:
    """Defaults are those of transformers' Gemma3TextConfig, which Google's own files rely on."""
    config.require_activation("gelu_pytorch_tanh", default="gelu_pytorch_tanh")
    dims = config.dimensions(
        vocab_size=262_208,
        hidden_size=2304,
        intermediate_size=9216,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=256,
    )
    _check_scale(config, dims)
    _check_period(config, dims)
    for key in ("attn_logit_softcapping", "final_logit_softcapping"):
        if config.text.has(key):
            raise UnsupportedModel(
                config.path, f"key {key!r} is set, which no released Gemma 3 has and GGUF cannot say"
            )
    keys: dict[str, Any] = {
        "attention.sliding_window": config.text.get_int("sliding_window", 4096, minimum=1, maximum=2**31 - 1),
        "rope.freq_base_swa": _local_theta(config),
    }
    return decoder(
        config,
        "gemma3",
        MODULES,
        dims,
        config.rope(dims, "full_attention", theta=1_000_000.0),
        context=config.context(131_072),
        epsilon=config.epsilon(),
        tied=config.text.get_bool("tie_word_embeddings", config.root.get_bool("tie_word_embeddings", True)),
        keys=keys,
        change=_shifted,
    )


def _shifted(leaf: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gemma multiplies by 1 + w; GGUF files hold the sum."""
    return values + np.float32(1.0) if values.ndim == 1 else values


def _local_theta(config: Config) -> float:
    local = config.rope_parameters("sliding_attention")
    if config.text.has("rope_parameters") and local.has("rope_theta"):
        return local.get_float("rope_theta")
    return config.text.get_float("rope_local_base_freq", 10_000.0)


def _check_scale(config: Config, dims: Dimensions) -> None:
    """llama.cpp takes the scale of attention from the dimensions, so the file must mean the same."""
    by_head = dims.num_hidden_layers != _LAYERS_27B
    wanted = dims.head_dim if by_head else dims.hidden_size // dims.num_attention_heads
    said = config.text.get_float("query_pre_attn_scalar", 256.0)
    if not math.isclose(said, wanted):
        raise UnsupportedModel(
            config.path, f"key 'query_pre_attn_scalar' is {said:g}; GGUF cannot say it, and loaders take {wanted}"
        )


def _check_period(config: Config, dims: Dimensions) -> None:
    text = config.text
    if text.has("layer_types"):
        wanted = [
            "full_attention" if (i + 1) % _PERIOD == 0 else "sliding_attention" for i in range(dims.num_hidden_layers)
        ]
        if text.get_list("layer_types") != wanted:
            raise UnsupportedModel(
                config.path, f"key 'layer_types' is not {_PERIOD - 1} windowed layers and one full one, again and again"
            )
    period = text.get_int("sliding_window_pattern", _PERIOD, minimum=1, maximum=1024)
    if period != _PERIOD:
        raise UnsupportedModel(config.path, f"key 'sliding_window_pattern' is {period}; loaders take {_PERIOD}")
