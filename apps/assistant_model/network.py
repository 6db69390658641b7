"""The network in PyTorch: the GGUF "qwen3" architecture (norms on queries and keys, rotary halves). Parameters carry
GGUF's tensor names.

Many conversations stand behind one tool list, so the list goes through the network once: a `Pack` holds its tokens,
then those of every conversation, without padding. A conversation attends to the list and to itself, never to another.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from apps.assistant_model.meanings import MEANINGS

SHARPNESS = 1.7  # of the norms on queries and keys at the start: scores reach 16, enough to pick one token of hundreds


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network, under Hugging Face's names. Matrix widths are multiples of 32 for Q8_0."""

    vocab_size: int = 2048
    hidden_size: int = 160
    intermediate_size: int = 480
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 32
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1e6  # at 1e4, few pairs of dimensions keep still over the length of a tool list


@dataclass(frozen=True, slots=True)
class Bucket:
    """Conversations of similar length: `index` (rows, length) points into the pack's tokens, `real` is False where a
    row is shorter, `mask` (group * length, prefix + length) is added to the scores.
    """

    index: Tensor
    real: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Pack:
    """`ids` and `positions` (tokens,): a prefix of `prefix` tokens, then the conversations that share it."""

    ids: Tensor
    positions: Tensor
    prefix: int
    buckets: tuple[Bucket, ...]

    @classmethod
    def of(cls, prefix: list[int], rows: list[list[int]], shape: Shape, per_bucket: int = 6) -> Pack:
        starts = [len(prefix)]
        for row in rows:
            starts.append(starts[-1] + len(row))
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        buckets = [
            _bucket([(starts[i], len(rows[i])) for i in order[at : at + per_bucket]], len(prefix), shape)
            for at in range(0, len(order), per_bucket)
        ]
        ids = torch.tensor([*prefix, *(token for row in rows for token in row)])
        own = [torch.arange(len(prefix), len(prefix) + len(row)) for row in rows]
        return cls(ids, torch.cat([torch.arange(len(prefix)), *own]), len(prefix), tuple(buckets))


