"""What training begins with: nothing, or a network that was trained before, as a run's folder or a GGUF file."""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from torch import Tensor

from apps.assistant_model.card import total
from apps.assistant_model.network import Shape
from apps.assistant_model.tokenizer_bpe import QWEN2, SCAFFOLD, SPECIAL
from edge.formats import GGUFFile, open_gguf
from edge.quant import decode


@dataclass(frozen=True, slots=True)
class Start:
    """Weights by GGUF name, the vocabulary they were trained with, and the counts of that training."""

    shape: Shape
    tokenizer: Tokenizer
    tensors: dict[str, Tensor]
    before: dict[str, Any]


def read_start(path: Path) -> Start:
    """A folder that train wrote, in float, or a model file, its weights dequantised. OSError, KeyError, FormatError."""
    return _of_run(path) if path.is_dir() else _of_file(path)


def _of_run(folder: Path) -> Start:
    record = json.loads((folder / "train.json").read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tensors = torch.load(folder / "weights.pt", weights_only=True)
    return Start(Shape(**record["shape"]), tokenizer, tensors, _counts(record))


def _of_file(path: Path) -> Start:
    with open_gguf(path) as file:
        tensors = {
            name: torch.from_numpy(decode(info.type, file.tensor_data(name), info.shape).copy())
            for name, info in file.tensors.items()
        }
        counts = {key: file.get_int(f"edge.training.{key}") for key in ("seed", "conversations", "tokens", "steps")}
        return Start(_shape_of(file), _tokenizer_of(file), tensors, counts)


def _counts(record: dict[str, Any]) -> dict[str, Any]:
    return {"seed": record["seed"]} | {key: total(record, key) for key in ("conversations", "tokens", "steps")}


def _shape_of(file: GGUFFile) -> Shape:
    return Shape(
        vocab_size=file.get_int("qwen3.vocab_size"),
        hidden_size=file.get_int("qwen3.embedding_length"),
        intermediate_size=file.get_int("qwen3.feed_forward_length"),
        num_hidden_layers=file.get_int("qwen3.block_count"),
        num_attention_heads=file.get_int("qwen3.attention.head_count"),
        num_key_value_heads=file.get_int("qwen3.attention.head_count_kv"),
        head_dim=file.get_int("qwen3.attention.key_length"),
        max_position_embeddings=file.get_int("qwen3.context_length"),
        rms_norm_eps=round(file.get_float("qwen3.attention.layer_norm_rms_epsilon"), 12),  # the file holds 32 bits
        rope_theta=file.get_float("qwen3.rope.freq_base"),
    )


def _tokenizer_of(file: GGUFFile) -> Tokenizer:
    """The vocabulary as `tokenizer_bpe` made it, from the file's own lists."""
    tokens = list(file.get_strings("tokenizer.ggml.tokens"))
    merges = [merge.split(" ") for merge in file.get_strings("tokenizer.ggml.merges")]
    vocab = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocab, [(first, second) for first, second in merges]))
    tokenizer.pre_tokenizer = Sequence([Split(Regex(QWEN2), "isolated"), ByteLevel(False, use_regex=False)])
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([*SPECIAL, *SCAFFOLD])
    return tokenizer
