"""ONNX Runtime reads a prompt, the native engine goes on: how near that is to reading it here, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge
from edge import prefill_engine
from edge.backends import Backend
from edge.backends.distance import kl_divergence
from edge.backends.handover import KVSource
from edge.backends.registry import BACKENDS
from edge.engine import Engine, SamplingParams, Sequence
from edge.errors import DoesNotFit, RequestError
from edge.export.gguf_source import GGUFSource
from edge.export.onnx import OnnxOptions, Rounding
from edge.export.onnx.export import export_onnx
from edge.onnx_model import OnnxReader
from edge.prefill_engine import folder_of
from edge.references import resolve
from tests.onnx.random_models import VOCAB, write_random
from tests.onnx.test_against_native import MOST_KLD, dequantised

if BACKENDS["onnx"].missing is not None:
    pytest.skip(str(BACKENDS["onnx"].missing), allow_module_level=True)

LONG = "Set a timer for five minutes, then turn on the light in the kitchen and play some jazz. " * 8
PROMPT, BEHIND = 108, 20  # tokens that are handed over but for the last few, and tokens behind them


def export(model: Path, folder: Path, rounding: Rounding | None = None, level: int = 4) -> Path:
    with GGUFSource(model) as source:
        return export_onnx(source, folder, OnnxOptions(Rounding() if rounding is None else rounding, level)).path


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model, with its folder beside it."""
    path = tmp_path_factory.mktemp("bundled") / "assistant.gguf"
    path.write_bytes(resolve(None).read_bytes())
    export(path, path.with_name("assistant-onnx"))
    return path


def logits_behind(backend: Backend, tokens: list[int], reader: KVSource | None) -> list[memoryview[float]]:
    """Of the tokens behind PROMPT, which is read by the reader, if there is one."""
    rows: list[memoryview[float]] = []

    def choose(sequence: Sequence, logits: memoryview[float]) -> int:
        rows.append(memoryview(bytes(logits)).cast("f"))
        return tokens[len(sequence)]

    engine = Engine(backend, choose, reader=reader)
    sequence = Sequence(tokens[:PROMPT], SamplingParams(), max_length=len(tokens), seed=0)
    engine.add(sequence)
    while engine.step():
        pass
    engine.scheduler.handover.stop()
    assert sequence.error is None and sequence.num_handed_tokens == (0 if reader is None else 96)
    return rows


