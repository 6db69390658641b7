"""What transformers computes with a folder, the exported file computes too: NumPy reference, engine, llama.cpp."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.cli import main
from edge.export.hugging_face import HuggingFaceSource
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.graph.reference import Reference, Weight
from edge.models import build
from edge.quant import decode
from tests.accuracy import engine
from tests.export import models

F32 = npt.NDArray[np.float32]
NOT_LLAMA_CPP = ("mistral-window", "bitnet")  # it leaves mistral's window out; bitnet has a test of its own
TOKENS = 160  # beyond the windows of the tiny gemma3 and mistral and the short context of the tiny longrope


def prompt(seed: int = 0) -> list[int]:
    tokens: list[int] = np.random.default_rng(seed).integers(3, models.VOCAB, TOKENS).tolist()
    return tokens


def error(found: npt.NDArray[Any], wanted: F32) -> float:
    return float(np.linalg.norm(np.asarray(found, np.float64) - wanted) / np.linalg.norm(wanted))


def exported(folder: Path, *options: str) -> Path:
    target = folder / "out.gguf"
    assert main(["export", str(folder), "-o", str(target), "--force", *options]) == 0
    return target


def reference(path: Path, tokens: list[int]) -> npt.NDArray[Any]:
    """The NumPy lowering in float64."""
    with open_gguf(path) as file:
        config = ModelConfig.from_gguf(file).for_context(len(tokens))
        graph = build(config, {name: info.shape for name, info in file.tensors.items()})

        def weight(name: str) -> Weight:
            info = file.tensors[name]
            return Weight(decode(info.type, file.tensor_data(name), info.shape))

        values: npt.NDArray[Any] = Reference(graph, weight).step(tokens)
    return values


def make(folder: Path, name: str) -> Any:
    """A folder with a tokenizer, and the model with the weights that its export holds."""
    model = models.make(folder, name)
    models.write_tokenizer(folder)
    if name == "bitnet":
        ternarise(model, folder)
    return model


def ternarise(model: Any, folder: Path) -> None:
    """transformers without its int8 activations, over the weights that the file holds."""
    with HuggingFaceSource(folder) as source, models.torch.no_grad():
        for i, layer in enumerate(model.model.layers):
            for part, names in ((layer.self_attn, "qkvo"), (layer.mlp, ("gate", "up", "down"))):
                for short in names:
                    stem = {"o": "attn_output"}.get(short, f"{'attn' if part is layer.self_attn else 'ffn'}_{short}")
                    values = models.torch.from_numpy(source.read(f"blk.{i}.{stem}.weight"))
                    getattr(part, f"{short}_proj").weight.copy_(values)


@pytest.mark.parametrize("name", models.MODELS)
def test_logits_are_those_of_transformers(tmp_path: Path, name: str) -> None:
    model = make(tmp_path, name)
    path, tokens = exported(tmp_path, "--quant", "F32"), prompt()
    wanted = models.logits(model, tokens)
    assert error(reference(path, tokens), wanted) < 1e-4
    assert error(engine.logits(path, tokens), wanted) < 1e-3


@pytest.mark.parametrize("name", [name for name in models.MODELS if name not in NOT_LLAMA_CPP])
def test_llama_cpp_agrees_on_the_file(tmp_path: Path, name: str) -> None:
    peer = pytest.importorskip("tests.accuracy.peer")
    model = make(tmp_path, name)
    path, tokens = exported(tmp_path, "--quant", "F32"), prompt()
    assert error(peer.logits(path, tokens), models.logits(model, tokens)) < 5e-3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_carried_over_bit_for_bit(tmp_path: Path, dtype: str) -> None:
    model = models.make(tmp_path, "qwen2", dtype=dtype)
    models.write_tokenizer(tmp_path)
    path = exported(tmp_path)
    with open_gguf(path) as file:
        info = file.tensors["blk.1.ffn_down.weight"]
        assert info.type == {"bfloat16": 30, "float16": 1}[dtype]
        values = decode(info.type, file.tensor_data("blk.1.ffn_down.weight"), info.shape)
        assert file.get_int("general.file_type") == {"bfloat16": 32, "float16": 1}[dtype]
    wanted = model.model.layers[1].mlp.down_proj.weight.detach().float().numpy()
    assert np.array_equal(values, wanted)


def test_shards_give_the_same_file(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, size in ((whole, "50GB"), (parts, "100KB")):
        models.make(folder, "llama", shard=size)
        models.write_tokenizer(folder)
    assert len(list(parts.glob("*.safetensors"))) > 3
    options = ("--quant", "Q8_0")
    with open_gguf(exported(whole, *options)) as one, open_gguf(exported(parts, *options)) as other:
        assert list(one.tensors) == list(other.tensors)
        assert all(one.tensor_data(name) == other.tensor_data(name) for name in one.tensors)


def test_the_language_model_inside_a_multimodal_one(tmp_path: Path) -> None:
    """Names and configuration as Google publishes them, both spellings; what belongs to the eyes is left out."""
    alone = tmp_path / "alone"
    models.make(alone, "gemma3")
    models.write_tokenizer(alone)
    wanted = exported(alone).read_bytes()
    for prefix in ("language_model.model.", "model.language_model."):
        folder = tmp_path / prefix / "alone"
        folder.mkdir(parents=True)
        models.write_tokenizer(folder)
        tensors = models.load(alone / "model.safetensors")
        renamed = {prefix + name.removeprefix("model."): value for name, value in tensors.items()}
        renamed["vision_tower.vision_model.embeddings.patch_embedding.weight"] = np.zeros((2, 3, 4, 4), np.float32)
        renamed["multi_modal_projector.mm_input_projection_weight"] = np.zeros((2, 2), np.float32)
        models.save(folder / "model.safetensors", renamed)
        text = models.read_json(alone / "config.json")
        config = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": text}
        models.write_json(folder / "config.json", config)
        assert exported(folder).read_bytes() == wanted


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # torch's compiler, imported
def test_bitnet_packed_and_ternarised_here(tmp_path: Path) -> None:
    """Packed files decode to what transformers' own unpacking gives, by both conventions of the scale; bf16 masters
    become what its WeightQuant makes of them."""
    bitnet: Any = pytest.importorskip("transformers.integrations.bitnet")
    model = models.make(tmp_path, "bitnet")
    models.write_tokenizer(tmp_path)
    weight = model.model.layers[1].mlp.gate_proj.weight.detach()
    with HuggingFaceSource(tmp_path) as source:
        found = source.read("blk.1.ffn_gate.weight")
    scale = 1.0 / weight.abs().mean().clamp(min=1e-5)
    wanted = ((weight * scale).round().clamp(-1, 1) / scale).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert set(np.unique(np.sign(found))) == {-1.0, 0.0, 1.0}

    tensors = models.load(tmp_path / "model.safetensors")
    name, stored = "model.layers.1.mlp.gate_proj.weight", np.float32(0.125)
    trits = models.torch.from_numpy(np.sign(found))
    tensors[name] = bitnet.pack_weights(trits.clone()).numpy()
    tensors[f"{name}_scale"] = np.array([stored], np.float32)
    models.save(tmp_path / "model.safetensors", tensors)
    for linear_class, factor in (("autobitlinear", stored), ("bitlinear", 1.0 / stored)):
        settings = {"quant_method": "bitnet", "linear_class": linear_class, "quantization_mode": "offline"}
        models.change_json(tmp_path / "config.json", lambda c, s=settings: c.update(quantization_config=s))  # type: ignore[misc]
        with HuggingFaceSource(tmp_path) as source:
            assert np.array_equal(source.read("blk.1.ffn_gate.weight"), trits.numpy() * np.float32(factor))


def test_bitnet_runs_in_llama_cpp(tmp_path: Path) -> None:
    peer = pytest.importorskip("tests.accuracy.peer")
    model = make(tmp_path, "bitnet")
    path, tokens = exported(tmp_path, "--quant", "F32"), prompt()
    with open_gguf(path) as file:
        assert file.get_str("bitnet.hidden_act") == "relu2"
    if error(peer.logits(path, tokens), models.logits(model, tokens)) > 5e-3:
        model.config.hidden_act = "silu"  # a llama.cpp from before it read the key computes silu for every bitnet
        for layer in model.model.layers:
            layer.mlp.act_fn = models.torch.nn.SiLU()
        assert error(peer.logits(path, tokens), models.logits(model, tokens)) < 5e-3


def test_longrope_metadata(tmp_path: Path) -> None:
    models.make(tmp_path, "phi3-longrope")
    models.write_tokenizer(tmp_path)
    with open_gguf(exported(tmp_path)) as file:
        assert file.get_int("phi3.rope.scaling.original_context_length") == 128
        wanted = math.sqrt(1.0 + math.log(2.0) / math.log(128))
        assert file.get_float("phi3.rope.scaling.attn_factor") == pytest.approx(wanted, rel=1e-6)
        assert file.tensors["rope_factors_long.weight"].shape == (8,)
        assert file.tensors["blk.0.attn_qkv.weight"].shape == (128, 64)
        assert file.tensors["blk.0.ffn_up.weight"].shape == (192, 64)


def test_windows_are_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.make(tmp_path, "mistral-window")
    models.write_tokenizer(tmp_path)
    with open_gguf(exported(tmp_path)) as file:
        assert file.get_int("llama.context_length") == 256
        assert file.get_int("llama.attention.sliding_window") == 40
    assert "llama.cpp leaves the window of 40 tokens out" in capsys.readouterr().out


def test_a_window_that_gguf_cannot_say_shortens_the_context(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of some layers only."""
    models.make(tmp_path, "mistral")
    models.write_tokenizer(tmp_path)
    kinds = ["full_attention", "sliding_attention"]
    models.change_json(tmp_path / "config.json", lambda config: config.update(sliding_window=100, layer_types=kinds))
    with open_gguf(exported(tmp_path)) as file:
        assert file.get_int("llama.context_length") == 100
        assert not file.has("llama.attention.sliding_window")
    assert "the context is 100 tokens instead of 256" in capsys.readouterr().out


