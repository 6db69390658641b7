"""Folders for hostile tests: a tiny sound model written without transformers, and ways to spoil it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

VOCAB, HIDDEN, FF, LAYERS = 300, 32, 64, 2
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "intermediate_size": FF,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def tensors(seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(seed)

    def matrix(*shape: int) -> npt.NDArray[np.float32]:
        return rng.standard_normal(shape).astype(np.float32)

    found = {"model.embed_tokens.weight": matrix(VOCAB, HIDDEN), "model.norm.weight": matrix(HIDDEN)}
    for i in range(LAYERS):
        shapes = {
            "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
            "self_attn.q_proj": (32, HIDDEN), "self_attn.k_proj": (16, HIDDEN), "self_attn.v_proj": (16, HIDDEN),
            "self_attn.o_proj": (HIDDEN, 32), "mlp.gate_proj": (FF, HIDDEN), "mlp.up_proj": (FF, HIDDEN),
            "mlp.down_proj": (HIDDEN, FF),
        }  # fmt: skip
        found |= {f"model.layers.{i}.{name}.weight": matrix(*shape) for name, shape in shapes.items()}
    return found | {"lm_head.weight": matrix(VOCAB, HIDDEN)}


def header_of(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """The header of a safetensors file of float32 arrays."""
    header: dict[str, Any] = {}
    position = 0
    for name, values in arrays.items():
        offsets = [position, position + values.nbytes]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": offsets}
        position += values.nbytes
    return header


def safetensors(header: Any, data: bytes) -> bytes:
    """A file: header as JSON, or as the bytes that are given."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def write_weights(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    path.write_bytes(safetensors(header_of(arrays), b"".join(values.tobytes() for values in arrays.values())))


def write_index(folder: Path, files: Mapping[str, str]) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict(files)}))


def tokenizer() -> dict[str, Any]:
    """Byte-level, VOCAB tokens at most."""
    from edge.tokenizer.bpe import BYTE_CHARACTERS

    vocabulary = ["<pad>", "<s>", "</s>", *BYTE_CHARACTERS, "th", "he"]
    return {
        "added_tokens": [{"id": i, "content": vocabulary[i], "special": True} for i in range(3)],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE",
            "vocab": {text: i for i, text in enumerate(vocabulary)},
            "merges": ["t h", "h e"],
        },
    }


def write_model(folder: Path, *, shards: int = 1) -> Path:
    """A sound folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    arrays = tensors()
    if shards == 1:
        write_weights(folder / "model.safetensors", arrays)
        return folder
    names = list(arrays)
    placed: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: arrays[name] for name in names[shard::shards]}
        write_weights(folder / file, part)
        placed |= dict.fromkeys(part, file)
    write_index(folder, placed)
    return folder
