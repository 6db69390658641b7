"""The configuration: read back from files, and every contradiction or unknown wish refused by key, value and limit."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.export.gguf_writer import GGUFWriter
from edge.formats.config import ModelConfig, RopeScaling
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from tests.models.tiny import F32, MODEL_TYPES, metadata, random_tensors, tensor_shapes, tiny_config, write_gguf

LLAMA3 = (1.0, 1.0, 1.0, 1.5, 2.5, 8.0, 8.0, 8.0)


def embedding(rows: int = 96, cols: int = 48) -> dict[str, F32]:
    return {"token_embd.weight": np.zeros((rows, cols), np.float32)}


def read(path: Path) -> ModelConfig:
    with open_gguf(path) as file:
        return ModelConfig.from_gguf(file)


def reread(tmp_path: Path, config: ModelConfig | None = None, **changes: Any) -> ModelConfig:
    """The configuration of a file with these keys ("__" for ".", None to leave one out)."""
    config = config or tiny_config(tie_word_embeddings=True)
    return read(write_gguf(tmp_path / "model.gguf", config, embedding(), **changes))


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_word_embeddings": True},
        {"rope_theta": 500000.0, "rope_dims": 12, "num_key_value_heads": 4},
        {"rope_scaling": RopeScaling("linear", 4.0, 256)},
        {"rope_scaling": RopeScaling("yarn", 4.0, 64), "rope_attention_factor": 0.75},
        {"rope_freq_factors": LLAMA3},
    ],
)
def test_what_is_written_is_read(arch: str, changes: dict[str, Any], tmp_path: Path) -> None:
    config = tiny_config(arch, **changes)
    path = write_gguf(tmp_path / "model.gguf", config, random_tensors(tensor_shapes(config)))
    found = read(path)
    assert found == replace(config, rms_norm_eps=struct.unpack("f", struct.pack("f", 1e-5))[0])
    assert found.path == str(path)


def test_defaults_are_those_of_llama_cpp(tmp_path: Path) -> None:
    config = tiny_config(hidden_size=48, head_dim=12, rope_dims=12, tie_word_embeddings=True)
    absent = ("attention__key_length", "attention__value_length", "attention__head_count_kv", "rope__dimension_count")
    found = reread(tmp_path, config, **dict.fromkeys((*absent, "rope__freq_base", "vocab_size")))
    assert (found.head_dim, found.rope_dims, found.rope_theta) == (12, 12, 10000.0)
    assert found.num_key_value_heads == found.num_attention_heads == 4 and found.vocab_size == 96


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"rope__scaling__type": "none", "rope__scaling__factor": 8.0}, None),
        ({"rope__scaling__factor": 8.0}, RopeScaling("linear", 8.0, 256)),
        ({"rope__scale_linear": 2.0}, RopeScaling("linear", 2.0, 256)),
        ({"rope__scaling__type": "linear"}, None),
        ({"rope__scaling__type": "linear", "rope__scaling__factor": 0.0}, None),
        (
            {"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0, "rope__scaling__yarn_beta_fast": 16.0},
            RopeScaling("yarn", 4.0, 256, beta_fast=16.0),
        ),
    ],
)
def test_rope_scaling(keys: dict[str, Any], wanted: RopeScaling | None, tmp_path: Path) -> None:
    assert reread(tmp_path, **keys).rope_scaling == wanted


def test_windows(tmp_path: Path) -> None:
    """Where a file gives one; gemma3 has it in five layers of six, and a theta of their own."""
    found = reread(tmp_path, attention__sliding_window=64)
    assert [found.window_of(i) for i in range(2)] == [64, 64]
    assert reread(tmp_path, attention__sliding_window=256).window_of(0) == 0  # as wide as the context
    gemma = tiny_config("gemma3", tie_word_embeddings=True)
    keys: dict[str, Any] = {"attention__sliding_window_pattern": None, "rope__freq_base_swa": 5000.0}
    found = reread(tmp_path, gemma, **keys)
    assert [found.window_of(i) for i in range(12)] == [9, 9, 9, 9, 9, 0] * 2 and found.rope_local_theta == 5000.0
    found = reread(tmp_path, gemma, attention__sliding_window=0)  # the layers still rotate by it
    assert found.has_window(0) and found.window_of(0) == 0
    for arch in ("qwen2", "qwen3", "bitnet"):
        config = tiny_config(arch, tie_word_embeddings=True)
        with pytest.raises(UnsupportedModel, match="sliding_window = 64 is narrower than the context of 256"):
            reread(tmp_path, config, attention__sliding_window=64)
    with pytest.raises(UnsupportedModel, match="sliding_window_pattern is set"):
        reread(tmp_path, gemma, attention__sliding_window_pattern=[1, 0])


def test_longrope_has_factors_for_two_lengths(tmp_path: Path) -> None:
    factors = {"rope_freq_factors": (1.0,) * 8, "rope_long_factors": LLAMA3}
    config = tiny_config("phi3", original_max_position_embeddings=64, tie_word_embeddings=True, **factors)
    found = reread(tmp_path, config)
    assert found.for_context(64) == found and found.rope_freq_factors == (1.0,) * 8
    assert found.for_context(65).rope_freq_factors == LLAMA3
    only = {**embedding(), "rope_factors_long.weight": np.ones(8, np.float32)}
    with pytest.raises(BadModelFile, match="one is missing"):
        read(write_gguf(tmp_path / "half.gguf", tiny_config("phi3", tie_word_embeddings=True), only))


def test_counts_per_layer_that_agree(tmp_path: Path) -> None:
    found = reread(tmp_path, attention__head_count_kv=[2, 2], feed_forward_length=[80, 80])
    assert (found.num_key_value_heads, found.intermediate_size) == (2, 80)


HARMLESS: list[dict[str, Any]] = [
    {"expert_count": 0},
    {"logit_scale": 1.0},
    {"attention__sliding_window": 0},
    {"attention__sliding_window": 256},
    {"attention__causal": True},
    {"attention__scale": 0.0},
    {"use_parallel_residual": False},
    {"pooling_type": 0},
    {"rope__scaling__finetuned": True},
]


@pytest.mark.parametrize("keys", HARMLESS, ids=lambda k: next(iter(k)))
def test_neutral_values_are_taken(keys: dict[str, Any], tmp_path: Path) -> None:
    assert reread(tmp_path, **keys) == reread(tmp_path)


def test_a_decoder_may_be_an_embedding_model(tmp_path: Path) -> None:
    found = [reread(tmp_path, pooling_type=number) for number in range(4)]
    assert [config.pooling for config in found] == [None, "mean", "cls", "last"]
    assert [config.writes_text for config in found] == [True, False, False, False]


UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    ({"expert_count": 8}, "llama.expert_count = 8"),
    ({"expert_used_count": 2}, "llama.expert_used_count = 2"),
    ({"attention__sliding_window_pattern": 4}, "llama.attention.sliding_window_pattern is set"),
    ({"attention__scale": 0.5}, "llama.attention.scale = 0.5"),
    ({"logit_scale": 8.0}, "llama.logit_scale = 8.0"),
    ({"residual_scale": 0.22}, "llama.residual_scale"),
    ({"embedding_scale": 12.0}, "llama.embedding_scale"),
    ({"final_logit_softcapping": 30.0}, "llama.final_logit_softcapping"),
    ({"attention__causal": False}, "llama.attention.causal = False"),
    ({"pooling_type": 4}, "llama.pooling_type = 4: a reranker"),
    ({"pooling_type": -1}, "llama.pooling_type = -1: no way to pool"),
    ({"pooling_type": 2**31 - 1}, "no way to pool"),
    ({"use_parallel_residual": True}, "llama.use_parallel_residual = True"),
    ({"attention__temperature_scale": 0.1}, "llama.attention.temperature_scale"),
    ({"nextn_predict_layers": 1}, "llama.nextn_predict_layers = 1"),
    ({"rope__dimension_sections": [4, 4, 4, 4]}, "llama.rope.dimension_sections is set"),
    ({"rope__scaling__type": "su"}, "'su'"),
    ({"hidden_act": "gelu"}, "hidden_act is 'gelu'; edge runs llama with silu"),
    ({"rope__scaling__yarn_log_multiplier": 0.1}, "yarn_log_multiplier"),
    ({"attention__value_length": 8}, "value_length = 8 and llama.attention.key_length = 16 differ"),
    ({"attention__head_count_kv": [2, 4]}, "head_count_kv is 2 in layer 0 and 4 in layer 1"),
]


@pytest.mark.parametrize(("keys", "message"), UNSUPPORTED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_edge_does_not_compute_is_refused(keys: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel) as caught:
        reread(tmp_path, **keys)
    assert message in str(caught.value) and "model.gguf" in str(caught.value)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"embedding_length": None}, "llama.embedding_length"),
    ({"block_count": None}, "llama.block_count"),
    ({"context_length": None}, "llama.context_length"),
    ({"feed_forward_length": None}, "llama.feed_forward_length"),
    ({"attention__head_count": None}, "llama.attention.head_count"),
    ({"attention__layer_norm_rms_epsilon": None}, "llama.attention.layer_norm_rms_epsilon"),
    ({"block_count": 0}, "at least 1"),
    ({"block_count": 2**31}, "at most 1024"),
    ({"block_count": "2"}, "must be an integer"),
    ({"context_length": 0}, "at least 1"),
    ({"context_length": 2**31}, "at most"),
    ({"embedding_length": 0}, "at least 1"),
    ({"feed_forward_length": 0}, "at least 1"),
    ({"feed_forward_length": [80]}, "has 1 values, wanted block_count = 2"),
    ({"feed_forward_length": [0, 0]}, "llama.feed_forward_length = 0"),
    ({"attention__head_count": 0}, "at least 1"),
    ({"attention__head_count": 5, "attention__key_length": None, "attention__value_length": None}, "not a multiple"),
    ({"attention__head_count_kv": 3}, "num_attention_heads = 4 is not a multiple of num_key_value_heads = 3"),
    ({"attention__head_count_kv": 8}, "num_key_value_heads = 8, wanted 1 to 4"),
    ({"attention__key_length": 15, "attention__value_length": 15, "rope__dimension_count": 14}, "head_dim = 15"),
    ({"attention__key_length": 2048, "attention__value_length": 2048}, "at most 1024"),
    ({"rope__dimension_count": 18}, "at most 16"),
    ({"rope__dimension_count": 7}, "rope_dims = 7, wanted an even number"),
    ({"rope__freq_base": 0.0}, "rope_theta = 0.0"),
    ({"rope__freq_base": 0.5}, "rope_theta = 0.5, wanted at least 1"),
    ({"rope__scaling__factor": -1.0}, "rope_scaling.factor = -1.0"),
    ({"rope__scaling__attn_factor": 0.0}, "rope_attention_factor = 0.0"),
    ({"rope__scaling__type": "yarn", "rope__scaling__yarn_ext_factor": 2.0}, "extrapolation_factor = 2.0"),
    ({"rope__scaling__type": "yarn", "rope__scaling__yarn_beta_fast": 0.0}, "beta_fast = 0.0"),
    ({"rope__scaling__type": "yarn", "rope__freq_base": 1.0}, "rope_theta = 1.0, wanted more than 1"),
    ({"attention__layer_norm_rms_epsilon": 0.0}, "rms_norm_eps = 0.0"),
    ({"attention__layer_norm_rms_epsilon": -1e-5}, "rms_norm_eps"),
    ({"vocab_size": 97}, "llama.vocab_size = 97, but token_embd.weight has 96 rows"),
]


@pytest.mark.parametrize(("keys", "message"), BAD, ids=lambda v: v if isinstance(v, str) else "")
def test_contradictions_are_named(keys: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadModelFile) as caught:
        reread(tmp_path, **keys)
    assert message in str(caught.value) and "model.gguf" in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["rms_norm_eps", "rope_theta", "rope_attention_factor"])
def test_numbers_are_finite(field: str, value: float) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(BadModelFile, match=f"{field} = {value}"):
        replace(tiny_config(), **changes)


def test_embedding_decides_the_vocabulary(tmp_path: Path) -> None:
    config, path = tiny_config(), tmp_path / "model.gguf"
    for tensors, message in (
        ({"output_norm.weight": np.ones(48, np.float32)}, "token_embd.weight is missing"),
        (embedding(cols=47), "has shape (96, 47), wanted (vocab_size, 48)"),
        ({"token_embd.weight": np.zeros(48, np.float32)}, "has shape (48,)"),
        (embedding(95), "tokenizer.ggml.tokens has 96 entries, token_embd.weight 95 rows"),
    ):
        with pytest.raises(BadModelFile) as caught:
            read(write_gguf(path, config, tensors, vocab_size=None))
        assert message in str(caught.value)


def test_a_vocabulary_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="a vocabulary and no tensors"):
        read(write_gguf(tmp_path / "model.gguf", tiny_config(), {}))


@pytest.mark.parametrize(
    ("factors", "message"),
    [((1.0,) * 7, "shape (7,)"), ((0.0,) * 8, "rope_freqs.weight[0] = 0.0"), ((1.0,) * 7 + (np.nan,), "[7] = nan")],
)
def test_frequency_factors(factors: tuple[float, ...], message: str, tmp_path: Path) -> None:
    tensors = embedding() | {"rope_freqs.weight": np.array(factors, np.float32)}
    with pytest.raises(BadModelFile) as caught:
        read(write_gguf(tmp_path / "model.gguf", tiny_config(), tensors))
    assert message in str(caught.value)


def test_frequency_factors_of_another_type(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "model.gguf")
    for key, value in metadata(tiny_config()).items():
        writer.add(key, value)
    writer.add_tensor("token_embd.weight", GGMLType.F32, (96, 48), bytes(96 * 48 * 4))
    writer.add_tensor("rope_freqs.weight", GGMLType.F16, (8,), bytes(16))
    writer.finish()
    with pytest.raises(BadModelFile, match="type 1, wanted"):
        read(tmp_path / "model.gguf")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"general.architecture": "gpt2"}, "architecture 'gpt2' is not supported; edge runs llama, qwen2, qwen3"),
        ({"general.architecture": "clip"}, "a vision or audio projector"),
        ({"general.architecture": "nomic-bert"}, "an embedding model"),
        ({"general.architecture": "llama", "general.type": "adapter"}, "a LoRA adapter"),
        ({"general.architecture": "llama", "adapter.type": "lora"}, "a LoRA adapter"),
        ({"general.architecture": "clip", "general.type": "mmproj"}, "a projector"),
        ({"general.architecture": "llama", "general.type": "imatrix"}, "general.type is 'imatrix'"),
        ({}, "general.architecture"),
        ({"general.architecture": "x" * 5000}, "'..."),
    ],
)
def test_files_without_a_text_model(keys: dict[str, str], message: str, tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "model.gguf")
    for key, value in keys.items():
        writer.add(key, value)
    writer.add_tensor("w", GGMLType.F32, (1,), bytes(4))
    writer.finish()
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path / "model.gguf")
    assert message in str(caught.value) and len(str(caught.value)) < 500
