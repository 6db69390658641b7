"""OpenVINO on its CPU device, beside ONNX Runtime's own provider. Intel's NPU itself is not tested anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.backends.onnx.providers import OPENVINO, Provider, device_of, runtime
from edge.errors import RequestError
from edge.loading import load
from edge.npu.compile import compile_folder
from edge.npu.runner import NpuModel
from edge.npu.target import Target
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.intel import call_it_intel
from tests.npu.models import BUNDLED, copied, decibels, prompt_ids, truth, written
from tests.npu.test_hostile import compiled_folder

onnx: Any = pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
TARGET = Target("openvino", (("device_type", "CPU"), ("num_of_threads", "1")))
PROVIDER = TARGET.provider


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `bundled`, in the forms that OpenVINO takes."""
    pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")
    path = tmp_path_factory.mktemp("npu") / "openvino"
    written(BUNDLED, path, chunk=32, context=128, target=TARGET)
    return path


@pytest.fixture
def plugin() -> None:
    pytest.importorskip("onnxruntime_ep_openvino", reason="pip install -e '.[intel-npu]'", exc_type=ImportError)
    problem = call_it_intel(runtime())
    if problem is not None:
        pytest.skip(problem)
    device_of(runtime(), PROVIDER)  # there must be one now


_REGISTERED_EARLIER = """
from edge.backends.onnx.providers import device_of, register_plugins, runtime
from tests.npu.intel import call_it_intel
from tests.npu.test_openvino import PROVIDER
assert not register_plugins(runtime())
assert call_it_intel(runtime()) is None
assert device_of(runtime(), PROVIDER).kind == "CPU"
"""


@pytest.mark.usefixtures("plugin")
def test_it_does_not_matter_what_registered_the_plugin_before() -> None:
    subprocess.run([sys.executable, "-c", _REGISTERED_EARLIER], check=True, timeout=120)


def test_the_forms_it_takes(folder: Path, bundled: Path) -> None:
    """No RMSNormalization, no two halves of a rotation in one Concat; standard operators, and the same numbers."""
    for name in ("prefill.onnx", "decode.onnx"):
        onnx.checker.check_model(str(folder / name), full_check=True)
        graph = onnx.load(str(folder / name), load_external_data=False).graph
        kinds = [node.op_type for node in graph.node]
        assert "RMSNormalization" not in kinds and kinds.count("ReduceMean") == 4 * 6
        joined = [node for node in graph.node if node.op_type == "Concat" and "rope" in node.output[0]]
        assert len(joined) == 2 * 6 and all(attribute.i == -2 for node in joined for attribute in node.attribute)
    ids = prompt_ids()
    plain, parts = NpuModel(bundled), NpuModel(folder)
    for model in (plain, parts):
        model.forward(ids)
    assert decibels(parts.hidden, plain.hidden) > 45
    assert decibels(parts.hidden, truth(BUNDLED, ids)[0]) > 28


@pytest.mark.parametrize("model_type", ["phi3", "gemma3"])
def test_rotations_of_a_part_and_windows(model_type: str, tmp_path: Path) -> None:
    config = tiny_config(model_type)
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, tmp_path / "npu", chunk=16, context=64, max_tokens=256, target=TARGET)
    model = NpuModel(tmp_path / "npu")
    ids = [int(i) for i in np.random.default_rng(2).integers(2, 90, 40)]
    model.forward(ids)
    assert decibels(model.hidden, truth(path, ids)[0]) > 22


@pytest.mark.usefixtures("plugin")
def test_runs_whole_and_gives_the_same_tokens(folder: Path) -> None:
    ids = prompt_ids()
    cpu, other = NpuModel(folder), NpuModel(folder, PROVIDER)
    for placed in other.placements.values():
        assert [set(found.nodes) for found in placed] == [{OPENVINO}]
    made = cpu.generate(ids, 16)
    assert other.generate(ids, 16) == made
    for model in (cpu, other):
        model.reset()
        model.forward(ids + made)
    assert decibels(other.hidden, cpu.hidden) > 28  # measured: 34; bf16 where the processor has it


@pytest.mark.usefixtures("plugin")
def test_compiled_reloaded_and_run(folder: Path) -> None:
    compiled = compile_folder(folder, PROVIDER, name="compiled-test")
    for name in ("prefill.onnx", "decode.onnx"):
        graph = onnx.load(str(compiled.folder / name), load_external_data=False).graph
        assert [node.op_type for node in graph.node] == ["EPContext"]
    ids = prompt_ids()
    plain, loaded = NpuModel(folder, PROVIDER), NpuModel(folder, PROVIDER, compiled="compiled-test")
    made = plain.generate(ids, 12)
    assert loaded.generate(ids, 12) == made
    for model in (plain, loaded):
        model.reset()
        model.forward(ids + made)
    assert decibels(loaded.hidden, plain.hidden) > 60  # measured: the same
    with load(folder, context=64, strict=True) as whole:  # the compiled graphs, as the folder says
        placement = whole.step_backend.placement
        assert whole.backend == "onnx/openvino" and placement is not None and whole.weights.note is None
        assert placement["nodes"] == {OPENVINO: {"EPContext": 2}}
        assert list(whole.generate(ids, max_tokens=4, temperature=0).tokens) == made[:4]


@pytest.mark.usefixtures("plugin")
def test_what_was_compiled_and_does_not_load_is_compiled_anew(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    compiled_folder(copy, source=OPENVINO)  # around bytes that are none of OpenVINO's
    with load(copy, context=64, strict=True) as model:
        assert model.weights.note is not None and "compiled anew, as what was compiled fails" in model.weights.note
        placement = model.step_backend.placement
        assert placement is not None and placement["nodes"][OPENVINO]["MatMul"] == 132


@pytest.mark.usefixtures("plugin")
def test_reads_prompts_for_the_native_engine(folder: Path) -> None:
    """Every node of the chunks' graph on the provider, and what follows near to a prompt read here."""
    prompt = prompt_ids() * 5
    with load(context=256) as native:
        wanted = native.generate(prompt, max_tokens=8).tokens
    with load(context=256, prefill_backend=f"npu:{folder}", strict=True) as model:
        facts = model.prefill
        assert facts is not None and facts.backend == "onnx/openvino" and facts.fallback is None
        assert facts.placement is not None and set(facts.placement["nodes"]) == {OPENVINO}
        assert 0 < facts.kld < 0.02  # measured: 0.004; bf16 where the processor has it
        answer = model.generate(prompt, max_tokens=8)
        assert answer.usage.handed_tokens == 128 and answer.tokens == wanted


@pytest.mark.usefixtures("plugin")
def test_plain_graphs_are_not_taken_whole(bundled: Path) -> None:
    """The negative control: the graphs for Snapdragon have norms that OpenVINO leaves to the CPU."""
    with load(bundled, context=64, provider="openvino:device_type=CPU") as model:
        placement = model.step_backend.placement
        assert placement is not None and placement["nodes"]["CPUExecutionProvider"]["RMSNormalization"] == 48
        assert model.weights.note is not None and "RMSNormalization x 48" in model.weights.note
    with pytest.raises(Exception, match=f"strict: {OPENVINO} does not take all of the graph"):
        load(bundled, context=64, provider="openvino:device_type=CPU", strict=True)


def test_no_npu_is_said() -> None:
    pytest.importorskip("onnxruntime_ep_openvino", reason="pip install -e '.[intel-npu]'", exc_type=ImportError)
    with pytest.raises(RequestError, match=f"{OPENVINO} finds no device of the type 'NPU' on this machine"):
        device_of(runtime(), Provider(OPENVINO, {"device_type": "NPU"}))
