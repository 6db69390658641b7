"""BERT as an encoder of sentences: the states of its last layer are what it is for, so its heads are left out."""

from __future__ import annotations

from edge.errors import UnsupportedModel
from edge.export.architectures.layout import Layout
from edge.export.config import Config
from edge.formats.cursor import quoted
from edge.models.bert import MODULES

_BIASES = frozenset({"query", "key", "value", "dense", "LayerNorm"})


def layout(config: Config) -> Layout:
    config.require_activation("gelu", default="gelu")
    dims, text = config.dimensions(), config.text
    if text.get_str("position_embedding_type", "absolute") != "absolute":
        kind = text.get_str("position_embedding_type")
        raise UnsupportedModel(config.path, f"key 'position_embedding_type' is {quoted(kind)}, edge has 'absolute'")
    for key in ("is_decoder", "add_cross_attention"):
        if text.get_bool(key, False):
            raise UnsupportedModel(config.path, f"key {key!r} is true; edge exports BERT as an encoder")
    context, types = config.context(512), text.get_int("type_vocab_size", 2, minimum=1, maximum=2**16)
    epsilon = text.get_float("layer_norm_eps", 1e-12)
    if not 0.0 < epsilon <= 1.0:
        text.fail("layer_norm_eps", f"is {epsilon}, wanted above 0 and at most 1")
    hidden, ff = dims.hidden_size, dims.intermediate_size
    square = (hidden, hidden)
    metadata = {
        "vocab_size": dims.vocab_size,
        "context_length": context,
        "embedding_length": hidden,
        "block_count": dims.num_hidden_layers,
        "feed_forward_length": ff,
        "attention.head_count": dims.num_attention_heads,
        "attention.layer_norm_epsilon": epsilon,
        "attention.causal": False,
    }
    return Layout(
        architecture="bert",
        modules=MODULES,
        dimensions=dims,
        metadata={f"bert.{key}": value for key, value in metadata.items()} | {"tokenizer.ggml.token_type_count": types},
        tied=True,
        biases=_BIASES,
        shapes={
            "embeddings.word_embeddings": (dims.vocab_size, hidden),
            "embeddings.position_embeddings": (context, hidden),
            "embeddings.token_type_embeddings": (types, hidden),
            "encoder.layer.{i}.attention.self.query": square,
            "encoder.layer.{i}.attention.self.key": square,
            "encoder.layer.{i}.attention.self.value": square,
            "encoder.layer.{i}.attention.output.dense": square,
            "encoder.layer.{i}.intermediate.dense": (ff, hidden),
            "encoder.layer.{i}.output.dense": (hidden, ff),
        },
        prefixes=(("", ""), ("bert.", "")),
        dropped=("pooler.", "bert.pooler.", "cls.", "embeddings.position_ids", "bert.embeddings.position_ids"),
    )
