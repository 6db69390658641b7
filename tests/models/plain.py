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
    weights = {name: values.astype(np.float64) for name, values in tensors.items()}
    past_k: list[list[F64]] = [[] for _ in range(config.num_hidden_layers)]
    past_v: list[list[F64]] = [[] for _ in range(config.num_hidden_layers)]
    logits: list[F64] = []

    def norm(x: F64, gain: F64) -> F64:
        total = 0.0
        for value in x.tolist():
            total += value * value
        return np.array([v / math.sqrt(total / len(x) + config.rms_norm_eps) for v in x.tolist()]) * gain

    def project(name: str, x: F64) -> F64:
        y = weights[f"{name}.weight"] @ x
        return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y

    def turn(head: F64, position: int) -> F64:
        out = head.copy()
        half = config.rope_dims // 2
        for i in range(half):
            angle = position * config.rope_theta ** (-2.0 * i / config.rope_dims)
            a, b = (2 * i, 2 * i + 1) if config.model_type == "llama" else (i, i + half)
            out[a] = head[a] * math.cos(angle) - head[b] * math.sin(angle)
            out[b] = head[a] * math.sin(angle) + head[b] * math.cos(angle)
        return out

    def heads_of(x: F64, layer: int, kind: str, position: int) -> list[F64]:
        heads = [x[i : i + config.head_dim] for i in range(0, len(x), config.head_dim)]
        if config.model_type == "qwen3":
            heads = [norm(head, weights[f"blk.{layer}.attn_{kind}_norm.weight"]) for head in heads]
        return [turn(head, position) for head in heads]

    for position, token in enumerate(token_ids):
        x = weights["token_embd.weight"][token]
        for layer in range(config.num_hidden_layers):
            block = f"blk.{layer}."
            h = norm(x, weights[block + "attn_norm.weight"])
            queries = heads_of(project(block + "attn_q", h), layer, "q", position)
            past_k[layer].append(np.array(heads_of(project(block + "attn_k", h), layer, "k", position)))
            past_v[layer].append(project(block + "attn_v", h).reshape(config.num_key_value_heads, config.head_dim))
            outputs: list[F64] = []
            for number, query in enumerate(queries):
                kv_head = number * config.num_key_value_heads // config.num_attention_heads
                scores = [float(query @ k[kv_head]) / math.sqrt(config.head_dim) for k in past_k[layer]]
                weight = [math.exp(score - max(scores)) for score in scores]
                mixed = sum(w * v[kv_head] for w, v in zip(weight, past_v[layer], strict=True))
                outputs.append(np.asarray(mixed / sum(weight)))
            x = x + project(block + "attn_output", np.concatenate(outputs))
            h = norm(x, weights[block + "ffn_norm.weight"])
            gate = project(block + "ffn_gate", h)
            x = x + project(block + "ffn_down", gate / (1.0 + np.exp(-gate)) * project(block + "ffn_up", h))
        head = weights["token_embd.weight" if config.tie_word_embeddings else "output.weight"]
        logits.append(head @ norm(x, weights["output_norm.weight"]))
    return np.array(logits)
