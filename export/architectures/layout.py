"""What the files of an architecture hold, and what becomes of it in GGUF: names, shapes, metadata, changed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.export.config import Config, Dimensions, Rope

__all__ = ["Change", "Layout", "decoder", "module_shape", "within_window"]

# (leaf of the module's name such as "q_proj", values) -> values as GGUF holds them, in the same shape
Change = Callable[[str, NDArray[np.float32]], NDArray[np.float32]]


# Where a language model's tensors lie, also as part of a larger one: (for "model.", before "lm_head").
PREFIXES = (("model.", ""), ("language_model.model.", "language_model."), ("model.language_model.", ""))


def unchanged(leaf: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values


@dataclass(frozen=True, slots=True)
class Layout:
    """modules: Hugging Face's module -> GGUF stem, with {i} for the layer. biases: leaves that must have a bias.

    ternary: leaves whose weights are -s, 0 or s. extra: GGUF tensors that are computed. notes: for the user.
    shapes: of weights, by module, where the leaf does not tell. prefixes: what may stand before the modules' names in
    the files ("model." left out), and before lm_head. dropped: prefixes of tensors that the model does not need.
    """

    architecture: str
    modules: Mapping[str, str]
    dimensions: Dimensions
    metadata: Mapping[str, Any]
    tied: bool
    biases: frozenset[str] = frozenset()
    ternary: frozenset[str] = frozenset()
    change: Change = unchanged
    extra: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    notes: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    prefixes: tuple[tuple[str, str], ...] = PREFIXES
    dropped: tuple[str, ...] = ()


def module_shape(leaf: str, dims: Dimensions) -> tuple[int, ...]:
    """The shape of a module's weight, by the leaf of its name; norms have as many values as what they norm."""
    hidden, ff = dims.hidden_size, dims.intermediate_size
    q, kv = dims.num_attention_heads * dims.head_dim, dims.num_key_value_heads * dims.head_dim
    shapes = {
        "embed_tokens": (dims.vocab_size, hidden),
        "lm_head": (dims.vocab_size, hidden),
        "q_proj": (q, hidden),
        "k_proj": (kv, hidden),
        "v_proj": (kv, hidden),
        "qkv_proj": (q + 2 * kv, hidden),
        "o_proj": (hidden, q),
        "gate_proj": (ff, hidden),
        "up_proj": (ff, hidden),
        "gate_up_proj": (2 * ff, hidden),
        "down_proj": (hidden, ff),
        "q_norm": (dims.head_dim,),
        "k_norm": (dims.head_dim,),
        "attn_sub_norm": (q,),
        "inner_attn_ln": (q,),
        "ffn_sub_norm": (ff,),
        "ffn_layernorm": (ff,),
    }
    return shapes.get(leaf, (hidden,))


def decoder(
    config: Config,
    architecture: str,
    modules: Mapping[str, str],
    dims: Dimensions,
    rope: Rope,
    *,
    context: int,
    epsilon: float,
    tied: bool,
    keys: Mapping[str, Any] | None = None,
    biases: frozenset[str] = frozenset(),
    ternary: frozenset[str] = frozenset(),
    change: Change = unchanged,
    extra: Mapping[str, NDArray[np.float32]] | None = None,
    notes: tuple[str, ...] = (),
) -> Layout:
    """The layout of a decoder with the metadata that all of them have. keys: more, behind "{architecture}."."""
    common: dict[str, Any] = {
        "vocab_size": dims.vocab_size,
        "context_length": context,
        "embedding_length": dims.hidden_size,
        "block_count": dims.num_hidden_layers,
        "feed_forward_length": dims.intermediate_size,
        "attention.head_count": dims.num_attention_heads,
        "attention.head_count_kv": dims.num_key_value_heads,
        "attention.key_length": dims.head_dim,
        "attention.value_length": dims.head_dim,
        "attention.layer_norm_rms_epsilon": epsilon,
        "rope.dimension_count": dims.head_dim,
        "rope.freq_base": rope.theta,
        **{f"rope.{key}": value for key, value in rope.metadata.items()},
        **(keys or {}),
    }
    tensors = dict(extra or {})
    if rope.freq_factors is not None:
        tensors["rope_freqs.weight"] = rope.freq_factors
    return Layout(
        architecture=architecture,
        modules=modules,
        dimensions=dims,
        metadata={f"{architecture}.{key}": value for key, value in common.items()},
        tied=tied,
        biases=biases,
        ternary=ternary,
        change=change,
        extra=tensors,
        notes=notes,
    )


def within_window(config: Config) -> tuple[int, tuple[str, ...]]:
    """The context, at most the window that GGUF cannot say for this architecture, and a note when it was cut."""
    context, window = config.context(), config.sliding_window()
    if window is None:
        return context, ()
    note = (
        f"the context is {window} tokens instead of {context}: the model attends to a window of {window}, which GGUF "
        "cannot say for this architecture, and within it nothing changes"
    )
    return window, (note,)
