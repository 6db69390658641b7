"""Gemma 3, text (Gemma Team 2025, https://arxiv.org/abs/2503.19786): most layers see a window, every sixth everything.

As llama with rotary pairs half a head apart, but: the embedding is scaled, q and k are normalised per head, attention
and MLP are normalised before the residual too, gates are GELU, and layers with a window rotate by a theta of their own.
GGUF files hold norms as factors (Hugging Face's weight + 1).
"""

from __future__ import annotations

import math

from edge.formats.config import ModelConfig
from edge.graph.builder import GraphBuilder, Value
from edge.graph.rope import local_rope_spec, rope_spec

MODULES = {
    "model.embed_tokens": "token_embd",
    "model.layers.{i}.input_layernorm": "blk.{i}.attn_norm",
    "model.layers.{i}.self_attn.q_proj": "blk.{i}.attn_q",
    "model.layers.{i}.self_attn.k_proj": "blk.{i}.attn_k",
    "model.layers.{i}.self_attn.v_proj": "blk.{i}.attn_v",
    "model.layers.{i}.self_attn.q_norm": "blk.{i}.attn_q_norm",
    "model.layers.{i}.self_attn.k_norm": "blk.{i}.attn_k_norm",
    "model.layers.{i}.self_attn.o_proj": "blk.{i}.attn_output",
    "model.layers.{i}.post_attention_layernorm": "blk.{i}.post_attention_norm",
    "model.layers.{i}.pre_feedforward_layernorm": "blk.{i}.ffn_norm",
    "model.layers.{i}.mlp.gate_proj": "blk.{i}.ffn_gate",
    "model.layers.{i}.mlp.up_proj": "blk.{i}.ffn_up",
    "model.layers.{i}.mlp.down_proj": "blk.{i}.ffn_down",
    "model.layers.{i}.post_feedforward_layernorm": "blk.{i}.post_ffw_norm",
    "model.norm": "output_norm",
    "lm_head": "output",
}

_LAYERS_27B = 62  # the one size whose queries are scaled by hidden_size / heads; no key of GGUF says so


def build(b: GraphBuilder, config: ModelConfig) -> Value:
    """The logits (num_logits, vocab_size) of a step."""
    hidden, ff, eps = config.hidden_size, config.intermediate_size, config.rms_norm_eps
    heads, kv_heads, head_dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    scale = 1.0 / math.sqrt(hidden / heads if config.num_hidden_layers == _LAYERS_27B else head_dim)
    everywhere, local = rope_spec(config, "neox"), local_rope_spec(config, "neox")

    x = b.embedding("model.embed_tokens", config.vocab_size, hidden, scale=math.sqrt(hidden))
    for i in range(config.num_hidden_layers):
        b.layer(i)
        window = config.window_of(i)
        rope = local if config.has_window(i) else everywhere
        h = b.rms_norm(x, "input_layernorm", eps)
        q = b.linear(h, "self_attn.q_proj", heads * head_dim)
        k = b.linear(h, "self_attn.k_proj", kv_heads * head_dim)
        v = b.linear(h, "self_attn.v_proj", kv_heads * head_dim)
        q = b.rope(b.rms_norm(q, "self_attn.q_norm", eps, width=head_dim), rope, head_dim, "q_rope")
        k = b.rope(b.rms_norm(k, "self_attn.k_norm", eps, width=head_dim), rope, head_dim, "k_rope")
        a = b.attention(q, k, v, num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, scale=scale, window=window)
        h = b.rms_norm(b.linear(a, "self_attn.o_proj", hidden), "post_attention_layernorm", eps)
        x = b.add(x, h, "attn_residual")

        h = b.rms_norm(x, "pre_feedforward_layernorm", eps)
        gate = b.gelu(b.linear(h, "mlp.gate_proj", ff), "ffn_gelu")
        up = b.linear(h, "mlp.up_proj", ff)
        h = b.linear(b.mul(gate, up, "ffn_glu"), "mlp.down_proj", hidden)
        x = b.add(x, b.rms_norm(h, "post_feedforward_layernorm", eps), "ffn_residual")
    b.end_layers()

    x = b.rms_norm(b.select_rows(x), "model.norm", eps)
    head = "model.embed_tokens" if config.tie_word_embeddings else "lm_head"
    return b.linear(x, head, config.vocab_size, name="logits")
