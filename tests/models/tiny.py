"""Tiny random models of every architecture, for the tests of graph and models."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.export.gguf_writer import GGUFWriter
from edge.formats.config import ENCODERS, ModelConfig, activations
from edge.formats.types import GGMLType, ValueType
from edge.graph.reference import Weight
from edge.models import ARCHITECTURES

F32 = NDArray[np.float32]
MODEL_TYPES = tuple(name for name in ARCHITECTURES if name not in ENCODERS)  # encoders: tests.models.tiny_bert


def tiny_config(model_type: str = "llama", **changes: Any) -> ModelConfig:
    """Two layers, four heads over two KV heads; head_dim is not hidden_size / heads, to tell them apart."""
    config = ModelConfig(
        model_type=model_type,
        vocab_size=96,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        rope_dims=16,
        hidden_act=activations(model_type)[0],
    )
    if model_type == "gemma3":  # one layer with a window that every test goes beyond, one without
        config = replace(config, sliding_window=9, sliding_window_pattern=2)
    return replace(config, **changes)


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The tensors that a converter would write, in NumPy order."""
    hidden, ff, head_dim = config.hidden_size, config.intermediate_size, config.head_dim
    q, kv = config.num_attention_heads * head_dim, config.num_key_value_heads * head_dim
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (config.vocab_size, hidden)}
    for i in range(config.num_hidden_layers):
        layer: dict[str, tuple[int, ...]] = {
            "attn_norm.weight": (hidden,),
            "attn_q.weight": (q, hidden),
            "attn_k.weight": (kv, hidden),
            "attn_v.weight": (kv, hidden),
            "attn_output.weight": (hidden, q),
            "ffn_norm.weight": (hidden,),
            "ffn_gate.weight": (ff, hidden),
            "ffn_up.weight": (ff, hidden),
            "ffn_down.weight": (hidden, ff),
        }
        if config.model_type == "qwen2":
            layer |= {"attn_q.bias": (q,), "attn_k.bias": (kv,), "attn_v.bias": (kv,)}
        if config.model_type == "phi3":
            for name in ("attn_q", "attn_k", "attn_v", "ffn_gate"):
                del layer[f"{name}.weight"]
            layer |= {"attn_qkv.weight": (q + 2 * kv, hidden), "ffn_up.weight": (2 * ff, hidden)}
        if config.model_type == "gemma3":
            layer |= {"post_attention_norm.weight": (hidden,), "post_ffw_norm.weight": (hidden,)}
        if config.model_type.startswith("bitnet"):
            layer |= {"attn_sub_norm.weight": (q,), "ffn_sub_norm.weight": (ff,)}
        if config.model_type in ("qwen3", "gemma3"):
            layer |= {"attn_q_norm.weight": (head_dim,), "attn_k_norm.weight": (head_dim,)}
        shapes |= {f"blk.{i}.{name}": shape for name, shape in layer.items()}
    shapes["output_norm.weight"] = (hidden,)
    if not config.tie_word_embeddings:
        shapes["output.weight"] = (config.vocab_size, hidden)
    return shapes


def random_tensors(shapes: Mapping[str, tuple[int, ...]], seed: int = 1) -> dict[str, F32]:
    """Unit-gain matrices, norms near 1; q and k are scaled until attention is sharp."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, F32] = {}
    for name, shape in shapes.items():
        values = rng.standard_normal(shape)
        if name.endswith(".bias"):
            values *= 0.3
        elif len(shape) == 1:
            values = (2.0 if "_q_norm" in name or "_k_norm" in name else 1.0) + 0.2 * values
        elif name != "token_embd.weight":
            values *= (2.0 if "attn_q" in name or "attn_k" in name else 1.0) / np.sqrt(shape[1])
        tensors[name] = values.astype(np.float32)
    return tensors


def provider(tensors: Mapping[str, F32], types: Mapping[str, int] | None = None) -> Callable[[str], Weight]:
    """For Reference: tensors by name, F32 unless `types` says otherwise."""
    return lambda name: Weight(tensors[name], (types or {}).get(name, GGMLType.F32))


def metadata(config: ModelConfig) -> dict[str, str | int | float]:
    """The keys that a converter would write for the configuration, its rope scaling included."""
    arch = config.model_type
    keys: dict[str, str | int | float] = {
        "vocab_size": config.vocab_size,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": config.head_dim,
        "attention.value_length": config.head_dim,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": config.rope_theta,
        "rope.dimension_count": config.rope_dims,
    }
    if config.rope_attention_factor != 1.0:
        keys["rope.scaling.attn_factor"] = config.rope_attention_factor
    if config.hidden_act != activations(arch)[0]:
        keys["hidden_act"] = config.hidden_act
    if config.sliding_window:
        keys["attention.sliding_window"] = config.sliding_window
    if config.model_type == "gemma3" and config.sliding_window_pattern != 6:
        keys["attention.sliding_window_pattern"] = config.sliding_window_pattern
    if config.rope_long_factors:
        keys["rope.scaling.original_context_length"] = config.original_max_position_embeddings
    if config.rope_scaling is not None:
        keys["rope.scaling.type"] = config.rope_scaling.rope_type
        keys["rope.scaling.factor"] = config.rope_scaling.factor
        keys["rope.scaling.original_context_length"] = config.rope_scaling.original_max_position_embeddings
    return {"general.architecture": arch, "general.type": "model"} | {f"{arch}.{k}": v for k, v in keys.items()}


def vocabulary(size: int) -> list[str]:
    """Byte-level BPE of printable characters with one merge: enough for a loader that wants a vocabulary."""
    return ["<|endoftext|>", *(chr(ord("!") + i) if i < 94 else f"<extra_{i}>" for i in range(size - 2)), "!!"]


def write_gguf(
    path: Path, config: ModelConfig, tensors: Mapping[str, F32], *, template: str = "", **changes: Any
) -> Path:
    """An F32 model file. changes: metadata keys behind the architecture ("__" for "."), None to leave one out."""
    writer = GGUFWriter(path)
    keys: dict[str, Any] = dict(metadata(config))
    for key, value in changes.items():
        keys[f"{config.model_type}.{key.replace('__', '.')}"] = value
    for key, value in keys.items():
        if value is not None:
            writer.add(key, value)
    tokens = vocabulary(config.vocab_size)
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [3] + [1] * (len(tokens) - 1), ValueType.INT32)
    writer.add("tokenizer.ggml.merges", ["! !"])
    writer.add("tokenizer.ggml.eos_token_id", 0)
    if template:
        writer.add("tokenizer.chat_template", template)
    names = ("rope_factors_short", "rope_factors_long") if config.rope_long_factors else ("rope_freqs",)
    for name, factors in zip(names, (config.rope_freq_factors, config.rope_long_factors), strict=False):
        if factors:
            data = struct.pack(f"<{len(factors)}f", *factors)
            writer.add_tensor(f"{name}.weight", GGMLType.F32, (len(factors),), data)
    for name, values in tensors.items():
        writer.add_tensor(name, GGMLType.F32, values.shape, values.tobytes())
    writer.finish()
    return path
