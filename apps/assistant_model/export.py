"""Writes the trained network as a GGUF file with its vocabulary, chat template, scores and model card.

    python -m apps.assistant_model.evaluate --run build/assistant --json build/assistant/scores.json
    python -m apps.assistant_model.export --run build/assistant --scores build/assistant/scores.json \\
        --out edge/assets/assistant.gguf

The first line measures float and quantised files made from the run; the second puts their figures into the card.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from apps.assistant_model.card import model_card, total
from apps.assistant_model.chat_template import CHAT_TEMPLATE
from apps.assistant_model.data import EVAL_SEED
from apps.assistant_model.network import Shape
from apps.assistant_model.tokenizer_bpe import END, END_OF_TEXT, PRE, SCAFFOLD, SPECIAL
from edge.export import GGUFWriter
from edge.formats import GGMLType, ValueType
from edge.quant import encode

Encoded = tuple[GGMLType, bytes, tuple[int, ...]]
FILE_TYPES = {GGMLType.F32: 0, GGMLType.Q8_0: 7, GGMLType.Q4_0: 2}  # general.file_type: llama.cpp's enum llama_ftype
QUANTISATION_VERSION = 2
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # tokenizer.ggml.token_type


def encode_tensors(tensors: Mapping[str, Tensor], kind: GGMLType) -> dict[str, Encoded]:
    """Matrices as `kind`, gains as F32: (type, bytes, shape) by GGUF name."""
    encoded: dict[str, Encoded] = {}
    for name, weight in tensors.items():
        array = weight.detach().numpy().astype(np.float32)
        chosen = kind if array.ndim == 2 else GGMLType.F32
        encoded[name] = (chosen, encode(chosen, array), array.shape)
    return encoded


def add_vocabulary(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    """The byte-level BPE vocabulary, its merges in order of rank, and what the special tokens mean."""
    vocab: dict[str, int] = tokenizer.get_vocab()
    tokens = sorted(vocab, key=lambda token: vocab[token])
    if [vocab[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError("token ids are not dense")
    merges: list[list[str]] = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", PRE)
    writer.add("tokenizer.ggml.tokens", tokens)
    types = [CONTROL if token in SPECIAL else USER_DEFINED if token in SCAFFOLD else NORMAL for token in tokens]
    writer.add("tokenizer.ggml.token_type", types, ValueType.INT32)
    writer.add("tokenizer.ggml.merges", [" ".join(pair) for pair in merges])
    # No text starts with a BOS token; the id is named because readers would otherwise assume GPT-2's.
    writer.add("tokenizer.ggml.bos_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.eos_token_id", vocab[END])
    writer.add("tokenizer.ggml.padding_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.add_bos_token", False)
    writer.add("tokenizer.ggml.add_eos_token", False)
    writer.add("tokenizer.chat_template", CHAT_TEMPLATE)


def add_shape(writer: GGUFWriter, shape: Shape) -> None:
    writer.add("qwen3.vocab_size", shape.vocab_size)
    writer.add("qwen3.context_length", shape.max_position_embeddings)
    writer.add("qwen3.embedding_length", shape.hidden_size)
    writer.add("qwen3.block_count", shape.num_hidden_layers)
    writer.add("qwen3.feed_forward_length", shape.intermediate_size)
    writer.add("qwen3.attention.head_count", shape.num_attention_heads)
    writer.add("qwen3.attention.head_count_kv", shape.num_key_value_heads)
    writer.add("qwen3.attention.key_length", shape.head_dim)
    writer.add("qwen3.attention.value_length", shape.head_dim)
    writer.add("qwen3.attention.layer_norm_rms_epsilon", shape.rms_norm_eps)
    writer.add("qwen3.rope.dimension_count", shape.head_dim)
    writer.add("qwen3.rope.freq_base", shape.rope_theta)


def write_model(run: Path, out: Path, kind: GGMLType, scores: Mapping[str, float]) -> None:
    """The network of the training run in folder `run` as a GGUF file; `scores` by "<format>.<set>" go into its card."""
    record = json.loads((run / "train.json").read_text())
    tokenizer: Tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    tensors: dict[str, Tensor] = torch.load(run / "weights.pt", weights_only=True)
    writer = GGUFWriter(out)
    writer.add("general.architecture", "qwen3")
    writer.add("general.type", "model")
    writer.add("general.name", "edge assistant")
    writer.add("general.size_label", f"{sum(tensor.numel() for tensor in tensors.values()) / 1e6:.1f}M")
    writer.add("general.license", "apache-2.0")
    writer.add("general.languages", ["en"])
    writer.add("general.description", model_card(record, scores))
    writer.add("general.file_type", FILE_TYPES[kind])
    writer.add("general.quantization_version", QUANTISATION_VERSION)
    for key in ("data_seed", "seed"):
        writer.add(f"edge.training.{key}", record[key])
    for key in ("conversations", "tokens", "steps"):
        writer.add(f"edge.training.{key}", total(record, key))
    writer.add("edge.training.loss", record["losses"][-1][1])
    writer.add("edge.evaluation.seed", EVAL_SEED)
    for key, value in scores.items():
        writer.add(f"edge.evaluation.{key}", value)
    add_shape(writer, Shape(**record["shape"]))
    add_vocabulary(writer, tokenizer)
    for name, (ggml_type, data, tensor_shape) in encode_tensors(tensors, kind).items():
        writer.add_tensor(name, ggml_type, tensor_shape, data)
    writer.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=[kind.name for kind in FILE_TYPES], default=GGMLType.Q8_0.name)
    parser.add_argument("--scores", type=Path, help="what evaluate --json wrote, for the model card")
    options = parser.parse_args()
    scores = json.loads(options.scores.read_text()) if options.scores else {}
    write_model(options.run, options.out, GGMLType[options.type], scores)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