def _bucket(spans: list[tuple[int, int]], prefix: int, shape: Shape) -> Bucket:
    longest = max(length for _, length in spans)
    steps = torch.arange(longest)
    lengths = torch.tensor([length for _, length in spans])[:, None]
    real = steps < lengths
    index = torch.where(real, torch.tensor([start for start, _ in spans])[:, None] + steps, 0)
    causal = torch.zeros(longest, longest).masked_fill_(steps > steps[:, None], -torch.inf)
    mask = torch.cat([torch.zeros(longest, prefix), causal], 1)
    return Bucket(index, real, mask.repeat(shape.num_attention_heads // shape.num_key_value_heads, 1))


class Network:
    """Decoder-only transformer with tied embeddings. `tensors` holds its parameters under GGUF's names."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.tensors: dict[str, Tensor] = {}
        hidden, wide = shape.hidden_size, shape.intermediate_size
        q_size, kv_size = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
        self._matrix("token_embd.weight", shape.vocab_size, hidden, scale=0.05)
        self._gain("output_norm.weight", hidden)
        residual = (2 * shape.num_hidden_layers) ** -0.5  # keeps the residual stream's size whatever the depth
        for layer in range(shape.num_hidden_layers):
            at = f"blk.{layer}."
            self._gain(at + "attn_norm.weight", hidden)
            self._matrix(at + "attn_q.weight", q_size, hidden)
            self._matrix(at + "attn_k.weight", kv_size, hidden)
            self._matrix(at + "attn_v.weight", kv_size, hidden)
            self._gain(at + "attn_q_norm.weight", shape.head_dim, SHARPNESS)
            self._gain(at + "attn_k_norm.weight", shape.head_dim, SHARPNESS)
            self._matrix(at + "attn_output.weight", hidden, q_size, scale=q_size**-0.5 * residual)
            self._gain(at + "ffn_norm.weight", hidden)
            self._matrix(at + "ffn_gate.weight", wide, hidden)
            self._matrix(at + "ffn_up.weight", wide, hidden)
            self._matrix(at + "ffn_down.weight", hidden, wide, scale=wide**-0.5 * residual)
        self.classifier = (torch.randn(len(MEANINGS), hidden) * hidden**-0.5).requires_grad_()  # of training only
        positions = torch.arange(shape.max_position_embeddings, dtype=torch.float64)
        powers = torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim
        angles = torch.outer(positions, shape.rope_theta**-powers)
        self._cos, self._sin = angles.cos().float(), angles.sin().float()

    def _matrix(self, name: str, rows: int, cols: int, scale: float | None = None) -> None:
        self.tensors[name] = (torch.randn(rows, cols) * (scale or cols**-0.5)).requires_grad_()

    def _gain(self, name: str, size: int, value: float = 1.0) -> None:
        self.tensors[name] = torch.full((size,), value).requires_grad_()

    @property
    def num_parameters(self) -> int:
        return sum(tensor.numel() for tensor in self.tensors.values())

    def set_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Replaces every parameter; KeyError where one is missing."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(tensors[name])

    def hidden(self, pack: Pack, wanted: Tensor, half_way: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(wanted, hidden) after the last norm, of the tokens at the indices `wanted`, and (half_way, hidden) after
        half of the layers and a norm without gains, of those at `half_way`.
        """
        middle = torch.empty(0)
        shape, weights = self.shape, self.tensors
        cos, sin = self._cos[pack.positions, None], self._sin[pack.positions, None]
        x = F.embedding(pack.ids, weights["token_embd.weight"])
        for layer in range(shape.num_hidden_layers):
            if half_way is not None and layer == shape.num_hidden_layers // 2:
                middle = F.rms_norm(x[half_way], (shape.hidden_size,), None, shape.rms_norm_eps)
            at = f"blk.{layer}."
            h = _norm(x, weights[at + "attn_norm.weight"], shape.rms_norm_eps)
            q, k, v = (
                F.linear(h, weights[at + f"attn_{part}.weight"]).unflatten(-1, (-1, shape.head_dim)) for part in "qkv"
            )
            q = _rotate(_norm(q, weights[at + "attn_q_norm.weight"], shape.rms_norm_eps), cos, sin)
            k = _rotate(_norm(k, weights[at + "attn_k_norm.weight"], shape.rms_norm_eps), cos, sin)
            x = x + F.linear(_attend(q, k, v, pack).flatten(1), weights[at + "attn_output.weight"])
            if layer == shape.num_hidden_layers - 1:
                x = x[wanted]
            h = _norm(x, weights[at + "ffn_norm.weight"], shape.rms_norm_eps)
            gate, up = F.linear(h, weights[at + "ffn_gate.weight"]), F.linear(h, weights[at + "ffn_up.weight"])
            x = x + F.linear(F.silu(gate) * up, weights[at + "ffn_down.weight"])
        return _norm(x, weights["output_norm.weight"], shape.rms_norm_eps), middle

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden) -> (..., vocab)."""
        return F.linear(hidden, self.tensors["token_embd.weight"])


def _attend(q: Tensor, k: Tensor, v: Tensor, pack: Pack) -> Tensor:
    """(tokens, heads, head_dim) each -> the same for q. Heads that share keys become rows of one attention."""
    tokens, heads, head_dim = q.shape
    kv_heads = k.shape[1]
    group = heads // kv_heads
    out = torch.empty_like(q)
    prefix_k, prefix_v = k[: pack.prefix].transpose(0, 1)[None], v[: pack.prefix].transpose(0, 1)[None]
    parts: list[Tensor] = []
    places: list[Tensor] = []
    if pack.prefix:
        causal = F.scaled_dot_product_attention(
            q[: pack.prefix].transpose(0, 1)[None],
            prefix_k.repeat_interleave(group, 1),
            prefix_v.repeat_interleave(group, 1),
            is_causal=True,
        )
        parts.append(causal[0].transpose(0, 1))
        places.append(torch.arange(pack.prefix))
    for bucket in pack.buckets:
        rows, length = bucket.index.shape
        own_q = q[bucket.index].view(rows, length, kv_heads, group, head_dim).permute(0, 2, 3, 1, 4).flatten(2, 3)
        own_k, own_v = k[bucket.index].transpose(1, 2), v[bucket.index].transpose(1, 2)
        all_k = torch.cat([prefix_k.expand(rows, -1, -1, -1), own_k], 2)
        all_v = torch.cat([prefix_v.expand(rows, -1, -1, -1), own_v], 2)
        attended = F.scaled_dot_product_attention(own_q, all_k, all_v, attn_mask=bucket.mask)
        attended = attended.view(rows, kv_heads, group, length, head_dim).permute(0, 3, 1, 2, 4)
        parts.append(attended.reshape(rows, length, heads, head_dim)[bucket.real])
        places.append(bucket.index[bucket.real])
    return out.index_copy(0, torch.cat(places), torch.cat(parts))


def _norm(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), gain, eps)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the pairs (i, i + head_dim / 2) of (tokens, heads, head_dim)."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)
