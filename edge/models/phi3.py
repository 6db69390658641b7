"""Phi-3, Phi-3.5 and Phi-4-mini (Abdin et al. 2024, https://arxiv.org/abs/2404.14219): as llama, with rotary pairs half
a head apart. q, k and v are one tensor, gate and up another; the context may be stretched by LongRoPE, and some sizes
see a window in every layer (llama.cpp leaves it out).
"""

from __future__ import annotations

import math

from edge.formats.config import ModelConfig
from edge.graph.builder import GraphBuilder, Value
from edge.graph.rope import rope_spec

MODULES = {
    "model.embed_tokens": "token_embd",
    "model.layers.{i}.input_layernorm": "blk.{i}.attn_norm",
    "model.layers.{i}.self_attn.qkv_proj": "blk.{i}.attn_qkv",
    "model.layers.{i}.self_attn.o_proj": "blk.{i}.attn_output",
    "model.layers.{i}.post_attention_layernorm": "blk.{i}.ffn_norm",
    "model.layers.{i}.mlp.gate_up_proj": "blk.{i}.ffn_up",
    "model.layers.{i}.mlp.down_proj": "blk.{i}.ffn_down",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def build(b: GraphBuilder, config: ModelConfig) -> Value:
    """The logits (num_logits, vocab_size) of a step."""
    hidden, ff, eps = config.hidden_size, config.intermediate_size, config.rms_norm_eps
    heads, kv_heads, head_dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    scale = 1.0 / math.sqrt(head_dim)
    rope = rope_spec(config, "neox")

    x = b.embedding("model.embed_tokens", config.vocab_size, hidden)
    for i in range(config.num_hidden_layers):
        b.layer(i)
        window = config.window_of(i)
        h = b.rms_norm(x, "input_layernorm", eps)
        widths = {"q": heads * head_dim, "k": kv_heads * head_dim, "v": kv_heads * head_dim}
        q, k, v = b.linears(h, "self_attn.qkv_proj", widths)
        q = b.rope(q, rope, head_dim, "q_rope")
        k = b.rope(k, rope, head_dim, "k_rope")
        a = b.attention(q, k, v, num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, scale=scale, window=window)
        x = b.add(x, b.linear(a, "self_attn.o_proj", hidden), "attn_residual")

        h = b.rms_norm(x, "post_attention_layernorm", eps)
        gate, up = b.linears(h, "mlp.gate_up_proj", {"gate": ff, "up": ff})
        gate = b.silu(gate, "ffn_silu")
        x = b.add(x, b.linear(b.mul(gate, up, "ffn_glu"), "mlp.down_proj", hidden), "ffn_residual")
    b.end_layers()

    x = b.rms_norm(b.select_rows(x), "model.norm", eps)
    head = "model.embed_tokens" if config.tie_word_embeddings else "lm_head"
    return b.linear(x, head, config.vocab_size, name="logits")
