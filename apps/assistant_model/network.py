"""The network in PyTorch: the GGUF "llama" architecture, rotary pairs adjacent as GGUF wants them, so that no weight
is permuted on export. Parameters carry GGUF's tensor names.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network, under Hugging Face's names. Matrix widths are multiples of 32 for Q8_0."""

    vocab_size: int = 1024
    hidden_size: int = 128
    intermediate_size: int = 384
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    max_position_embeddings: int = 512
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


class Network:
    """Decoder-only transformer with tied embeddings. `tensors` holds its parameters under GGUF's names."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.tensors: dict[str, Tensor] = {}
        hidden, wide, kv_size = shape.hidden_size, shape.intermediate_size, shape.num_key_value_heads * shape.head_dim
        self._matrix("token_embd.weight", shape.vocab_size, hidden, scale=0.05)
        self._gain("output_norm.weight")
        residual = (2 * shape.num_hidden_layers) ** -0.5  # keeps the residual stream's size whatever the depth
        for layer in range(shape.num_hidden_layers):
            at = f"blk.{layer}."
            self._gain(at + "attn_norm.weight")
            self._matrix(at + "attn_q.weight", hidden, hidden)
            self._matrix(at + "attn_k.weight", kv_size, hidden)
            self._matrix(at + "attn_v.weight", kv_size, hidden)
            self._matrix(at + "attn_output.weight", hidden, hidden, scale=hidden**-0.5 * residual)
            self._gain(at + "ffn_norm.weight")
            self._matrix(at + "ffn_gate.weight", wide, hidden)
            self._matrix(at + "ffn_up.weight", wide, hidden)
            self._matrix(at + "ffn_down.weight", hidden, wide, scale=wide**-0.5 * residual)

    def _matrix(self, name: str, rows: int, cols: int, scale: float | None = None) -> None:
        self.tensors[name] = (torch.randn(rows, cols) * (scale or cols**-0.5)).requires_grad_()

    def _gain(self, name: str) -> None:
        self.tensors[name] = torch.ones(self.shape.hidden_size).requires_grad_()

    @property
    def num_parameters(self) -> int:
        return sum(tensor.numel() for tensor in self.tensors.values())

    def set_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Replaces every parameter; KeyError where one is missing."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(tensors[name])

    def hidden(self, ids: Tensor) -> Tensor:
        """(batch, length) token ids -> (batch, length, hidden) after the last norm."""
        shape, weights = self.shape, self.tensors
        batch, length = ids.shape
        cos, sin = _rope_tables(length, shape)
        x = F.embedding(ids, weights["token_embd.weight"])
        for layer in range(shape.num_hidden_layers):
            at = f"blk.{layer}."
            h = _norm(x, weights[at + "attn_norm.weight"], shape.rms_norm_eps)
            heads = [
                F.linear(h, weights[at + f"attn_{part}.weight"]).view(batch, length, -1, shape.head_dim).transpose(1, 2)
                for part in "qkv"
            ]
            q, k = _rotate(heads[0], cos, sin), _rotate(heads[1], cos, sin)
            group = shape.num_attention_heads // shape.num_key_value_heads
            k, v = k.repeat_interleave(group, 1), heads[2].repeat_interleave(group, 1)
            attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + F.linear(attended.transpose(1, 2).reshape(batch, length, -1), weights[at + "attn_output.weight"])
            h = _norm(x, weights[at + "ffn_norm.weight"], shape.rms_norm_eps)
            gate, up = F.linear(h, weights[at + "ffn_gate.weight"]), F.linear(h, weights[at + "ffn_up.weight"])
            x = x + F.linear(F.silu(gate) * up, weights[at + "ffn_down.weight"])
        return _norm(x, weights["output_norm.weight"], shape.rms_norm_eps)

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden) -> (..., vocab)."""
        return F.linear(hidden, self.tensors["token_embd.weight"])

    def greedy(self, prompts: list[list[int]], end: int, max_tokens: int) -> list[list[int]]:
        """For each prompt the most likely continuation, without the end token. Recomputes everything each step."""
        answers: list[list[int]] = [[] for _ in prompts]
        open_rows = list(range(len(prompts)))
        for _ in range(max_tokens):
            if not open_rows:
                break
            rows = [prompts[i] + answers[i] for i in open_rows]
            width = max(map(len, rows))
            ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
            last = torch.tensor([len(row) - 1 for row in rows])
            with torch.no_grad():
                logits = self.logits(self.hidden(ids)[torch.arange(len(rows)), last])
            best: list[int] = logits.argmax(-1).tolist()
            for i, token in zip(open_rows, best, strict=True):
                answers[i].append(token)
            open_rows = [i for i in open_rows if answers[i][-1] != end]
        return [answer[:-1] if answer and answer[-1] == end else answer for answer in answers]


def _norm(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), gain, eps)


def _rope_tables(length: int, shape: Shape) -> tuple[Tensor, Tensor]:
    """cos and sin, each (length, head_dim / 2)."""
    powers = torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim
    angles = torch.outer(torch.arange(length, dtype=torch.float64), shape.rope_theta**-powers)
    return angles.cos().float(), angles.sin().float()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the pairs (2i, 2i + 1) of (batch, heads, length, head_dim)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)
