"""Tiny models with a byte vocabulary, for tests of calibration and of the methods that use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.export.gguf_writer import GGUFWriter
from edge.formats.config import ModelConfig
from edge.formats.types import GGMLType
from edge.graph.ops import Graph
from edge.models import build
from tests.conftest import byte_tokens
from tests.graph.native_model import Tensor, as_tensors
from tests.models.tiny import F32, metadata, random_tensors, tensor_shapes, tiny_config

BOS = 256
TEXT = "The quick brown fox: 3 + 4 = 7, naïve façade — 日本語。\n" * 3


def config(arch: str = "llama", **changes: Any) -> ModelConfig:
    """Every matrix has a multiple of 256 columns, so that every format fits."""
    sizes = {"hidden_size": 256, "intermediate_size": 512, "head_dim": 64, "rope_dims": 64, "vocab_size": 257}
    return tiny_config(arch, **(sizes | changes))


def outlier_tensors(of: ModelConfig, *, seed: int = 5, channels: int = 3, factor: float = 24.0) -> dict[str, F32]:
    """Random tensors of a model in which a few channels of every input of a layer's matrices are `factor` times larger
    than others, as in trained models, while the weights that meet them are not smaller."""
    tensors = random_tensors(tensor_shapes(of), seed=seed)
    rng = np.random.default_rng(seed)
    readers = {
        "attn_norm": ("attn_q", "attn_k", "attn_v"),
        "attn_v": ("attn_output",),
        "ffn_norm": ("ffn_gate", "ffn_up"),
        "ffn_up": ("ffn_down",),
    }
    for name, values in tensors.items():
        prefix, _, maker = name.removesuffix(".weight").rpartition(".")
        if maker in readers:
            values[rng.permutation(len(values))[:channels]] *= factor
            growth = np.sqrt(1 + channels * (factor**2 - 1) / len(values))
            for reader in readers[maker]:  # whose outputs stay about as large as they were
                tensors[f"{prefix}.{reader}.weight"] /= np.float32(growth)
    return tensors


def graph_of(of: ModelConfig) -> Graph:
    return build(of, tensor_shapes(of))


def write(path: Path, of: ModelConfig, tensors: Mapping[str, Tensor], *, add_bos: bool = True) -> Path:
    writer = GGUFWriter(path)
    for key, value in metadata(of).items():
        writer.add(key, value)
    tokens = [*byte_tokens(), "<|bos|>"]
    assert of.vocab_size == len(tokens)
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", [*tokens[:255], "he", tokens[256]])  # byte 255 is never in UTF-8
    writer.add("tokenizer.ggml.token_type", [1] * 256 + [3])
    writer.add("tokenizer.ggml.merges", ["h e"])
    writer.add("tokenizer.ggml.bos_token_id", BOS)
    writer.add("tokenizer.ggml.add_bos_token", add_bos)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.type, tensor.shape, tensor.data)
    writer.finish()
    return path


def write_floats(path: Path, of: ModelConfig, tensors: Mapping[str, F32]) -> Path:
    return write(path, of, as_tensors(tensors, (GGMLType.F32,)))