@pytest.mark.parametrize("level", [0, 4])
@pytest.mark.parametrize("name", ["llama", "mistral", "qwen3", "gemma3"])
def test_what_follows_is_near_to_a_prompt_read_here(
    name: str, level: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same quantised weights, which the native engine has as F32: the folder is of another file then."""
    rounding = Rounding(4)
    model = write_random(tmp_path / "m.gguf", name, tied=name == "llama")
    folder = export(model, tmp_path / "onnx", rounding, level)
    with GGUFSource(model) as source:
        plain = dequantised(source, rounding, tmp_path / "plain.gguf")
    monkeypatch.setattr(OnnxReader, "source_hashes", None)
    tokens: list[int] = np.random.default_rng(1).integers(0, VOCAB, PROMPT + BEHIND).tolist()
    with edge.load(plain, context=256, chunk=32, kv_type="f32", prefill_backend=f"onnx:{folder}") as model_here:
        assert model_here.prefill is not None and model_here.prefill.kld <= MOST_KLD[level]
        reader = model_here.prefill_source
        wanted = logits_behind(model_here.step_backend, tokens, None)
        found = logits_behind(model_here.step_backend, tokens, reader)
    divergence = np.mean([kl_divergence(one, two) for one, two in zip(wanted, found, strict=True)])
    assert 0 < divergence <= MOST_KLD[level]


@pytest.mark.parametrize("kv_type", ["f16", "q8", "q4"])
def test_the_answer_is_the_same_text_if_rounding_allows(kv_type: str, bundled: Path) -> None:
    with edge.load(bundled, context=1024, kv_type=kv_type) as native:
        wanted = native.chat(LONG, max_tokens=32)
    with edge.load(bundled, context=1024, kv_type=kv_type, prefill_backend="onnx") as model:
        assert model.prefill is not None and model.prefill.backend == "onnx/cpu"
        assert model.prefill.placement is not None and model.prefill.fallback is None
        found = model.chat(LONG, max_tokens=32)
        again = model.chat(LONG + "And now?", max_tokens=4)
    same = found.text == wanted.text
    assert same or kv_type == "q4", found.text  # rounding to four bits parts what is nearly the same
    assert found.backend == wanted.backend
    assert found.prefill_backend == "onnx/cpu" and wanted.prefill_backend is None
    size = 32
    assert found.usage.handed_tokens == (found.usage.prompt_tokens - 1) // size * size
    assert found.usage.cached_tokens == wanted.usage.handed_tokens == 0
    assert again.usage.cached_tokens > 100 and again.prefill_backend == "onnx/cpu"


def test_short_prompts_are_native_to_the_last_bit(bundled: Path) -> None:
    question = "Set a timer for five minutes"
    options = {"max_tokens": 12, "logprobs": 3}
    with edge.load(bundled, context=1024) as native, edge.load(bundled, context=1024, prefill_backend="onnx") as model:
        wanted = [token.logprobs for token in native.stream(question, **options)]  # type: ignore[arg-type]
        found = model.stream(question, **options)  # type: ignore[arg-type]
        assert [token.logprobs for token in found] == wanted
        assert found.completion().prefill_backend is None


def test_several_answers_at_once_and_a_cancelled_one(bundled: Path) -> None:
    with edge.load(bundled, context=1024) as native:
        wanted = [native.chat(text, max_tokens=24).text for text in ("What time is it?", LONG)]
    with edge.load(bundled, context=1024, sequences=3, prefill_backend="onnx", chunk=32) as model:
        short = model.stream_chat("What time is it?", max_tokens=24)
        doomed = model.stream_chat(LONG + "Stop.", max_tokens=24)
        long = model.stream_chat(LONG, max_tokens=24)
        next(short)
        doomed.cancel()
        assert [stream.completion().text for stream in (short, long)] == wanted
        assert doomed.completion().finish_reason == "cancelled"
        assert model.stats.blocks_used == 0


def test_session_files_hold_nothing_that_it_computed(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with edge.load(bundled, context=1024, prefill_backend="onnx") as model, model.session("notes") as session:
        answer = session.chat(LONG, max_tokens=8)
        tokens = [*model.encode_chat(session.messages[:1]), *answer.tokens]
        assert answer.usage.handed_tokens > 0
        assert model.num_kept_tokens(tokens) == 0  # under keys of the native engine
    with edge.load(bundled, context=1024) as native:
        again = native.session("notes")
        assert again.num_restored_tokens == 0 and len(again.messages) == 2


def test_prepared_prompts_are_read_here(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with edge.load(bundled, context=1024, prefill_backend="onnx") as model:
        model.generate(LONG + "Hello", max_tokens=2)  # what the other engine has read is there, and is not taken
        prepared = model.prepare(LONG, raw=True)
        assert prepared.num_tokens > 200
    with edge.load(bundled, context=1024) as native:
        answer = native.generate(LONG + "Hi", max_tokens=2)
        assert answer.usage.prepared_tokens == prepared.num_tokens


def test_its_memory_is_in_the_plan(bundled: Path) -> None:
    with edge.load(bundled, context=1024) as native:
        alone = native.plan.total_bytes
    with edge.load(bundled, context=1024, prefill_backend="onnx") as model:
        assert model.plan.prefill_bytes > 64 * 2**20
        assert model.plan.total_bytes == alone + model.plan.prefill_bytes
    with pytest.raises(DoesNotFit, match="another engine for prompts"):
        edge.load(bundled, context=1024, prefill_backend="onnx", memory=alone + 2**20)


def test_what_is_not_this_model_is_refused(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(reason: str, folder: Path, **options: object) -> None:
        with pytest.raises(RequestError, match=reason):
            edge.load(bundled, context=1024, prefill_backend=f"onnx:{folder}", **options)  # type: ignore[arg-type]

    other = export(write_random(tmp_path / "m.gguf", "qwen3"), tmp_path / "other")
    refused("cannot read prompts for this model: it has 2 layers, the model has 6", other)
    changed = tmp_path / "changed.gguf"
    data = bytearray(bundled.read_bytes())
    data[-64:] = bytes(64)  # of the last tensor
    changed.write_bytes(data)
    folder = export(changed, tmp_path / "changed-onnx")
    refused("it was made from a file with SHA-256", folder)
    # one whose header says nothing, and whose weights are others
    rng = np.random.default_rng(0)
    data_file = folder / "model.onnx.data"
    monkeypatch.setattr(OnnxReader, "source_hashes", None)
    weights = np.frombuffer(data_file.read_bytes(), np.uint8).copy()
    codes = slice(0, 2048 * 160)  # of the embeddings
    weights[codes] = rng.permutation(weights[codes])
    data_file.write_bytes(weights.tobytes())
    refused("probabilities differ by .* nats, at most 0.25 is rounding", folder)
    weights[len(weights) // 2 :] = 255  # scales that are not numbers
    data_file.write_bytes(weights.tobytes())
    refused("behind a text that it has read, logits are not finite", folder)


def test_what_it_cannot_do_is_refused_by_name(bundled: Path) -> None:
    for name, reason in {
        "llama": "llama shows no K and V; it must be native, onnx, npu, onnx:FOLDER or npu:FOLDER",
        "nosuch": "there are native, llama, onnx",
        "onnx:/nosuch": "there is no /nosuch; `edge export .* --to onnx -o /nosuch` makes it",
    }.items():
        with pytest.raises(RequestError, match=reason):
            edge.load(bundled, prefill_backend=name)
    with pytest.raises(RequestError, match="provider is 'nosuch'; here there are"):
        edge.load(bundled, prefill_backend="onnx", provider="nosuch")
    with pytest.raises(RequestError, match="provider is 'cpu'; the native backend has no such option"):
        edge.load(bundled, prefill_backend="native", provider="cpu")
    with pytest.raises(RequestError, match="prompts are handed over from 73 tokens on; the context is 64"):
        edge.load(bundled, prefill_backend="onnx", context=64)
    with pytest.raises(RequestError, match="prefill_backend is 'onnx'; the onnx backend has no such option"):
        edge.load(folder_of("onnx", bundled), prefill_backend="onnx")


PROFILE = """
format = 1

[device]
name = "Test"
kind = "board"
machine = "x86_64"

[[prefills]]
backend = "onnx"
provider = "cpu"
tokens = 512
tok_s = {speed}
native_tok_s = 100.0
measured = true
method = "for a test"
"""


def test_the_profile_decides_where_nobody_names_one(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("EDGE_PROFILE", str(path))
    path.write_text(PROFILE.format(speed=310.0))
    with edge.load(bundled, context=1024) as model:
        assert model.prefill is not None and "3.1 times as fast" in str(model.tuning.note)
    with edge.load(bundled, context=1024, prefill_backend="native") as model:
        assert model.prefill is None and model.tuning.note is None
    with edge.load(context=1024) as model:  # the bundled file has no folder beside it
        assert model.prefill is None and "is not used: prefill_backend is 'onnx': there is no" in str(model.tuning.note)
    path.write_text(PROFILE.format(speed=120.0))  # not enough to pay for the hand-over
    with edge.load(bundled, context=1024) as model:
        assert model.prefill is None and model.tuning.note is None


def test_what_falls_back_to_the_cpu_is_said(bundled: Path) -> None:
    pytest.importorskip("onnxruntime_qnn", reason="onnxruntime-qnn is not installed")
    provider = ["--provider", "qnn:backend_type=htp", "--context", "1024", "--max-tokens", "1"]
    command = [sys.executable, "-m", "edge", "run", str(bundled), LONG, "--prefill-backend", "onnx", *provider]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "operators run on the CPU, not on QNNExecutionProvider" in result.stderr
    assert "prompt tokens by onnx/qnn" in result.stderr
    strict = subprocess.run([*command, "--strict"], capture_output=True, text=True)
    assert strict.returncode == 4 and "does not take all of the graph" in strict.stderr


def test_command_line(bundled: Path) -> None:
    command = [sys.executable, "-m", "edge", "run", str(bundled), LONG, "--prefill-backend", "onnx"]
    command += ["--context", "1024", "--max-tokens", "8"]
    report = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert report["prefill_backend"] == "onnx/cpu" and report["usage"]["handed_tokens"] > 100
    assert report["prefill"]["kld"] < prefill_engine.MOST_KLD and report["backend"].startswith("native/")
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "prompt tokens by onnx/cpu" in said
