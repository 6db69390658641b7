"""OpenVINO, on whatever processor its plugin accepts (an Intel one). Intel's NPU itself is not tested anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.backends.onnx.providers import Provider, ProviderError, require_device
from edge.npu.compile import compile_folder
from edge.npu.runner import NpuModel
from tests.npu.models import decibels, prompt_ids

onnx: Any = pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime_ep_openvino", reason="pip install -e '.[intel-npu]'", exc_type=ImportError)

OPENVINO = Provider("openvino", {"device": "CPU", "num_of_threads": "1"})


@pytest.fixture(scope="module")
def provider() -> Provider:
    try:
        require_device(OPENVINO)
    except ProviderError as error:
        pytest.skip(str(error))
    return OPENVINO


def test_runs_whole_and_gives_the_same_tokens(bundled: Path, provider: Provider) -> None:
    ids = prompt_ids()
    cpu, other = NpuModel(bundled, Provider("cpu")), NpuModel(bundled, provider)
    for graphs in other.assignment.values():
        assert [set(found) for found in graphs] == [{"OpenVINOExecutionProvider"}]
    made = cpu.generate(ids, 16)
    assert other.generate(ids, 16) == made
    for model in (cpu, other):
        model.reset()
        model.forward(ids + made)
    assert decibels(other.hidden, cpu.hidden) > 25  # bf16 where the processor has it


def test_compiled_reloaded_and_run(bundled: Path, provider: Provider) -> None:
    compiled = compile_folder(bundled, provider, name="openvino")
    for name in ("prefill.onnx", "decode.onnx"):
        graph = onnx.load(str(compiled.folder / name), load_external_data=False).graph
        assert [node.op_type for node in graph.node] == ["EPContext"]
    ids = prompt_ids()
    plain, loaded = NpuModel(bundled, provider), NpuModel(bundled, provider, compiled="openvino")
    assert loaded.generate(ids, 8) == plain.generate(ids, 8)


def test_no_npu_is_said() -> None:
    with pytest.raises(ProviderError, match="finds no NPU"):
        require_device(Provider("openvino"))
