"""Outliers on the CPU beside the NPU: exact in floats, and worth their while in eight bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.export.npu.evaluate import evaluate
from edge.export.npu.lower import HIDDEN_OUT, lower
from edge.export.npu.ranges import Ranges
from edge.export.npu.shadows import cut, find_outliers, with_shadows
from edge.models import build
from edge.npu.manifest import read_manifest
from edge.npu.runner import NpuModel
from tests.models.tiny import F32, random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.models import decibels, truth, written

TOKENS = [int(i) for i in np.random.default_rng(5).integers(2, 90, 48)]
CONFIG = tiny_config("llama")


def with_outliers() -> dict[str, F32]:
    """A model in which two channels of the second layer's products are thirty times the others."""
    tensors = random_tensors(tensor_shapes(CONFIG))
    tensors["blk.1.ffn_up.weight"][[7, 50]] *= 30.0
    tensors["blk.1.ffn_down.weight"][:, [7, 50]] /= 30.0
    return tensors


def test_in_floats_nothing_changes() -> None:
    tensors = with_outliers()
    graph = build(CONFIG, tensor_shapes(CONFIG))
    static = lower(graph, tokens=16, context=48)
    rows = [tensors["token_embd.weight"][TOKENS]]
    ranges = Ranges(static)
    wanted = evaluate(static, lambda name: tensors[name], rows, ranges.observe)
    outliers = find_outliers(ranges, 1)
    assert [item.name for item in outliers] == ["blk.1.ffn_glu"] and {7, 50} & set(outliers[0].channels)
    changed = with_shadows(static, outliers, 8)
    found = evaluate(changed, lambda name: tensors[name], rows)
    for a, b in zip(found, wanted, strict=True):
        assert np.abs(a[HIDDEN_OUT] - b[HIDDEN_OUT]).max() < 2e-5 * np.abs(b[HIDDEN_OUT]).max()


def test_the_graph_is_cut_around_what_runs_beside_it() -> None:
    tensors = with_outliers()
    static = lower(build(CONFIG, tensor_shapes(CONFIG)), tokens=16, context=48)
    ranges = Ranges(static)
    evaluate(static, lambda name: tensors[name], [tensors["token_embd.weight"][TOKENS]], ranges.observe)
    parts, beside = cut(with_shadows(static, find_outliers(ranges, 1), 16))
    assert len(parts) == 3 and set(beside.values()) == {1}
    assert [op.kind for op in parts[1].ops] == ["Requantize", "MatMul"]
    assert "blk.1.ffn_glu" in parts[0].outputs and "blk.1.ffn_down.shadow" in parts[2].inputs
    known = set(static.inputs) | set(beside)
    for part in parts:
        assert set(part.inputs) <= known
        known |= set(part.outputs)
    assert set(static.outputs) <= known
    whole, none = cut(static)
    assert len(whole) == 1 and not none and whole[0].inputs == static.inputs and whole[0].outputs == static.outputs


@pytest.mark.parametrize(("bits", "gain"), [(8, 3.0), (16, -0.5)])
def test_the_effect(bits: int, gain: float, tmp_path: Path) -> None:
    """Eight-bit inputs of matrices lose much to outliers; sixteen-bit ones have room for them."""
    pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
    pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")
    path = write_gguf(tmp_path / "m.gguf", CONFIG, with_outliers())
    wanted, _ = truth(path, TOKENS)
    found: list[float] = []
    for shadows in (0, 1):
        folder = tmp_path / str(shadows)
        written(path, folder, chunk=16, context=64, max_tokens=512, activation_bits=bits, shadows=shadows, kv_bits=16)
        assert read_manifest(folder).num_graphs == 1 + 2 * shadows
        model = NpuModel(folder)
        model.forward(TOKENS)
        found.append(decibels(model.hidden, wanted))
    assert found[1] - found[0] > gain  # measured: 16.1 to 20.8 dB with eight bits
