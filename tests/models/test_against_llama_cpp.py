"""Our definition of each architecture computes what llama.cpp computes, on the same F32 file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.formats.config import ModelConfig, RopeScaling
from edge.formats.gguf import open_gguf
from edge.graph.reference import Reference
from edge.models import build
from tests.models.peer import llama_cpp_logits
from tests.models.tiny import provider, random_tensors, tensor_shapes, tiny_config, write_gguf

pytest.importorskip("llama_cpp", reason="the llama extra is not installed")

TOLERANCE = 1e-5  # relative L2 error over all logits; llama.cpp computes in float32, with an F32 KV cache here
TOKENS = [5, 17, 3, 90, 41, 41, 8, 2, 66, 33, 12, 77, 1, 19, 54, 28, 30, 7, 61, 88, 45, 9, 14, 71]

LLAMA3_FACTORS = (1.0, 1.0, 1.0, 1.1, 1.9, 4.0, 8.0, 8.0)
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tied": {"tie_word_embeddings": True},
    "one_kv_head": {"num_key_value_heads": 1},
    "linear": {"rope_scaling": RopeScaling("linear", 4.0, 128)},
    "yarn": {"rope_scaling": RopeScaling("yarn", 4.0, 32)},
    "yarn_attn_factor": {"rope_scaling": RopeScaling("yarn", 2.0, 16), "rope_attention_factor": 0.8},
    "llama3": {"rope_freq_factors": LLAMA3_FACTORS},
}
CASES = [
    *((arch, "plain") for arch in ("llama", "qwen2", "qwen3")),
    *(("llama", variant) for variant in VARIANTS if variant != "plain"),
    *(("qwen2", "tied"), ("qwen3", "yarn"), ("qwen3", "tied")),
]


def our_logits(path: Path, tensors: dict[str, NDArray[np.float32]], **changes: Any) -> NDArray[np.float64]:
    with open_gguf(path) as file:
        config = ModelConfig.from_gguf(file)
        shapes = {name: info.shape for name, info in file.tensors.items()}
    graph = build(replace(config, **changes), shapes)
    return np.asarray(Reference(graph, provider(tensors)).step(TOKENS), dtype=np.float64)


def relative_error(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize(("arch", "variant"), CASES)
def test_logits_agree(arch: str, variant: str, tmp_path: Path) -> None:
    wide = {"hidden_size": 64} if arch == "qwen2" else {}  # llama.cpp wants hidden_size = heads x head_dim there
    config = tiny_config(arch, **VARIANTS[variant], **wide)
    tensors = random_tensors(tensor_shapes(config), seed=7)
    path = write_gguf(tmp_path / "model.gguf", config, tensors)
    theirs = llama_cpp_logits(path, TOKENS)
    assert relative_error(our_logits(path, tensors), theirs) < TOLERANCE


@pytest.mark.parametrize("bias", ["attn_q", "attn_output", "ffn_gate", "ffn_down"])
def test_optional_biases_agree(bias: str, tmp_path: Path) -> None:
    config = tiny_config("llama")
    shapes = tensor_shapes(config)
    shapes |= {f"blk.{i}.{bias}.bias": (shapes[f"blk.{i}.{bias}.weight"][0],) for i in range(2)}
    tensors = random_tensors(shapes, seed=8)
    path = write_gguf(tmp_path / "model.gguf", config, tensors)
    assert relative_error(our_logits(path, tensors), llama_cpp_logits(path, TOKENS)) < TOLERANCE


@pytest.mark.parametrize(
    "change", [{"rope_theta": 1e9}, {"rms_norm_eps": 0.1}, {"rope_freq_factors": LLAMA3_FACTORS}, {"rope_dims": 8}]
)
def test_a_wrong_constant_is_noticed(change: dict[str, Any], tmp_path: Path) -> None:
    config = tiny_config("llama")
    tensors = random_tensors(tensor_shapes(config), seed=7)
    path = write_gguf(tmp_path / "model.gguf", config, tensors)
    assert relative_error(our_logits(path, tensors, **change), llama_cpp_logits(path, TOKENS)) > 10 * TOLERANCE
