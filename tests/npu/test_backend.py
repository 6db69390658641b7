"""NPU folders through `edge.load` and the commands: the engine's promises, who computes, what is refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.backends.onnx.providers import CPU, OPENVINO, QNN
from edge.backends.protocol import Batch
from edge.engine import Engine, SamplingParams, Sequence
from edge.engine.sampler import NativeSampler
from edge.errors import ContextExceeded, DoesNotFit, EdgeError, ModelFileError, RequestError
from edge.loading import load
from edge.model import Model
from edge.npu.manifest import MANIFEST, read_manifest
from edge.npu.runner import NpuModel
from edge.npu.target import Target
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.models import BUNDLED, copied, prompt_ids, written

pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")

QUESTIONS = ("Set a timer for five minutes", "What time is it?")
NOWHERE = Target("openvino", (("device_type", "NPU"),))  # no machine of ours has Intel's


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model for Intel's NPU, with room for its chat template."""
    path = tmp_path_factory.mktemp("npu") / "assistant"
    written(BUNDLED, path, chunk=64, context=640, kv_bits=16, target=NOWHERE)
    return path


@pytest.fixture(scope="module")
def windowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model with windows of 9 positions, in an NPU folder."""
    there = tmp_path_factory.mktemp("npu")
    config = tiny_config("gemma3")
    path = write_gguf(there / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, there / "npu", chunk=16, context=64, max_tokens=256, kv_bits=16)
    return there / "npu"


@pytest.fixture
def model(folder: Path) -> Iterator[Model]:
    with load(folder, context=640, sequences=3, threads=1, provider="cpu") as loaded:
        yield loaded


def test_answers_like_the_native_engine(model: Model) -> None:
    """Sixteen-bit graphs of a model that is sure of itself: the same text, beside others and again from a slot."""
    with load(context=640) as native:
        wanted = [native.chat(question, max_tokens=24).text for question in QUESTIONS]
    streams = [model.stream_chat(question, max_tokens=24) for question in QUESTIONS]
    assert [stream.completion().text for stream in streams] == wanted
    again = model.chat(QUESTIONS[0], max_tokens=24)
    assert again.text == wanted[0] and again.usage.cached_tokens == again.usage.prompt_tokens - 1
    assert model.backend == "onnx/cpu" and model.kv_type == "16-bit" and model.isa is None
    assert model.config.model_type == "qwen3" and model.config.tie_word_embeddings
    assert model.stats.blocks_used == 0


def test_steps_are_those_of_the_runner(folder: Path, model: Model) -> None:
    """A prompt in chunks, then tokens: the ids that one sequence on the graphs gives; wanted rows anywhere."""
    ids = (prompt_ids() * 6)[:100]
    made = NpuModel(folder).generate(ids, 8)
    assert list(model.generate(ids, max_tokens=8, temperature=0).tokens) == made
    step = Batch(array("i", ids[:8]), array("i", range(8)), array("i", [0] * 8), array("i", [1]), 1, array("i", [3, 7]))
    rows = np.array(model.step_backend.step(step)).reshape(2, -1)
    short = step._replace(
        token_ids=step.token_ids[:4], positions=step.positions[:4], sequences=step.sequences[:4],
        logit_rows=array("i", [3]),
    )  # fmt: skip
    assert np.array_equal(np.array(model.step_backend.step(short)), rows[0])


def test_forks_go_on_from_a_copy(model: Model) -> None:
    engine = Engine(model.step_backend, NativeSampler(2048))
    first = Sequence(prompt_ids(), SamplingParams(max_tokens=12, temperature=0.0), max_length=100, seed=1, number=1)
    engine.add(first)
    for _ in range(4):
        engine.step()
    length = len(first.tokens) - 1
    fork = engine.fork(first, number=2, length=length)
    while engine.step():
        pass
    assert len(fork.tokens) > length and fork.tokens == first.tokens
    assert fork.num_cached_tokens == first.num_prompt_tokens


def test_seeds_grammars_and_sessions(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llguidance", reason="structured output needs it: pip install -e '.[grammar]'")
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with load(folder, context=640, provider="cpu") as model:
        held = model.generate("a", regex="[a-c]{4}", temperature=1.0, seed=3)
        assert held.text == model.generate("a", regex="[a-c]{4}", temperature=1.0, seed=3).text and len(held.text) == 4
        with model.session("notes") as session:
            first = session.chat(QUESTIONS[1], max_tokens=16)
    with load(folder, context=640, provider="cpu") as model:
        session = model.session("notes")
        assert session.messages[1]["content"] == first.as_message()["content"] and session.num_restored_tokens == 0
        with pytest.raises(RequestError, match="onnx backend cannot save K and V: nothing is prepared"):
            model.prepare("be brief")


def test_a_cancelled_step_stores_nothing(folder: Path, windowed: Path) -> None:
    for path, prompt in ((folder, prompt_ids()), (windowed, [7, 9, 11, 13, 15] * 5)):
        with load(path, context=64, sequences=2, threads=1, provider="cpu") as model:
            wanted = list(model.generate(prompt, max_tokens=6, temperature=0).tokens)
            backend = model.step_backend
            engine = Engine(backend, NativeSampler(backend.limits.vocab_size))
            params = SamplingParams(max_tokens=6, temperature=0.0)
            sequence = Sequence(prompt, params, max_length=len(prompt) + 6, seed=1, number=1)
            engine.add(sequence)
            while not sequence.finished:
                backend.cancel()  # the next step stops at once, and the engine tries it again
                engine.step()
                engine.step()
            assert list(sequence.tokens)[len(prompt) :] == wanted


def test_windows_go_forward_only(windowed: Path) -> None:
    """Prefixes are computed again, with the same tokens."""
    with load(windowed, context=64, sequences=2, threads=1, provider="cpu") as model:
        assert not model.step_backend.capabilities.reuses
        prompt = [int(i) for i in np.random.default_rng(2).integers(2, 90, 40)]
        first = model.generate(prompt, max_tokens=8, temperature=0)
        again = model.generate(prompt, max_tokens=8, temperature=0)
        assert first.tokens == again.tokens and again.usage.cached_tokens == 0
        both = [model.stream(prompt, max_tokens=8, temperature=0) for _ in range(2)]
        assert [stream.completion().tokens for stream in both] == [first.tokens] * 2


def test_fallback_is_loud_and_strict_refuses_it(folder: Path) -> None:
    with load(folder, context=128) as model:
        note = model.weights.note
        assert model.backend == "onnx/cpu" and note is not None
        assert note.startswith("the CPU computes, not the NPU of test: ") and OPENVINO in note
        placement = model.step_backend.placement
        assert placement is not None and placement["fallback"] == note and placement["made_for"] == OPENVINO
        assert set(placement["nodes"]) == {CPU} and placement["host"][CPU]["MatMulNBits"] == 1
        assert placement["graphs"]["prefill"][CPU]["Softmax"] == 6
    with pytest.raises(RequestError, match=f"strict: the folder is for test, and {OPENVINO}"):
        load(folder, context=128, strict=True)
    with load(folder, context=128, provider="cpu", strict=True) as model:  # as was asked for
        assert model.step_backend.placement is not None and model.step_backend.placement["fallback"] is None


@pytest.mark.parametrize(("options", "said"), [
    ({"provider": "nosuch"}, "provider is 'nosuch'; here there are .*cpu"),
    ({"provider": "cpu:x=1"}, "provider cpu has no options, and x was given"),
    ({"context": 641}, "context is 641; it must be a whole number from 2 to 640"),
    ({"sequences": 65}, "sequences is 65; it must be a whole number from 1 to 64"),
    ({"kv_type": "q8"}, "kv_type is 'q8'; the onnx backend has exported"),
    ({"residency": "mapped"}, "residency is 'mapped'; the onnx backend has no such option"),
    ({"isa": "avx2"}, "isa is 'avx2'; the onnx backend has no such option"),
    ({"kv_tokens": 64}, "kv_tokens is 64; the onnx backend has no such option"),
    ({"verify": True}, "verify is True; the onnx backend has no such option"),
    ({"backend": "llama"}, "the llama backend runs GGUF models"),
    ({"backend": "native"}, "the native backend runs GGUF models"),
])  # fmt: skip
def test_refused_by_name(folder: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        load(folder, **options)


def test_what_does_not_fit_is_refused(folder: Path) -> None:
    with pytest.raises(DoesNotFit, match=r"needs \d+ MiB"):
        load(folder, sequences=64, memory="100MiB")
    with load(folder, context=64, provider="cpu") as model, pytest.raises(ContextExceeded, match="64"):
        model.generate([5] * 64, max_tokens=1)


def test_k_and_v_are_not_saved(model: Model) -> None:
    for call in (lambda: model.step_backend.read_block(0), lambda: model.step_backend.write_block(0, b"")):
        with pytest.raises(RequestError, match="keeps no K and V outside of its buffers"):
            call()
    assert not model.step_backend.capabilities.saves


def test_a_file_that_changes_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    with load(copy, context=64, provider="cpu") as model:
        with (copy / "weights.bin").open("ab") as file:
            file.write(b"\0" * 64)
        with pytest.raises(ModelFileError, match="was changed while it was loaded"):
            _ = model.tokenizer
    with load(copy, context=64, provider="cpu") as model:
        os.truncate(copy / "host.bin", 64)
        with pytest.raises(EdgeError, match="became shorter since it was opened|was changed"):
            model.generate([2000], max_tokens=1)


def test_folders_of_npus_as_commands_take_them(folder: Path) -> None:
    def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    run = edge("run", str(folder), QUESTIONS[0], "--max-tokens", "8", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["backend"] == "onnx/cpu" and report["placement"]["made_for"] == OPENVINO
    assert "the CPU computes, not the NPU of test" in run.stderr
    strict = edge("run", str(folder), QUESTIONS[0], "--strict")
    assert strict.returncode == 2 and "strict: the folder is for test" in strict.stderr
    doctor = json.loads(edge("doctor", "--onnx", str(folder), "--provider", "cpu", "--json").stdout)["onnx"]
    assert doctor["model"]["placement"]["nodes"][CPU]["MatMul"] == 132
    plan = json.loads(edge("plan", str(folder), "--json").stdout)
    assert plan["fits"] and plan["plan"]["context"] == 640 and plan["plan"]["kv_type"] == "16-bit"
    lines = edge("doctor", "--onnx", str(folder)).stdout
    assert "fallback" in lines and "the CPU computes" in lines


_PEAK = """
import json, sys, edge
from edge.device import peak_memory_bytes
with edge.load(sys.argv[1], context=256, sequences=2, threads=1, provider="cpu") as model:
    streams = [model.stream(list(range(1, 90)), max_tokens=10) for _ in range(2)]
    for stream in streams:
        stream.completion()
    print(json.dumps([peak_memory_bytes(), model.plan.total_bytes]))
