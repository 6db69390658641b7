"""Tiny random models of every architecture, made and run by transformers: what exports are compared with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch: Any = pytest.importorskip("torch", reason="pip install -e '.[convert]'")
transformers: Any = pytest.importorskip("transformers", reason="pip install -e '.[convert]'")

VOCAB, HIDDEN = 320, 64
_COMMON: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 64,
}

# name -> (class of the model, of its configuration, what differs from _COMMON)
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {}),
    "llama-tied": ("LlamaForCausalLM", "LlamaConfig", {"tie_word_embeddings": True}),
    "llama-wide-heads": ("LlamaForCausalLM", "LlamaConfig", {"head_dim": 32}),
    "llama3": ("LlamaForCausalLM", "LlamaConfig", {"rope_parameters": LLAMA3}),
    "llama-linear": (
        "LlamaForCausalLM",
        "LlamaConfig",
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}},
    ),
    "mistral": ("MistralForCausalLM", "MistralConfig", {"sliding_window": None, "head_dim": 16}),
    "mistral-window": ("MistralForCausalLM", "MistralConfig", {"sliding_window": 40}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", {}),
    "qwen2-yarn": ("Qwen2ForCausalLM", "Qwen2Config", {"rope_parameters": YARN}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {"head_dim": 32}),
    "gemma3": (
        "Gemma3ForCausalLM",
        "Gemma3TextConfig",
        {"num_hidden_layers": 7, "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16},
    ),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", {"original_max_position_embeddings": 256}),
    "phi3-longrope": (
        "Phi3ForCausalLM",
        "Phi3Config",
        {
            "original_max_position_embeddings": 128,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "long_factor": [1.0 + 0.5 * i for i in range(8)],
                "short_factor": [1.0 + 0.1 * i for i in range(8)],
                "original_max_position_embeddings": 128,
                "factor": 2.0,
            },
        },
    ),
    "bitnet": ("BitNetForCausalLM", "BitNetConfig", {"hidden_act": "relu2", "tie_word_embeddings": True}),
}


def make(folder: Path, name: str, *, seed: int = 0, dtype: str = "float32", shard: str = "50GB") -> Any:
    """Writes the model into `folder`, without a tokenizer, and returns it. Norms and biases are random too."""
    model_class, config_class, changes = MODELS[name]
    config = getattr(transformers, config_class)(**{**_COMMON, **changes}, attn_implementation="eager")
    torch.manual_seed(seed)
    model = getattr(transformers, model_class)(config).eval()
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            wide = 1.0 if "embed_tokens" in key else 1.4 / tensor.shape[-1] ** 0.5
            tensor.normal_(0.0, 0.1 if tensor.ndim == 1 else wide)
            if tensor.ndim == 1 and key.endswith("norm.weight") and name != "gemma3":
                tensor.add_(1.0)
    model = model.to(getattr(torch, dtype))
    model.save_pretrained(folder, max_shard_size=shard)
    return model


def logits(model: Any, tokens: list[int]) -> NDArray[np.float32]:
    """(tokens, vocabulary)."""
    with torch.no_grad():
        values: NDArray[np.float32] = model(torch.tensor([tokens])).logits[0].float().numpy()
    return values


def write_tokenizer(folder: Path) -> None:
    """A byte-level tokenizer of VOCAB tokens that needs no training: the bytes, and pairs of letters."""
    from edge.tokenizer.bpe import BYTE_CHARACTERS

    letters = "etaoinshrdlu"
    pairs = [a + b for a in letters for b in letters][: VOCAB - 256 - 3]
    vocabulary = ["<pad>", "<s>", "</s>", *BYTE_CHARACTERS, *pairs]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": i, "content": vocabulary[i], "special": True, "normalized": False} for i in range(3)],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE",
            "vocab": {text: i for i, text in enumerate(vocabulary)},
            "merges": [[pair[0], pair[1]] for pair in pairs],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))


def load(path: Path) -> dict[str, Any]:
    """The arrays of a safetensors file, by the format's own library."""
    arrays: dict[str, Any] = pytest.importorskip("safetensors.numpy").load_file(path)
    return arrays


def save(path: Path, arrays: dict[str, Any]) -> None:
    pytest.importorskip("safetensors.numpy").save_file(arrays, path)


def read_json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text())
    return values


def write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values))


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Reads a JSON file, changes it, writes it back."""
    values = read_json(path)
    change(values)
    write_json(path, values)
