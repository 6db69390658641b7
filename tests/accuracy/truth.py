"""The truth: float64 over the decoded file, written apart from edge.graph, so that neither hides the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.formats.gguf import open_gguf
from edge.quant import decode

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Truth:
    """logits: (tokens, vocabulary). sharpness: median over heads and queries of the largest attention weight."""

    logits: F64
    sharpness: float


def forward(path: Path, tokens: list[int]) -> Truth:
    """One causal pass over `tokens` with nothing rounded: no activation codes, no KV type."""
    with open_gguf(path) as file:
        arch = file.get_str("general.architecture")
        weights: dict[str, F64] = {
            name: decode(info.type, file.tensor_data(name), info.shape).astype(np.float64)
            for name, info in file.tensors.items()
        }
        heads = file.get_int(f"{arch}.attention.head_count")
        kv_heads = file.get_int(f"{arch}.attention.head_count_kv")
        head_dim = file.get_int(f"{arch}.attention.key_length", default=0)
        head_dim = head_dim or file.get_int(f"{arch}.embedding_length") // heads
        layers = file.get_int(f"{arch}.block_count")
        eps = file.get_float(f"{arch}.attention.layer_norm_rms_epsilon")
        theta = file.get_float(f"{arch}.rope.freq_base")
    n = len(tokens)
    angles = np.arange(n)[:, None] * theta ** (-np.arange(0, head_dim, 2) / head_dim)
    cos, sin = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    mask = np.where(np.tril(np.ones((n, n), bool)), 0.0, -np.inf)
    largest: list[F64] = []

    def norm(x: F64, name: str) -> F64:
        normed: F64 = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weights[name]
        return normed

    def linear(x: F64, name: str) -> F64:
        bias = weights.get(name + ".bias")
        y = x @ weights[name + ".weight"].T
        return y if bias is None else y + bias

    def rope(x: F64) -> F64:
        out = np.empty_like(x)
        half = head_dim // 2
        a, b = (slice(0, None, 2), slice(1, None, 2)) if arch == "llama" else (slice(0, half), slice(half, None))
        out[..., a], out[..., b] = x[..., a] * cos - x[..., b] * sin, x[..., a] * sin + x[..., b] * cos
        return out

    h = weights["token_embd.weight"][tokens]
    for layer in range(layers):
        block = f"blk.{layer}."
        x = norm(h, block + "attn_norm.weight")
        q = linear(x, block + "attn_q").reshape(n, heads, head_dim)
        k = linear(x, block + "attn_k").reshape(n, kv_heads, head_dim)
        v = linear(x, block + "attn_v").reshape(n, kv_heads, head_dim)
        if block + "attn_q_norm.weight" in weights:
            q, k = norm(q, block + "attn_q_norm.weight"), norm(k, block + "attn_k_norm.weight")
        q, k = rope(q), rope(k)
        k, v = (np.repeat(t, heads // kv_heads, axis=1) for t in (k, v))
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(head_dim) + mask
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        largest.append(p.max(-1)[:, 1:])
        h = h + linear(np.einsum("hqk,khd->qhd", p, v).reshape(n, -1), block + "attn_output")
        x = norm(h, block + "ffn_norm.weight")
        gate = linear(x, block + "ffn_gate")
        h = h + linear(gate / (1 + np.exp(-gate)) * linear(x, block + "ffn_up"), block + "ffn_down")
    head = weights.get("output.weight", weights["token_embd.weight"])
    return Truth(norm(h, "output_norm.weight") @ head.T, float(np.median(np.concatenate(largest))))
