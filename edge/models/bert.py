"""BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805) and what is built like it: MiniLM, BGE, E5. An encoder:
every token sees the whole text, positions are learned, and norms stand behind the residual. It embeds text and writes
none. The second kind of token type, of texts in pairs, is never used.
"""

from __future__ import annotations

import math

from edge.formats.config import ModelConfig
from edge.graph.builder import GraphBuilder, Value

MODULES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "encoder.layer.{i}.attention.self.query": "blk.{i}.attn_q",
    "encoder.layer.{i}.attention.self.key": "blk.{i}.attn_k",
    "encoder.layer.{i}.attention.self.value": "blk.{i}.attn_v",
    "encoder.layer.{i}.attention.output.dense": "blk.{i}.attn_output",
    "encoder.layer.{i}.attention.output.LayerNorm": "blk.{i}.attn_output_norm",
    "encoder.layer.{i}.intermediate.dense": "blk.{i}.ffn_up",
    "encoder.layer.{i}.output.dense": "blk.{i}.ffn_down",
    "encoder.layer.{i}.output.LayerNorm": "blk.{i}.layer_output_norm",
}


def build(b: GraphBuilder, config: ModelConfig) -> Value:
    """The last hidden states (num_logits, hidden_size) of the rows that are wanted."""
    hidden, ff, eps = config.hidden_size, config.intermediate_size, config.rms_norm_eps
    heads, head_dim = config.num_attention_heads, config.head_dim
    scale = 1.0 / math.sqrt(head_dim)

    x = b.embedding("embeddings.word_embeddings", config.vocab_size, hidden)
    if config.type_vocab_size:
        kind = b.row_embedding("embeddings.token_type_embeddings", config.type_vocab_size, hidden, "first")
        x = b.add(x, kind, "typed")
    rows = config.max_position_embeddings
    x = b.add(x, b.row_embedding("embeddings.position_embeddings", rows, hidden, "position"), "placed")
    x = b.layer_norm(x, "embeddings.LayerNorm", eps)
    for i in range(config.num_hidden_layers):
        b.layer(i)
        q = b.linear(x, "attention.self.query", heads * head_dim)
        k = b.linear(x, "attention.self.key", heads * head_dim)
        v = b.linear(x, "attention.self.value", heads * head_dim)
        a = b.attention(q, k, v, num_heads=heads, num_kv_heads=heads, head_dim=head_dim, scale=scale, whole=True)
        a = b.add(x, b.linear(a, "attention.output.dense", hidden), "attn_residual")
        x = b.layer_norm(a, "attention.output.LayerNorm", eps)

        h = b.gelu_erf(b.linear(x, "intermediate.dense", ff), "ffn_gelu")
        h = b.add(x, b.linear(h, "output.dense", hidden), "ffn_residual")
        x = b.layer_norm(h, "output.LayerNorm", eps)
    b.end_layers()
    return b.select_rows(x)
