"""Named mixtures against llama.cpp: every tensor of quantised models of many shapes has the type that we say."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from edge.errors import RequestError
from edge.export.gguf_writer import GGUFWriter
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType, type_name
from edge.quant.mixtures import FILE_TYPES, MIXTURES, ModelFacts, types_of
from tests.accuracy.random_models import write_vocabulary


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    type_name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A model of small or odd dimensions. stored: the type of its matrices."""

    architecture: str = "llama"
    layers: int = 9
    hidden: int = 256
    ffn: int = 512
    heads: int = 4
    kv_heads: int = 2
    tied: bool = False
    stored: GGMLType = GGMLType.F16
    fused_qkv: bool = False


SHAPES = {
    "plain": Shape(),
    "tied": Shape(tied=True, layers=16),
    "one layer": Shape(layers=1, stored=GGMLType.F32),
    "deep, four queries a key": Shape(layers=33, kv_heads=1),
    "70B": Shape(layers=80, kv_heads=1, stored=GGMLType.BF16),
    "not 70B": Shape(layers=80, kv_heads=4),
    "qwen2, 80 layers": Shape(architecture="qwen2", layers=80, kv_heads=1),
    "qwen3": Shape(architecture="qwen3", layers=12, tied=True),
    "rows of 32s": Shape(hidden=96, ffn=160, heads=3, kv_heads=3),
    "rows of 32s, tied": Shape(hidden=96, ffn=256, heads=3, kv_heads=1, tied=True),
    "gemma3": Shape(architecture="gemma3", layers=18, kv_heads=1, tied=True),
    "phi3": Shape(architecture="phi3", layers=17, fused_qkv=True),
}


def _tensors(shape: Shape) -> list[Tensor]:
    """Matrices of four rows: the rules ask for names and columns."""
    d, stored = shape.hidden, shape.stored.name
    found = [Tensor("token_embd.weight", (4, d), stored), Tensor("output_norm.weight", (d,), "F32")]
    if not shape.tied:
        found.append(Tensor("output.weight", (4, d), stored))
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        names = ["attn_qkv"] if shape.fused_qkv else ["attn_q", "attn_k", "attn_v", "ffn_gate"]
        found += [Tensor(f"{block}{name}.weight", (4, d), stored) for name in [*names, "attn_output", "ffn_up"]]
        found += [Tensor(f"{block}ffn_down.weight", (4, shape.ffn), stored)]
        found += [Tensor(f"{block}{name}.weight", (d,), "F32") for name in ("attn_norm", "ffn_norm")]
        if shape.architecture == "qwen2":
            found += [Tensor(f"{block}attn_v.bias", (d,), "F32")]
    return found


def _metadata(shape: Shape) -> dict[str, Any]:
    arch = shape.architecture
    return {
        "general.architecture": arch,
        f"{arch}.block_count": shape.layers,
        f"{arch}.context_length": 256,
        f"{arch}.embedding_length": shape.hidden,
        f"{arch}.feed_forward_length": shape.ffn,
        f"{arch}.attention.head_count": shape.heads,
        f"{arch}.attention.head_count_kv": shape.kv_heads,
        f"{arch}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{arch}.rope.dimension_count": shape.hidden // shape.heads,
        f"{arch}.attention.sliding_window": 128,
    }


def _write(path: Path, shape: Shape) -> None:
    writer = GGUFWriter(path)
    for key, value in _metadata(shape).items():
        writer.add(key, value)
    write_vocabulary(writer, 384)
    rng = np.random.default_rng(0)
    for name, size, stored in _tensors(shape):
        values = (rng.standard_normal(size, np.float32) * np.float32(0.02)).astype(np.float32)
        if stored == "F32":
            data = values.tobytes()
        else:
            data = (
                values.astype("<f2").tobytes()
                if stored == "F16"
                else (values.view("<u4") >> 16).astype("<u2").tobytes()
            )
        writer.add_tensor(name, GGMLType[stored], size, data)
    writer.finish()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixtures")
    for name, shape in SHAPES.items():
        _write(folder / f"{name}.gguf", shape)
    return folder


