"""The network in PyTorch: the GGUF "llama" architecture with tied embeddings. Parameters carry GGUF's tensor names."""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network, under Hugging Face's names. Matrix widths are multiples of 256, so that every type fits."""

    vocab_size: int = 4096
    hidden_size: int = 256
    intermediate_size: int = 1280
    num_hidden_layers: int = 8
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 64
    max_position_embeddings: int = 512
    rms_norm_eps: float = 1e-5
    rope_theta: float = 1e4


class Network:
    """Decoder-only transformer. `tensors` holds its parameters under GGUF's names."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.tensors: dict[str, Tensor] = {}
        hidden, wide = shape.hidden_size, shape.intermediate_size
        q_size, kv_size = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
        self._matrix("token_embd.weight", shape.vocab_size, hidden, 0.05)
        self._gain("output_norm.weight", hidden)
        residual = (2 * shape.num_hidden_layers) ** -0.5  # keeps the residual stream's size whatever the depth
        for layer in range(shape.num_hidden_layers):
            at = f"blk.{layer}."
            self._gain(at + "attn_norm.weight", hidden)
            self._matrix(at + "attn_q.weight", q_size, hidden, hidden**-0.5)
            self._matrix(at + "attn_k.weight", kv_size, hidden, hidden**-0.5)
            self._matrix(at + "attn_v.weight", kv_size, hidden, hidden**-0.5)
            self._matrix(at + "attn_output.weight", hidden, q_size, q_size**-0.5 * residual)
            self._gain(at + "ffn_norm.weight", hidden)
            self._matrix(at + "ffn_gate.weight", wide, hidden, hidden**-0.5)
            self._matrix(at + "ffn_up.weight", wide, hidden, hidden**-0.5)
            self._matrix(at + "ffn_down.weight", hidden, wide, wide**-0.5 * residual)
        powers = torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim
        positions = torch.arange(shape.max_position_embeddings, dtype=torch.float64)
        angles = torch.outer(positions, shape.rope_theta**-powers)
        self._cos, self._sin = angles.cos().float(), angles.sin().float()

    def _matrix(self, name: str, rows: int, cols: int, scale: float) -> None:
        self.tensors[name] = (torch.randn(rows, cols) * scale).requires_grad_()

    def _gain(self, name: str, size: int) -> None:
        self.tensors[name] = torch.ones(size).requires_grad_()

    @property
    def num_parameters(self) -> int:
        return sum(tensor.numel() for tensor in self.tensors.values())

    def logits(self, ids: Tensor) -> Tensor:
        """(rows, length) -> (rows, length, vocab)."""
        shape, weights = self.shape, self.tensors
        length = ids.shape[1]
        cos, sin = self._cos[:length], self._sin[:length]
        group = shape.num_attention_heads // shape.num_key_value_heads
        x = F.embedding(ids, weights["token_embd.weight"])
        for layer in range(shape.num_hidden_layers):
            at = f"blk.{layer}."
            h = self._norm(x, at + "attn_norm.weight")
            q, k, v = (  # (rows, heads, length, head_dim)
                F.linear(h, weights[at + f"attn_{part}.weight"]).unflatten(-1, (-1, shape.head_dim)).transpose(1, 2)
                for part in "qkv"
            )
            q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
            k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
            attended = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
            x = x + F.linear(attended, weights[at + "attn_output.weight"])
            h = self._norm(x, at + "ffn_norm.weight")
            gate, up = F.linear(h, weights[at + "ffn_gate.weight"]), F.linear(h, weights[at + "ffn_up.weight"])
            x = x + F.linear(F.silu(gate) * up, weights[at + "ffn_down.weight"])
        return F.linear(self._norm(x, "output_norm.weight"), weights["token_embd.weight"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.tensors[name], self.shape.rms_norm_eps)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the pairs (2 i, 2 i + 1) of (rows, heads, length, head_dim), as GGUF's "llama" does."""
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack((first * cos - second * sin, first * sin + second * cos), -1).flatten(-2)
