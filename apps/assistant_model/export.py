"""Writes the trained network as a Q8_0 GGUF file with its vocabulary, chat template, scores and model card.

python -m apps.assistant_model.export --run build/assistant --out edge/assets/assistant.gguf
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from apps.assistant_model.card import model_card
from apps.assistant_model.data import EVAL_SEED
from apps.assistant_model.network import Network, Shape
from apps.assistant_model.network_score import score_network
from apps.assistant_model.scoring import EVAL_KINDS, evaluation_set
from apps.assistant_model.tokenizer_bpe import CHAT_TEMPLATE, END, END_OF_TEXT, PRE, SPECIAL
from edge.export import GGUFWriter
from edge.formats.types import GGMLType, ValueType
from edge.quant import decode, encode

MOSTLY_Q8_0 = 7  # general.file_type, llama.cpp's enum llama_ftype
QUANTISATION_VERSION = 2
NORMAL, CONTROL = 1, 3  # tokenizer.ggml.token_type


def encode_tensors(network: Network) -> dict[str, tuple[GGMLType, bytes, tuple[int, ...]]]:
    """Matrices as Q8_0, gains as F32: (type, bytes, shape) by GGUF name."""
    encoded: dict[str, tuple[GGMLType, bytes, tuple[int, ...]]] = {}
    for name, weight in network.tensors.items():
        array = weight.detach().numpy().astype(np.float32)
        kind = GGMLType.Q8_0 if array.ndim == 2 else GGMLType.F32
        encoded[name] = (kind, encode(kind, array), array.shape)
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
    writer.add(
        "tokenizer.ggml.token_type", [CONTROL if token in SPECIAL else NORMAL for token in tokens], ValueType.INT32
    )
    writer.add("tokenizer.ggml.merges", [" ".join(pair) for pair in merges])
    # No text starts with a BOS token; the id is named because readers would otherwise assume GPT-2's.
    writer.add("tokenizer.ggml.bos_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.eos_token_id", vocab[END])
    writer.add("tokenizer.ggml.padding_token_id", vocab[END_OF_TEXT])
    writer.add("tokenizer.ggml.add_bos_token", False)
    writer.add("tokenizer.ggml.add_eos_token", False)
    writer.add("tokenizer.chat_template", CHAT_TEMPLATE)


def add_shape(writer: GGUFWriter, shape: Shape) -> None:
    writer.add("llama.vocab_size", shape.vocab_size)
    writer.add("llama.context_length", shape.max_position_embeddings)
    writer.add("llama.embedding_length", shape.hidden_size)
    writer.add("llama.block_count", shape.num_hidden_layers)
    writer.add("llama.feed_forward_length", shape.intermediate_size)
    writer.add("llama.attention.head_count", shape.num_attention_heads)
    writer.add("llama.attention.head_count_kv", shape.num_key_value_heads)
    writer.add("llama.attention.layer_norm_rms_epsilon", shape.rms_norm_eps)
    writer.add("llama.rope.dimension_count", shape.head_dim)
    writer.add("llama.rope.freq_base", shape.rope_theta)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    record = json.loads((options.run / "train.json").read_text())
    tokenizer: Tokenizer = Tokenizer.from_file(str(options.run / "tokenizer.json"))
    shape = Shape(num_hidden_layers=record["layers"])
    network = Network(shape)
    network.set_tensors(torch.load(options.run / "weights.pt", weights_only=True))
    tensors = encode_tensors(network)

    # Score what is shipped, before it is written: the card must not promise the float network's figures.
    network.set_tensors({name: torch.from_numpy(decode(*typed)) for name, typed in tensors.items()})
    scores: dict[str, float] = {}
    for kind in EVAL_KINDS:
        score = score_network(network, tokenizer, evaluation_set(kind, record["eval_examples"]))
        scores[f"float.{kind}"], scores[f"q8_0.{kind}"] = record[f"float.{kind}"], score.exact_match
        print(f"{kind}: float {record[f'float.{kind}']:.1%}, Q8_0 {score.exact_match:.1%} of {score.count}")

    writer = GGUFWriter(options.out)
    writer.add("general.architecture", "llama")
    writer.add("general.type", "model")
    writer.add("general.name", "edge assistant")
    writer.add("general.size_label", f"{network.num_parameters / 1e6:.1f}M")
    writer.add("general.license", "apache-2.0")
    writer.add("general.languages", ["en"])
    writer.add("general.description", model_card(record, scores))
    writer.add("general.file_type", MOSTLY_Q8_0)
    writer.add("general.quantization_version", QUANTISATION_VERSION)
    for key in ("data_seed", "seed", "examples", "tokens", "steps"):
        writer.add(f"edge.training.{key}", record[key])
    writer.add("edge.training.loss", record["loss"][-1][1])
    writer.add("edge.evaluation.seed", EVAL_SEED)
    writer.add("edge.evaluation.examples", record["eval_examples"])
    for key, value in scores.items():
        writer.add(f"edge.evaluation.{key}", value)
    add_shape(writer, shape)
    add_vocabulary(writer, tokenizer)
    for name, (ggml_type, data, tensor_shape) in tensors.items():
        writer.add_tensor(name, ggml_type, tensor_shape, data)
    writer.finish()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
