"""An adapter's folder becomes a file that adds what merging it into the base model's folder would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import edge
from edge.cli.export import command
from edge.export.hugging_face import HuggingFaceSource
from edge.export.peft import PeftSource
from edge.formats.adapter import open_adapter
from tests.adapters.made import as_stored
from tests.export.folders import tensors, write_model, write_weights
from tests.models.tiny import F32

SETTINGS: dict[str, Any] = {
    "peft_type": "LORA",
    "r": 3,
    "lora_alpha": 6,
    "bias": "none",
    "target_modules": ["q_proj", "k_proj", "down_proj"],
    "base_model_name_or_path": "somewhere/else",
    "use_dora": False,
    "modules_to_save": None,
    "rank_pattern": {"down_proj": 2},
}
RANKS = {"self_attn.q_proj": 3, "self_attn.k_proj": 3, "mlp.down_proj": 2}
HEAD = "base_model.model.lm_head"


def modules() -> dict[str, int]:
    """The ranks of what is adapted: of both layers, and the head."""
    return {f"model.layers.{i}.{module}": rank for i in range(2) for module, rank in RANKS.items()} | {"lm_head": 3}


def lora() -> dict[str, F32]:
    rng, found = np.random.default_rng(1), dict[str, F32]()
    for module, rank in modules().items():
        rows, columns = tensors()[f"{module}.weight"].shape
        for half, shape in (("A", (rank, columns)), ("B", (rows, rank))):
            values = rng.standard_normal(shape).astype(np.float32)
            found[f"base_model.model.{module}.lora_{half}.weight"] = values
    return found


def write_peft(folder: Path, arrays: dict[str, F32] | None = None, **settings: Any) -> Path:
    """settings: ... leaves one out."""
    folder.mkdir(exist_ok=True)
    values = {key: value for key, value in (SETTINGS | settings).items() if value is not ...}
    (folder / "adapter_config.json").write_text(json.dumps(values))
    write_weights(folder / "adapter_model.safetensors", lora() if arrays is None else arrays)
    return folder


def write_merged(folder: Path, scales: dict[int, float]) -> Path:
    """The base model with the adapter added to it. scales: by rank."""
    write_model(folder)
    merged, added = tensors(), lora()
    for module, rank in modules().items():
        down, up = (added[f"base_model.model.{module}.lora_{half}.weight"] for half in "AB")
        merged[f"{module}.weight"] += np.float32(scales[rank]) * (up @ down)
    write_weights(folder / "model.safetensors", merged)
    return folder


@pytest.mark.parametrize(
    ("settings", "arrays", "scales"),
    [({}, None, {3: 2.0, 2: 3.0}), ({"lora_alpha": 1.5, "use_rslora": False}, None, {3: 0.5, 2: 0.75})],
)
def test_the_same_as_merging(
    tmp_path: Path, settings: dict[str, Any], arrays: dict[str, F32] | None, scales: dict[int, float]
) -> None:
    """Rows of q and k stand in another order in GGUF files of llama."""
    base, folder = write_model(tmp_path / "base"), write_peft(tmp_path / "adapter", arrays, **settings)
    target = tmp_path / "adapter.gguf"
    result = CliRunner().invoke(command, [str(folder), "--base", str(base), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "7 matrices of rank 2, 3" in result.output
    pairs = as_stored(target)
    with HuggingFaceSource(base) as plain, HuggingFaceSource(write_merged(tmp_path / "merged", scales)) as merged:
        for tensor in plain.tensors:
            wanted, found = merged.read(tensor.name), plain.read(tensor.name)
            if tensor.name in pairs:
                pair = pairs.pop(tensor.name)
                found = (found + pair.scale * (pair.up @ pair.down)).astype(np.float32)
            np.testing.assert_allclose(found, wanted, atol=1e-4, err_msg=tensor.name)
    assert not pairs


def test_rank_stabilised(tmp_path: Path) -> None:
    arrays = {name: values for name, values in lora().items() if "down_proj" not in name}
    base, folder = write_model(tmp_path / "base"), write_peft(tmp_path / "adapter", arrays, use_rslora=True)
    with PeftSource(folder, base) as source:
        assert source.metadata["adapter.lora.alpha"] / 3 == pytest.approx(6 / np.sqrt(3))
    with pytest.raises(edge.UnsupportedModel, match="several ranks"):
        PeftSource(write_peft(tmp_path / "two", use_rslora=True), base)


def test_it_is_loaded(tmp_path: Path) -> None:
    base, folder = write_model(tmp_path / "base"), write_peft(tmp_path / "adapter", alora_invocation_tokens=[5, 6])
    for source, target in ((base, "model"), (folder, "adapter")):
        extra = ["--base", str(base), "--quant", "F16"] if source is folder else ["--no-measure"]
        arguments = [str(source), "-o", str(tmp_path / f"{target}.gguf"), *extra]
        assert CliRunner().invoke(command, arguments).exit_code == 0
    with open_adapter(tmp_path / "adapter.gguf") as adapter:
        assert adapter.invocation == (5, 6)
        assert {info.type for info in adapter.file.tensors.values()} == {1}
    with edge.load(tmp_path / "model.gguf", adapters={"a": tmp_path / "adapter.gguf"}) as model:
        prompt = [3, 4, 5, 6, 7]
        assert model.generate(prompt, adapter="a", max_tokens=5).tokens != model.generate(prompt, max_tokens=5).tokens


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"peft_type": "IA3"}, "'IA3'"),
        ({"peft_type": ...}, "peft_type"),
        ({"use_dora": True}, "use_dora"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"alpha_pattern": {"q_proj": 2}}, "alpha_pattern"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"lora_alpha": 0}, "lora_alpha"),
        ({"lora_alpha": "6"}, "lora_alpha"),
        ({"lora_alpha": ...}, "lora_alpha"),
        ({"alora_invocation_tokens": []}, "alora_invocation_tokens"),
        ({"alora_invocation_tokens": [-1]}, "alora_invocation_tokens"),
        ({"alora_invocation_tokens": [1.5]}, "alora_invocation_tokens"),
    ],
)
def test_settings_that_are_refused(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    base = write_model(tmp_path / "base")
    with pytest.raises(edge.ModelFileError, match=expected):
        PeftSource(write_peft(tmp_path / "adapter", **settings), base)


def changed(**tensors: F32 | None) -> dict[str, F32]:
    """The head's halves replaced, left out, or others added."""
    arrays = lora()
    for name, values in tensors.items():
        full = f"{HEAD}.{name}.weight" if name.startswith("lora") else f"base_model.model.{name}"
        if values is None:
            del arrays[full]
        else:
            arrays[full] = values
    return arrays


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (changed(lora_A=None), "stands alone"),
        (changed(lora_A=np.zeros((3, 31), np.float32)), r"\(3, 31\), wanted \(rank, 32\)"),
        (changed(lora_B=np.zeros((300, 2), np.float32)), "differ in rank"),
        (changed(lora_B=np.zeros((32, 3), np.float32)), r"wanted \(300, rank\)"),
        (changed(lora_A=np.zeros((3,), np.float32)), r"\(3,\)"),
        (changed(lora_embedding_A=np.zeros((3, 300), np.float32)), "adapts no matrix"),
        ({f"{HEAD}.modules_to_save.weight": np.zeros((3, 3), np.float32)}, "adapts no matrix"),
        ({}, "without tensors"),
    ],
)
def test_tensors_that_are_refused(tmp_path: Path, arrays: dict[str, F32], expected: str) -> None:
    base = write_model(tmp_path / "base")
    with pytest.raises(edge.ModelFileError, match=expected):
        PeftSource(write_peft(tmp_path / "adapter", arrays), base)


def test_what_the_command_refuses(tmp_path: Path) -> None:
    base, folder = write_model(tmp_path / "base"), write_peft(tmp_path / "adapter")
    target = tmp_path / "a.gguf"

    def message(*arguments: str) -> str:
        return str(CliRunner().invoke(command, [*arguments, "-o", str(target)]).exception)

    assert "--base: name the folder" in message(str(folder))
    assert "kept as F32, F16 or BF16" in message(str(folder), "--base", str(base), "--quant", "Q4_0")
    assert "--base belongs to an adapter's folder" in message(str(base), "--base", str(base))
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert "edge opens no pickles" in message(str(folder), "--base", str(base))
    assert not target.exists()
    target.touch()
    assert "--force replaces it" in message(str(write_peft(tmp_path / "other")), "--base", str(base))
