"""Llama 2 and 3, and what is built like them: Mistral, SmolLM, TinyLlama.

Touvron et al. 2023, Grattafiori et al. 2024; with a window where the file gives one (Jiang et al. 2023). GGUF files
hold q and k permuted so that rotary pairs are neighbours.
"""

from __future__ import annotations

import math

from edge.formats.config import ModelConfig
from edge.graph.builder import GraphBuilder, Value
from edge.graph.rope import rope_spec

MODULES = {
    "model.embed_tokens": "token_embd",
    "model.layers.{i}.input_layernorm": "blk.{i}.attn_norm",
    "model.layers.{i}.self_attn.q_proj": "blk.{i}.attn_q",
    "model.layers.{i}.self_attn.k_proj": "blk.{i}.attn_k",
    "model.layers.{i}.self_attn.v_proj": "blk.{i}.attn_v",
    "model.layers.{i}.self_attn.o_proj": "blk.{i}.attn_output",
    "model.layers.{i}.post_attention_layernorm": "blk.{i}.ffn_norm",
    "model.layers.{i}.mlp.gate_proj": "blk.{i}.ffn_gate",
    "model.layers.{i}.mlp.up_proj": "blk.{i}.ffn_up",
    "model.layers.{i}.mlp.down_proj": "blk.{i}.ffn_down",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def build(b: GraphBuilder, config: ModelConfig) -> Value:
    """The logits (num_logits, vocab_size) of a step."""
    hidden, ff, eps = config.hidden_size, config.intermediate_size, config.rms_norm_eps
    heads, kv_heads, head_dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    scale = 1.0 / math.sqrt(head_dim)
    rope = rope_spec(config, "norm")

    x = b.embedding("model.embed_tokens", config.vocab_size, hidden)
    for i in range(config.num_hidden_layers):
        b.layer(i)
        h = b.rms_norm(x, "input_layernorm", eps)
        q = b.linear(h, "self_attn.q_proj", heads * head_dim)
        k = b.linear(h, "self_attn.k_proj", kv_heads * head_dim)
        v = b.linear(h, "self_attn.v_proj", kv_heads * head_dim)
        q = b.rope(q, rope, head_dim, "q_rope")
        k = b.rope(k, rope, head_dim, "k_rope")
        a = b.attention(
            q, k, v, num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, scale=scale, window=config.window_of(i)
        )
        x = b.add(x, b.linear(a, "self_attn.o_proj", hidden), "attn_residual")

        h = b.rms_norm(x, "post_attention_layernorm", eps)
        gate = b.silu(b.linear(h, "mlp.gate_proj", ff), "ffn_silu")
        up = b.linear(h, "mlp.up_proj", ff)
        x = b.add(x, b.linear(b.mul(gate, up, "ffn_glu"), "mlp.down_proj", hidden), "ffn_residual")
    b.end_layers()

    x = b.rms_norm(b.select_rows(x), "model.norm", eps)
    head = "model.embed_tokens" if config.tie_word_embeddings else "lm_head"
    return b.linear(x, head, config.vocab_size, name="logits")