def test_eight_bit_floats_with_block_scales(tmp_path: Path) -> None:
    models.make(tmp_path, "qwen3")
    models.write_tokenizer(tmp_path)
    tensors = models.load(tmp_path / "model.safetensors")
    torch = models.torch
    values = torch.randn(96, 64).to(torch.float8_e4m3fn)
    scales = torch.rand(3, 2) + 0.5
    stored = {name: torch.from_numpy(value) for name, value in tensors.items()}
    stored["model.layers.0.mlp.up_proj.weight"] = values
    stored["model.layers.0.mlp.up_proj.weight_scale_inv"] = scales
    pytest.importorskip("safetensors.torch").save_file(stored, tmp_path / "model.safetensors")
    settings = {"quant_method": "fp8", "weight_block_size": [32, 32]}
    models.change_json(tmp_path / "config.json", lambda config: config.update(quantization_config=settings))
    wanted = values.float() * scales.repeat_interleave(32, 0).repeat_interleave(32, 1)
    with HuggingFaceSource(tmp_path) as source:
        assert np.array_equal(source.read("blk.0.ffn_up.weight"), wanted.numpy())


def test_gguf_to_gguf(tmp_path: Path) -> None:
    """All metadata is kept but the file's type, and the weights are what encoding them at once would give."""
    models.make(tmp_path, "llama")
    models.write_tokenizer(tmp_path)
    first, direct = exported(tmp_path, "--quant", "F32"), tmp_path / "direct.gguf"
    again = tmp_path / "again.gguf"
    assert main(["export", str(first), "-o", str(again), "--quant", "Q8_0"]) == 0
    assert main(["export", str(tmp_path), "-o", str(direct), "--quant", "Q8_0"]) == 0
    assert again.read_bytes() == direct.read_bytes()
