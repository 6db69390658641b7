"""Llama 1 to 3, Mistral and what is built like them: q and k rows are reordered so that rotary pairs are neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.export.architectures.layout import Layout, decoder, within_window
from edge.export.config import Config, Dimensions
from edge.models.llama import MODULES


def layout(config: Config) -> Layout:
    config.require_activation("silu")
    dims = config.dimensions()
    context, window, notes = _window(config)
    return decoder(
        config,
        "llama",
        MODULES,
        dims,
        config.rope(dims),
        context=context,
        epsilon=config.epsilon(),
        tied=config.text.get_bool("tie_word_embeddings", False),
        keys={} if window is None else {"attention.sliding_window": window},
        change=lambda leaf, values: _paired(leaf, values, dims),
        notes=notes,
    )


def _window(config: Config) -> tuple[int, int | None, tuple[str, ...]]:
    """The context, the window that every layer sees, if it has one, and notes."""
    window = config.sliding_window()
    if window is None or not config.every_layer_has_window():
        context, notes = within_window(config)
        return context, None, notes
    note = f"llama.cpp leaves the window of {window} tokens out, which edge computes: answers differ behind it there"
    return config.context(), window, (note,)


def _paired(leaf: str, values: NDArray[np.float32], dims: Dimensions) -> NDArray[np.float32]:
    """Hugging Face rotates element j of a head with j + head_dim / 2, GGUF's llama 2 j with 2 j + 1."""
    if leaf not in ("q_proj", "k_proj"):
        return values
    # (rows, ...) -> (heads, 2 halves, head_dim / 2, ...) -> halves innermost
    heads = values.reshape(-1, 2, dims.head_dim // 2, *values.shape[1:])
    return heads.swapaxes(1, 2).reshape(values.shape)
