"""A tiny random BERT: its tensors, its file, and the same model once more in plain NumPy, sharing no code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.export.gguf_writer import GGUFWriter
from edge.formats.config import ModelConfig
from edge.formats.types import GGMLType, ValueType
from tests.models.tiny import F32, tiny_config

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
F64 = NDArray[np.float64]


def bert_config(**changes: Any) -> ModelConfig:
    sizes = {"num_key_value_heads": 4, "head_dim": 12, "rope_dims": 12, "max_position_embeddings": 96}
    return tiny_config("bert", **({"type_vocab_size": 2, "rms_norm_eps": 1e-12} | sizes | changes))


def bert_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    hidden, ff = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (config.vocab_size, hidden),
        "position_embd.weight": (config.max_position_embeddings, hidden),
        "token_embd_norm.weight": (hidden,),
        "token_embd_norm.bias": (hidden,),
    }
    if config.type_vocab_size:
        shapes["token_types.weight"] = (config.type_vocab_size, hidden)
    for i in range(config.num_hidden_layers):
        for name, rows, cols in (
            *((f"attn_{part}", hidden, hidden) for part in ("q", "k", "v", "output")),
            ("ffn_up", ff, hidden),
            ("ffn_down", hidden, ff),
        ):
            shapes |= {f"blk.{i}.{name}.weight": (rows, cols), f"blk.{i}.{name}.bias": (rows,)}
        for name in ("attn_output_norm", "layer_output_norm"):
            shapes |= {f"blk.{i}.{name}.weight": (hidden,), f"blk.{i}.{name}.bias": (hidden,)}
    return shapes


def plain_states(config: ModelConfig, tensors: Mapping[str, F32], tokens: Sequence[int]) -> F64:
    """(len(tokens), hidden_size) in float64, one head at a time (Devlin et al. 2018)."""
    weights = {name: values.astype(np.float64) for name, values in tensors.items()}

    def norm(name: str, x: F64) -> F64:
        rows = [(row - row.mean()) / math.sqrt(row.var() + config.rms_norm_eps) for row in x]
        return np.array(rows) * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def project(name: str, x: F64) -> F64:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    x = weights["token_embd.weight"][list(tokens)] + weights["position_embd.weight"][: len(tokens)]
    if config.type_vocab_size:
        x = x + weights["token_types.weight"][0]
    x = norm("token_embd_norm", x)
    for i in range(config.num_hidden_layers):
        q, k, v = (project(f"blk.{i}.attn_{part}", x) for part in ("q", "k", "v"))
        heads: list[F64] = []
        for at in range(0, config.hidden_size, config.head_dim):
            part = slice(at, at + config.head_dim)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(config.head_dim))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, part])
        x = norm(f"blk.{i}.attn_output_norm", x + project(f"blk.{i}.attn_output", np.concatenate(heads, axis=1)))
        h = project(f"blk.{i}.ffn_up", x)
        h = np.array([[u / 2 * (1 + math.erf(u / math.sqrt(2))) for u in row] for row in h.tolist()])
        x = norm(f"blk.{i}.layer_output_norm", x + project(f"blk.{i}.ffn_down", h))
    return x


def write_bert(
    path: Path, config: ModelConfig, tensors: Mapping[str, F32], *, pooling: int | None = 1, **changes: Any
) -> Path:
    """An F32 file with letters as words and their continuations. changes: keys behind "bert.", None leaves one out."""
    writer = GGUFWriter(path)
    keys: dict[str, Any] = {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.layer_norm_epsilon": config.rms_norm_eps,
        "attention.causal": False,
        "pooling_type": pooling,
    }
    keys |= {key.replace("__", "."): value for key, value in changes.items()}
    writer.add("general.architecture", "bert")
    for key, value in keys.items():
        if value is not None:
            writer.add(f"bert.{key}", value)
    letters = [chr(ord("a") + i) for i in range(26)]
    tokens = [*WORDS, *(f"\u2581{letter}" for letter in letters), *letters]
    tokens += [f"\u2581[unused{i}]" for i in range(config.vocab_size - len(tokens))]
    writer.add("tokenizer.ggml.model", "bert")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [3] * len(WORDS) + [1] * (len(tokens) - len(WORDS)), ValueType.INT32)
    for name, text in (("unknown", "[UNK]"), ("cls", "[CLS]"), ("seperator", "[SEP]"), ("padding", "[PAD]")):
        writer.add(f"tokenizer.ggml.{name}_token_id", tokens.index(text))
    for name, values in tensors.items():
        writer.add_tensor(name, GGMLType.F32, values.shape, values.tobytes())
    writer.finish()
    return path