def _their_types(source: Path, mixture: str, importance: dict[str, int] | None) -> dict[str, str]:
    """What llama.cpp writes. importance: columns of each matrix that has one."""
    from tests.accuracy.peer import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = FILE_TYPES[mixture], 1
    kept: list[Any] = []
    if importance is not None:
        entries = (llama_cpp.llama_model_imatrix_data * (len(importance) + 1))()
        for entry, (name, cols) in zip(entries, importance.items(), strict=False):
            values = (ctypes.c_float * cols)(*([1.0] * cols))
            entry.name, entry.data, entry.size = name.encode(), values, cols
            kept.append(values)
        params.imatrix = entries
    target = source.with_suffix(".out")
    assert llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(params)) == 0
    with open_gguf(target) as file:
        return {name: type_name(info.type) for name, info in file.tensors.items()}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("mixture", MIXTURES)
def test_types_equal_llama(models: Path, mixture: str, name: str) -> None:
    pytest.importorskip("llama_cpp", reason="the peer is not installed: pip install -e '.[llama]'")
    shape = SHAPES[name]
    ours = types_of(mixture, _tensors(shape), ModelFacts.of(_metadata(shape)))
    assert ours == _their_types(models / f"{name}.gguf", mixture, None)


@pytest.mark.parametrize("name", ["tied", "deep, four queries a key"])
@pytest.mark.parametrize("mixture", ["Q4_0", "Q5_0", "IQ4_XS", "IQ4_NL", "Q4_K_S", "Q4_K_M", "Q2_K"])
def test_types_with_importance_equal_llama(models: Path, mixture: str, name: str) -> None:
    pytest.importorskip("llama_cpp", reason="the peer is not installed: pip install -e '.[llama]'")
    shape = SHAPES[name]
    tensors = _tensors(shape)
    ours = types_of(mixture, tensors, ModelFacts.of(_metadata(shape)), has_importance=True)
    importance = {tensor.name: tensor.shape[-1] for tensor in tensors if len(tensor.shape) == 2}
    assert ours == _their_types(models / f"{name}.gguf", mixture, importance)


def test_rows_that_no_block_fits_stay_halves() -> None:
    """llama.cpp writes F16 there too, or gives up; a single row is a vector."""
    facts = ModelFacts("llama", 1, 4, 4)
    tensors = [
        Tensor("blk.0.ffn_up.weight", (64, 40), "F32"),
        Tensor("blk.0.ffn_gate.weight", (1, 256), "BF16"),
        Tensor("blk.0.ffn_gate_inp.weight", (8, 256), "F32"),
        Tensor("blk.0.attn_norm.weight", (256,), "BF16"),
    ]
    assert types_of("Q4_K_M", tensors, facts) == {
        "blk.0.ffn_up.weight": "F16",
        "blk.0.ffn_gate.weight": "F32",
        "blk.0.ffn_gate_inp.weight": "F32",
        "blk.0.attn_norm.weight": "F32",
    }


def test_order_of_tensors_does_not_matter() -> None:
    shape = SHAPES["deep, four queries a key"]
    tensors, facts = _tensors(shape), ModelFacts.of(_metadata(shape))
    for mixture in MIXTURES:
        assert types_of(mixture, tensors[::-1], facts) == types_of(mixture, tensors, facts)


def test_unknown_mixtures_are_refused() -> None:
    with pytest.raises(RequestError, match="'Q9_K' is no mixture; there are Q8_0, Q6_K, Q5_K_M"):
        types_of("Q9_K", [], ModelFacts("llama", 1, 1, 1))


def test_facts_from_metadata() -> None:
    metadata = {"general.architecture": "gemma3", "gemma3.block_count": 4, "gemma3.attention.head_count": [8, 4]}
    assert ModelFacts.of(metadata) == ModelFacts("gemma3", 4, 8, 8)
    assert ModelFacts.of({"general.architecture": "llama"}).queries_per_key == 0
