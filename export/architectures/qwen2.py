"""Qwen2 and Qwen2.5: biases on q, k and v."""

from __future__ import annotations

from edge.export.architectures.layout import Layout, decoder, within_window
from edge.export.config import Config
from edge.models.qwen2 import MODULES


def layout(config: Config) -> Layout:
    config.require_activation("silu")
    dims = config.dimensions()
    context, notes = within_window(config)
    return decoder(
        config,
        "qwen2",
        MODULES,
        dims,
        config.rope(dims),
        context=context,
        epsilon=config.epsilon(),
        tied=config.text.get_bool("tie_word_embeddings", False),
        biases=frozenset({"q_proj", "k_proj", "v_proj"}),
        notes=notes,
    )
