"""The same models once more, one token and one head at a time, sharing no code: what Reference is tested by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.formats.config import ModelConfig

F64 = NDArray[np.float64]


def plain_logits(config: ModelConfig, tensors: Mapping[str, NDArray[np.float32]], token_ids: Sequence[int]) -> F64:
    """(len(token_ids), vocab_size) in float64. Knows no rope scaling."""
    weights = _apart(config, {name: values.astype(np.float64) for name, values in tensors.items()})
    past_k: list[list[F64]] = [[] for _ in range(config.num_hidden_layers)]
    past_v: list[list[F64]] = [[] for _ in range(config.num_hidden_layers)]
    logits: list[F64] = []

    def is_local(layer: int) -> bool:
        return config.sliding_window_pattern == 0 or (layer + 1) % config.sliding_window_pattern > 0

    def norm(x: F64, gain: F64) -> F64:
        total = 0.0
        for value in x.tolist():
            total += value * value
        return np.array([v / math.sqrt(total / len(x) + config.rms_norm_eps) for v in x.tolist()]) * gain

    def project(name: str, x: F64) -> F64:
        y = weights[f"{name}.weight"] @ x
        return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y

    def turn(head: F64, position: int, layer: int) -> F64:
        out = head.copy()
        half = config.rope_dims // 2
        local = config.model_type == "gemma3" and is_local(layer)
        theta = config.rope_local_theta if local else config.rope_theta
        for i in range(half):
            angle = position * theta ** (-2.0 * i / config.rope_dims)
            a, b = (2 * i, 2 * i + 1) if config.model_type == "llama" else (i, i + half)
            out[a] = head[a] * math.cos(angle) - head[b] * math.sin(angle)
            out[b] = head[a] * math.sin(angle) + head[b] * math.cos(angle)
        return out

    def heads_of(x: F64, layer: int, kind: str, position: int) -> list[F64]:
        heads = [x[i : i + config.head_dim] for i in range(0, len(x), config.head_dim)]
        if config.model_type in ("qwen3", "gemma3"):
            heads = [norm(head, weights[f"blk.{layer}.attn_{kind}_norm.weight"]) for head in heads]
        return [turn(head, position, layer) for head in heads]

    for position, token in enumerate(token_ids):
        x = weights["token_embd.weight"][token]
        if config.model_type == "gemma3":
            x = x * math.sqrt(config.hidden_size)
        for layer in range(config.num_hidden_layers):
            block = f"blk.{layer}."
            h = norm(x, weights[block + "attn_norm.weight"])
            queries = heads_of(project(block + "attn_q", h), layer, "q", position)
            past_k[layer].append(np.array(heads_of(project(block + "attn_k", h), layer, "k", position)))
            past_v[layer].append(project(block + "attn_v", h).reshape(config.num_key_value_heads, config.head_dim))
            outputs: list[F64] = []
            begin = 0
            if config.sliding_window and is_local(layer):
                begin = max(0, position - config.sliding_window + 1)
            for number, query in enumerate(queries):
                kv_head = number * config.num_key_value_heads // config.num_attention_heads
                scores = [float(query @ k[kv_head]) / math.sqrt(config.head_dim) for k in past_k[layer][begin:]]
                weight = [math.exp(score - max(scores)) for score in scores]
                mixed = sum(w * v[kv_head] for w, v in zip(weight, past_v[layer][begin:], strict=True))
                outputs.append(np.asarray(mixed / sum(weight)))
            mixed_heads = np.concatenate(outputs)
            if config.model_type.startswith("bitnet"):
                mixed_heads = norm(mixed_heads, weights[block + "attn_sub_norm.weight"])
            y = project(block + "attn_output", mixed_heads)
            if config.model_type == "gemma3":
                y = norm(y, weights[block + "post_attention_norm.weight"])
            x = x + y
            h = norm(x, weights[block + "ffn_norm.weight"])
            gated = _gate(config.hidden_act, project(block + "ffn_gate", h)) * project(block + "ffn_up", h)
            if config.model_type.startswith("bitnet"):
                gated = norm(gated, weights[block + "ffn_sub_norm.weight"])
            y = project(block + "ffn_down", gated)
            if config.model_type == "gemma3":
                y = norm(y, weights[block + "post_ffw_norm.weight"])
            x = x + y
        head = weights["token_embd.weight" if config.tie_word_embeddings else "output.weight"]
        logits.append(head @ norm(x, weights["output_norm.weight"]))
    return np.array(logits)


def _apart(config: ModelConfig, weights: dict[str, F64]) -> dict[str, F64]:
    """phi3's joined tensors as those of the others."""
    if config.model_type != "phi3":
        return weights
    q, kv = config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    for i in range(config.num_hidden_layers):
        joined, both = weights.pop(f"blk.{i}.attn_qkv.weight"), weights.pop(f"blk.{i}.ffn_up.weight")
        weights[f"blk.{i}.attn_q.weight"] = joined[:q]
        weights[f"blk.{i}.attn_k.weight"] = joined[q : q + kv]
        weights[f"blk.{i}.attn_v.weight"] = joined[q + kv :]
        weights[f"blk.{i}.ffn_gate.weight"] = both[: config.intermediate_size]
        weights[f"blk.{i}.ffn_up.weight"] = both[config.intermediate_size :]
    return weights


def _gate(hidden_act: str, x: F64) -> F64:
    values: list[float] = []
    for value in x.tolist():
        if hidden_act == "gelu_pytorch_tanh":
            values.append(value * 0.5 * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (value + 0.044715 * value**3))))
        elif hidden_act == "relu2":
            values.append(value * value if value > 0.0 else 0.0)
        else:
            values.append(value / (1.0 + math.exp(-value)))
    return np.array(values)
