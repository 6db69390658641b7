"""Writes the network of a training run, finished or at its checkpoint, as an F32 GGUF file.

python -m apps.language_model.export --run build/language/run --out build/language/language.gguf
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from apps.language_model.network import Shape
from apps.language_model.vocabulary import END_OF_TEXT
from edge.export import GGUFWriter
from edge.formats import GGMLType, ValueType

NORMAL, CONTROL = 1, 3  # tokenizer.ggml.token_type


def add_vocabulary(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    """The byte-level BPE vocabulary and its merges in order of rank."""
    vocab: dict[str, int] = tokenizer.get_vocab()
    tokens = sorted(vocab, key=lambda token: vocab[token])
    merges: list[list[str]] = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "qwen2")
    writer.add("tokenizer.ggml.tokens", tokens)
    types = [CONTROL if token == END_OF_TEXT else NORMAL for token in tokens]
    writer.add("tokenizer.ggml.token_type", types, ValueType.INT32)
    writer.add("tokenizer.ggml.merges", [" ".join(pair) for pair in merges])
    writer.add("tokenizer.ggml.bos_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.eos_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.add_bos_token", True)  # every document began so


def add_shape(writer: GGUFWriter, shape: Shape) -> None:
    for key, value in {
        "vocab_size": shape.vocab_size, "context_length": shape.max_position_embeddings,
        "embedding_length": shape.hidden_size, "block_count": shape.num_hidden_layers,
        "feed_forward_length": shape.intermediate_size, "attention.head_count": shape.num_attention_heads,
        "attention.head_count_kv": shape.num_key_value_heads, "attention.key_length": shape.head_dim,
        "attention.value_length": shape.head_dim, "rope.dimension_count": shape.head_dim,
    }.items():  # fmt: skip
        writer.add(f"llama.{key}", value)
    writer.add("llama.attention.layer_norm_rms_epsilon", shape.rms_norm_eps)
    writer.add("llama.rope.freq_base", shape.rope_theta)


def write_model(run: Path, out: Path) -> None:
    """ValueError when the checkpoint has other sizes than this version's network."""
    state: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    tensors: dict[str, Tensor] = state["tensors"]
    shape = Shape()
    if tensors["token_embd.weight"].shape != (shape.vocab_size, shape.hidden_size):
        raise ValueError(f"{run}: the checkpoint is of a network of other sizes")
    writer = GGUFWriter(out)
    writer.add("general.architecture", "llama")
    writer.add("general.name", "edge documentation")
    writer.add("general.description", f"Trained on Debian's documentation packages, {state['step']} steps.")
    writer.add("general.file_type", 0)
    add_shape(writer, shape)
    add_vocabulary(writer, Tokenizer.from_file(str(run / "tokenizer.json")))
    for name, weight in tensors.items():
        writer.add_tensor(name, GGMLType.F32, tuple(weight.shape), weight.detach().contiguous().numpy())
    writer.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train_language_model wrote")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write_model(options.run, options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
