"""Qwen3: q and k are normalised per head."""

from __future__ import annotations

from edge.export.architectures.layout import Layout, decoder, within_window
from edge.export.config import Config
from edge.models.qwen3 import MODULES


def layout(config: Config) -> Layout:
    config.require_activation("silu")
    dims = config.dimensions(head_dim=128)
    context, notes = within_window(config)
    return decoder(
        config,
        "qwen3",
        MODULES,
        dims,
        config.rope(dims),
        context=context,
        epsilon=config.epsilon(),
        tied=config.text.get_bool("tie_word_embeddings", False),
        notes=notes,
    )
