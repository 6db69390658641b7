"""Sound GGUF files that hold no model that edge runs: each gets a sentence that says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import UnsupportedModel
from edge.formats import open_gguf
from edge.formats.config import ARCHITECTURES, ModelConfig
from tests.formats.raw_gguf import BOOL, FLOAT32, UINT32, entry, f32, gguf, string, tensor, u32


def _model(architecture: str, *more: bytes) -> list[bytes]:
    numbers = {"block_count": 1, "context_length": 64, "embedding_length": 32, "feed_forward_length": 32}
    numbers["attention.head_count"] = 2
    return [
        string("general.architecture", architecture),
        *(entry(f"{architecture}.{key}", UINT32, u32(value)) for key, value in numbers.items()),
        entry(f"{architecture}.attention.layer_norm_rms_epsilon", FLOAT32, f32(1e-5)),
        *more,
    ]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (_model("gpt2"), "architecture 'gpt2' is not supported; edge runs llama, qwen2, qwen3, gemma3, phi3, bitnet"),
        (_model("made\nup" * 100), "is not supported; edge runs llama, qwen2, qwen3, gemma3, phi3, bitnet"),
        (_model("bert", entry("bert.attention.causal", BOOL, b"\x01")), "bert.attention.causal = True"),
        (_model("bert", entry("bert.expert_count", UINT32, u32(8))), "bert.expert_count = 8"),
        (_model("nomic-bert"), "embedding model"),
        (_model("t5encoder"), "embedding model"),
        (_model("qwen3", entry("qwen3.pooling_type", UINT32, u32(4))), "qwen3.pooling_type = 4: a reranker"),
        (_model("llama", entry("llama.attention.causal", BOOL, b"\x00")), "llama.attention.causal = False"),
        (_model("llama", entry("llama.expert_count", UINT32, u32(8))), "llama.expert_count = 8"),
        ([string("general.architecture", "clip")], r"projector \(mmproj\)"),
        ([string("general.type", "mmproj"), string("general.architecture", "clip")], r"projector \(mmproj\)"),
        ([string("general.type", "adapter"), string("general.architecture", "llama")], "LoRA adapter"),
        ([string("general.architecture", "llama"), string("adapter.type", "lora")], "LoRA adapter"),
        ([string("general.type", "imatrix")], "general.type is 'imatrix', not 'model'"),
    ],
)
def test_what_is_no_runnable_model(entries: list[bytes], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf(entries, [tensor("token_embd.weight", [32, 2])], bytes(256)))
    with open_gguf(path) as file, pytest.raises(UnsupportedModel, match=sentence) as caught:
        ModelConfig.from_gguf(file)
    assert "\n" not in str(caught.value).removeprefix(str(path))
    assert len(str(caught.value)) < 400 + len(str(path))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_vocabulary_alone_is_no_model(architecture: str, tmp_path: Path) -> None:
    path = tmp_path / "vocab.gguf"
    path.write_bytes(gguf(_model(architecture)))
    with open_gguf(path) as file, pytest.raises(UnsupportedModel, match="holds a vocabulary and no tensors"):
        ModelConfig.from_gguf(file)
