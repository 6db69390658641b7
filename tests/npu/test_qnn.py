"""Qualcomm's compiler and its x86 simulator of the NPU. Nothing here says how fast a phone is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.backends.onnx.providers import QNN, runtime
from edge.backends.onnx.session import open_session
from edge.errors import RequestError, UnsupportedModel
from edge.loading import load
from edge.npu.compile import compile_folder
from edge.npu.manifest import HEAD
from edge.npu.runner import NpuModel
from edge.npu.target import Target
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.models import BUNDLED, TARGETS, copied, decibels, prompt_ids, snapdragon, written

onnx: Any = pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime_qnn", reason="pip install -e '.[snapdragon]'", exc_type=ImportError)


@pytest.mark.parametrize("target", range(len(TARGETS)))
def test_compiled_whole_and_the_simulator_agrees(bundled: Path, target: int) -> None:
    """No node on the CPU provider; the same tokens as the graphs on the CPU, and values 35 dB and more alike."""
    ids = prompt_ids()
    cpu, npu = NpuModel(bundled), NpuModel(bundled, snapdragon(target))
    for placed in npu.placements.values():
        assert [set(found.nodes) for found in placed] == [{QNN}]
    made = cpu.generate(ids, 16)
    assert npu.generate(ids, 16) == made
    for model in (cpu, npu):
        model.reset()
        model.forward(ids + made)
    assert decibels(npu.hidden, cpu.hidden) >= 35


def test_reads_prompts_for_the_native_engine(tmp_path: Path) -> None:
    """The graph of chunks whole on the simulator; what follows is what follows a prompt read here."""
    target = Target("qnn", tuple(snapdragon().options.items()))
    written(BUNDLED, tmp_path / "npu", chunk=32, context=128, target=target)
    prompt = prompt_ids() * 5
    with load(context=256) as native:
        wanted = native.generate(prompt, max_tokens=8).tokens
    with load(context=256, prefill_backend=f"npu:{tmp_path / 'npu'}", strict=True) as model:
        facts = model.prefill
        assert facts is not None and facts.backend == "onnx/qnn" and "simulator" in str(facts.fallback)
        assert facts.placement is not None and set(facts.placement["nodes"]) == {QNN}
        assert 0 < facts.kld < 0.02  # measured: 0.004
        answer = model.generate(prompt, max_tokens=8)
        assert answer.usage.handed_tokens == 128 and answer.tokens == wanted


def test_shared_weights_are_there_once(bundled: Path) -> None:
    shared = compile_folder(bundled, snapdragon(), name="shared")
    apart = compile_folder(bundled, snapdragon(), name="apart", share=False)
    assert [name for name in shared.files if name.endswith(".bin")] == ["prefill_qnn.bin"]
    assert len([name for name in apart.files if name.endswith(".bin")]) == 2
    assert shared.num_bytes < 0.65 * apart.num_bytes
    assert {name for found in shared.placements.values() for name in found.nodes} == {QNN}
    for name in ("prefill.onnx", "decode.onnx"):
        graph = onnx.load(str(shared.folder / name), load_external_data=False).graph
        assert [node.op_type for node in graph.node] == ["EPContext"]
    with pytest.raises(RequestError, match="is there already"):
        compile_folder(bundled, snapdragon(), name="shared")


def test_what_the_npu_lacks_is_refused(bundled: Path) -> None:
    """The negative control: MatMulNBits, the operator of the head, is none of its own."""
    with pytest.raises(UnsupportedModel, match="does not take all of the graph"):
        open_session(runtime(), bundled / HEAD, snapdragon(), 1, strict=True)
    _, loose = open_session(runtime(), bundled / HEAD, snapdragon(), 1, strict=False)
    assert loose.elsewhere["MatMulNBits"] == 1 and "MatMulNBits x 1" in (loose.fallback or "")


def test_a_refused_graph_leaves_nothing_behind(bundled: Path, tmp_path: Path) -> None:
    folder = copied(bundled, tmp_path)
    model = onnx.load(str(folder / "decode.onnx"), load_external_data=False)
    next(node for node in model.graph.node if node.op_type == "Sigmoid").op_type = "Erf"  # no operator of Qualcomm's
    (folder / "decode.onnx").write_bytes(model.SerializeToString())
    before = sorted(folder.iterdir())
    with pytest.raises(UnsupportedModel, match="does not take all of the graph"):
        compile_folder(folder, snapdragon(), name="compiled")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(("model_type", "options"), [
    ("qwen3", {"weights": "int4"}),
    ("gemma3", {}),
    ("llama", {"activation_bits": 8, "shadows": 2}),
])  # fmt: skip
def test_random_models(model_type: str, options: dict[str, Any], tmp_path: Path) -> None:
    """Norms of heads, windows, GELU; four bits per channel; eight-bit inputs with outliers on the CPU beside it."""
    config = tiny_config(model_type, hidden_size=64)
    tensors = random_tensors(tensor_shapes(config))
    if "shadows" in options:
        tensors["blk.1.ffn_up.weight"][[7, 50]] *= 30.0
        tensors["blk.1.ffn_down.weight"][:, [7, 50]] /= 30.0
    path = write_gguf(tmp_path / "m.gguf", config, tensors)
    manifest = written(path, tmp_path / "npu", chunk=16, context=64, max_tokens=256, **options)
    assert (manifest.num_graphs > 1) == ("shadows" in options)
    ids = [int(i) for i in np.random.default_rng(2).integers(2, 90, 30)]
    cpu, npu = NpuModel(tmp_path / "npu"), NpuModel(tmp_path / "npu", snapdragon())
    assert {name for placed in npu.placements.values() for found in placed for name in found.nodes} == {QNN}
    for model in (cpu, npu):
        model.forward(ids)
        model.forward(ids[:1])
        model.forward(ids[1:2])
    assert np.isfinite(npu.hidden).all()
    cpu.reset()
    npu.reset()
    cpu.forward(ids)
    npu.forward(ids)
    assert decibels(npu.hidden, cpu.hidden) >= (20 if "shadows" in options else 35)


def test_blocks_of_four_bits(tmp_path: Path) -> None:
    written(BUNDLED, tmp_path / "npu", chunk=16, context=64, weights="int4x32", max_tokens=256)
    cpu, npu = NpuModel(tmp_path / "npu"), NpuModel(tmp_path / "npu", snapdragon())
    for model in (cpu, npu):
        model.forward(prompt_ids())
    assert decibels(npu.hidden, cpu.hidden) >= 35


def test_what_its_compiler_does_not_finish_is_refused(tmp_path: Path) -> None:
    written(BUNDLED, tmp_path / "npu", chunk=16, context=64, weights="int8x32", max_tokens=64)
    for call in (
        lambda: compile_folder(tmp_path / "npu", snapdragon(), name="compiled"),
        lambda: NpuModel(tmp_path / "npu", snapdragon()),
        lambda: load(tmp_path / "npu", context=64, provider="qnn"),
    ):
        with pytest.raises(
            RequestError, match="weights are int8x32, which qnn is not given: Qualcomm's compiler did not"
        ):
            call()


def test_what_was_compiled_and_does_not_load_here_is_said(tmp_path: Path) -> None:
    """An x86 machine compiles contexts, and its simulator loads none: the graphs are compiled anew."""
    target = Target.of("qnn", snapdragon().options)
    written(BUNDLED, tmp_path / "npu", chunk=16, context=64, target=target, max_tokens=128)
    compile_folder(tmp_path / "npu", snapdragon(), name="compiled-test")
    with load(tmp_path / "npu", context=64, strict=True) as model:
        note = model.weights.note
        assert note is not None and "simulator" in note and "compiled anew, as what was compiled fails" in note
        ids = prompt_ids()
        assert list(model.generate(ids, max_tokens=3, temperature=0).tokens) == NpuModel(tmp_path / "npu").generate(
            ids, 3
        )