"""


def test_what_reads_folders_for_cpus_refuses_it(folder: Path) -> None:
    for command in ("show", "bench"):
        found = subprocess.run([sys.executable, "-m", "edge", command, str(folder)], capture_output=True, text=True)
        assert found.returncode == 4 and "was made for an NPU" in found.stderr


def test_peak_memory_is_within_the_plan(tmp_path: Path) -> None:
    config = replace(tiny_config("llama", hidden_size=1024), intermediate_size=2816, num_hidden_layers=4)
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, tmp_path / "npu", chunk=64, context=256, max_tokens=128)
    result = subprocess.run(
        [sys.executable, "-c", _PEAK, str(tmp_path / "npu")], capture_output=True, text=True, check=True, timeout=120
    )
    peak, planned = json.loads(result.stdout.splitlines()[-1])
    assert 0.4 * planned < peak <= planned


def test_the_folders_target_is_what_computes(folder: Path, tmp_path: Path) -> None:
    """On Qualcomm's simulator, when the folder is for it; options of a flag go beside those of the folder."""
    pytest.importorskip("onnxruntime_qnn", reason="pip install -e '.[snapdragon]'", exc_type=ImportError)
    copy = copied(folder, tmp_path)
    said = json.loads((copy / MANIFEST).read_text())
    said["target"] = ["qnn", [["backend_type", "htp"], ["offload_graph_io_quantization", "0"]]]
    (copy / MANIFEST).write_text(json.dumps(said))
    assert read_manifest(copy).target.provider.name == QNN
    with load(copy, context=64, strict=True, provider="qnn:soc_model=69,htp_arch=79") as model:
        placement = model.step_backend.placement
        assert model.backend == "onnx/qnn" and placement is not None and set(placement["nodes"]) == {QNN}
        assert model.weights.note is not None and "simulator" in model.weights.note
        ids = prompt_ids()
        assert list(model.generate(ids, max_tokens=4, temperature=0).tokens) == NpuModel(copy).generate(ids, 4)
