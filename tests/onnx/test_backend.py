"""The onnx backend: the engine's promises on its buffers, options refused by name, memory within the plan."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.backends.protocol import Batch
from edge.backends.registry import BACKENDS
from edge.engine import Engine, SamplingParams, Sequence
from edge.engine.sampler import NativeSampler
from edge.errors import DoesNotFit, ModelFileError, NumericalError, RequestError, UnsupportedModel
from edge.export.gguf_source import GGUFSource
from edge.export.onnx import OnnxOptions, Rounding
from edge.export.onnx.export import export_onnx
from edge.loading import load
from edge.references import resolve
from tests.onnx.random_models import write_random
from tests.onnx.runtime import folder_logits

if BACKENDS["onnx"].missing is not None:
    pytest.skip(str(BACKENDS["onnx"].missing), allow_module_level=True)

QUESTIONS = ("Set a timer for five minutes", "What time is it?", "Remind me to call Ann tomorrow at nine")


def export(model: Path, folder: Path, *, all_logits: bool = False, level: int = 4) -> Path:
    with GGUFSource(model) as source:
        return export_onnx(source, folder, OnnxOptions(Rounding(), level, all_logits)).path


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(resolve(None), tmp_path_factory.mktemp("onnx") / "assistant")


@pytest.fixture(scope="module")
def answers() -> list[str]:
    with load(context=640) as model:
        return [model.chat(question, max_tokens=32).text for question in QUESTIONS]


def test_the_same_answers_as_the_native_engine(bundled: Path, answers: list[str]) -> None:
    with load(bundled, context=640, sequences=3) as model:
        assert model.backend == "onnx/cpu" and model.isa is None and model.kv_type == "f32"
        assert model.config.model_type == "qwen3" and model.config.tie_word_embeddings
        streams = [model.stream_chat(question, max_tokens=32) for question in QUESTIONS]  # all at once
        assert [stream.completion().text for stream in streams] == answers
        again = model.chat(QUESTIONS[0], max_tokens=32)
        assert again.text == answers[0]
        assert again.usage.cached_tokens == again.usage.prompt_tokens - 1
        assert model.stats.blocks_used == 0


def test_seeds_grammars_and_sessions_are_the_same(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llguidance", reason="structured output needs it: pip install -e '.[grammar]'")
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with load(bundled, context=640, sequences=2) as model, load(context=640, kv_type="f32") as native:
        held = {"regex": "[a-c]{4}", "temperature": 1.0, "seed": 3}
        assert model.generate("a", **held).text == native.generate("a", **held).text  # type: ignore[arg-type]
        with model.session("notes") as session:
            first = session.chat(QUESTIONS[1], max_tokens=16)
    with load(bundled, context=640) as model:
        session = model.session("notes")
        assert session.messages[1]["content"] == first.as_message()["content"] and session.num_restored_tokens == 0
        with pytest.raises(RequestError, match="onnx backend cannot save K and V: nothing is prepared"):
            model.prepare("be brief")


def test_a_cancelled_answer_leaves_the_others_as_they_were(bundled: Path, answers: list[str]) -> None:
    with load(bundled, context=640, sequences=2) as model:
        with model.stream_chat(QUESTIONS[0], max_tokens=200, temperature=1.5, seed=1) as doomed:
            other = model.stream_chat(QUESTIONS[1], max_tokens=32)
            next(doomed)
            doomed.cancel()
            assert other.completion().text == answers[1]
            assert doomed.completion().finish_reason == "cancelled"
        assert model.chat(QUESTIONS[2], max_tokens=32).text == answers[2]


@pytest.mark.parametrize("all_logits", [False, True])
@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_any_chunk_and_any_wanted_rows(name: str, all_logits: bool, tmp_path: Path) -> None:
    """Logits are those of one run over everything, however the prompt is cut and whichever rows are wanted."""
    model = write_random(tmp_path / "m.gguf", name)
    whole = export(model, tmp_path / "whole", all_logits=True, level=0)
    folder = whole if all_logits else export(model, tmp_path / "last", level=0)
    tokens = np.random.default_rng(0).integers(0, 512, 40).tolist()
    wanted = folder_logits(whole, tokens, (40,))
    for chunk in (40, 7, 1):
        with load(folder, context=64, chunk=chunk) as loaded:
            backend, rows = loaded.step_backend, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]()
            for first in range(0, 40, chunk):
                part = tokens[first : first + chunk]
                batch = Batch(
                    token_ids=array("i", part),
                    positions=array("i", range(first, first + len(part))),
                    sequences=array("i", [0] * len(part)),
                    block_tables=array("i", [0]),
                    table_stride=1,
                    logit_rows=array("i", [i for i in range(len(part)) if (first + i) % 3 == 0]),
                )
                rows.append(np.array(backend.step(batch)).reshape(-1, 512))
        found = np.concatenate(rows)
        assert found.shape == (14, 512)
        assert np.abs(found - wanted[::3]).max() <= 1e-4 * np.abs(wanted).max()


def test_forks_go_on_from_a_copy(tmp_path: Path) -> None:
    folder = export(write_random(tmp_path / "m.gguf", "qwen3"), tmp_path / "onnx", level=0)
    with load(folder, context=128, sequences=3) as model:
        engine = Engine(model.step_backend, NativeSampler(512))
        greedy = SamplingParams(max_tokens=12, temperature=0.0)
        first = Sequence(range(50), greedy, max_length=62, seed=1, number=1)
        engine.add(first)
        for _ in range(4):
            engine.step()
        fork = engine.fork(first, number=2, length=52)
        while engine.step():
            pass
        assert len(fork.tokens) == 62 and fork.tokens[:52] == first.tokens[:52]
        assert fork.tokens[52:] == first.tokens[52:]


def one(position: int, token: int, slot: int = 0) -> Batch:
    return Batch(
        array("i", [token]), array("i", [position]), array("i", [0]), array("i", [slot]), 1, array("i", [0])
    )  # fmt: skip


def test_single_steps_of_two_slots_are_those_of_one_run(tmp_path: Path) -> None:
    """Further than the masks that are made at once, in turn, and from an earlier position again."""
    folder = export(write_random(tmp_path / "m.gguf", "llama"), tmp_path / "onnx", all_logits=True, level=0)
    tokens = np.random.default_rng(3).integers(0, 512, (2, 75)).tolist()
    whole = [folder_logits(folder, row, (75,)) for row in tokens]
    with load(folder, context=80, sequences=2) as model:
        step = model.step_backend.step
        for position in [*range(75), *range(30, 75)]:
            for slot in (0, 1):
                logits = np.array(step(one(position, tokens[slot][position], slot)))
                assert np.abs(logits - whole[slot][position]).max() <= 1e-4 * np.abs(whole[slot]).max()


def test_logits_that_are_not_finite_end_the_answer(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with load(bundled, context=640) as model:
        backend: Any = model.step_backend
        step = backend._compute

        def spoilt(slot: int, position: int, *rest: int) -> None:
            step(slot, position, *rest)
            if position == 20:
                backend._logits[0, 7] = np.nan

        monkeypatch.setattr(backend, "_compute", spoilt)
        with pytest.raises(NumericalError, match="not finite"):
            model.generate(list(range(300, 310)), max_tokens=40, temperature=0.0, stop=())
        monkeypatch.undo()
        assert len(model.generate(list(range(300, 310)), max_tokens=4, temperature=0.0, stop=()).tokens) == 4


def test_what_it_cannot_do_is_refused_by_name(bundled: Path) -> None:
    for option, value in {
        "isa": "avx2",
        "residency": "mapped",
        "no_cache": True,
        "kv_tokens": 64,
        "verify": True,
    }.items():
        with pytest.raises(RequestError, match=f"{option} is .*; the onnx backend has no such option"):
            load(bundled, **{option: value})  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="kv_type is 'q8'; the onnx backend has exported"):
        load(bundled, kv_type="q8")
    with pytest.raises(RequestError, match="provider is 'nosuch'; here there are .*cpu"):
        load(bundled, provider="nosuch")
    with pytest.raises(RequestError, match="option 'x' is not key=value"):
        load(bundled, provider="cpu:x")
    with pytest.raises(RequestError, match="provider cpu has no options, and x was given"):
        load(bundled, provider="cpu:x=1")
    with pytest.raises(RequestError, match="the llama backend runs GGUF models"):
        load(bundled, backend="llama")
    with pytest.raises(RequestError, match="context is 4096; it must be a whole number from 2 to 2048"):
        load(bundled, context=4096)
    for option, value in {"provider": "cpu", "strict": True}.items():
        with pytest.raises(RequestError, match=f"{option} is .*; the native backend has no such option"):
            load(**{option: value})  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused_with_what_would(bundled: Path) -> None:
    with pytest.raises(DoesNotFit, match=r"needs \d+ MiB with a context of 2048 .*would fit with"):
        load(bundled, sequences=64, memory="400MiB")


def test_a_file_that_changes_is_refused(tmp_path: Path, bundled: Path) -> None:
    folder = export(resolve(None), tmp_path / "onnx")
    with load(folder, context=64) as model:
        data = folder / "model.onnx.data"
        data.write_bytes(data.read_bytes()[:-64])
        with pytest.raises(ModelFileError, match="was changed while it was loaded"):
            _ = model.tokenizer
    with pytest.raises(ModelFileError, match="is bytes .* of model.onnx.data, which has"):
        load(folder)


def test_placement_is_recorded_and_strict_is_content_on_the_cpu(bundled: Path) -> None:
    with load(bundled, context=64, strict=True) as model:
        placement = model.step_backend.placement
        assert placement is not None and placement["provider"] == "CPUExecutionProvider"
        assert placement["nodes"]["CPUExecutionProvider"]["GroupQueryAttention"] == 6
        assert placement["fallback"] is None and model.weights.note is None
    with load(context=64) as native:
        assert native.step_backend.placement is None


def test_fallback_is_loud_and_strict_refuses_it(bundled: Path) -> None:
    pytest.importorskip("onnxruntime_qnn", reason="onnxruntime-qnn is not installed")
    with load(bundled, context=64, provider="qnn:backend_type=htp") as model:
        assert model.backend == "onnx/qnn"
        assert model.weights.note is not None and "GroupQueryAttention x 6" in model.weights.note
        assert model.generate("Set a timer", max_tokens=4).usage.completion_tokens == 4
    with pytest.raises(UnsupportedModel, match="strict|does not load it"):
        load(bundled, context=64, provider="qnn:backend_type=htp", strict=True)


_PEAK = """
import json, sys, edge
from edge.device import peak_memory_bytes
with edge.load(sys.argv[1], context=256, sequences=2, threads=1) as model:
    streams = [model.stream(list(range(1, 200)), max_tokens=40) for _ in range(2)]
    for stream in streams:
        stream.completion()
    print(json.dumps([peak_memory_bytes(), model.plan.total_bytes]))
"""


def test_peak_memory_is_within_the_plan(tmp_path: Path) -> None:
    folder = export(write_random(tmp_path / "m.gguf", "llama", hidden=1024, layers=8), tmp_path / "onnx")
    result = subprocess.run(
        [sys.executable, "-c", _PEAK, str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    peak, planned = json.loads(result.stdout.splitlines()[-1])
    assert 0.4 * planned < peak <= planned


def test_command_line(bundled: Path) -> None:
    command = [sys.executable, "-m", "edge", "run", str(bundled), QUESTIONS[1], "--json", "--context", "640"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    report = json.loads(result.stdout)
    assert report["backend"] == "onnx/cpu" and report["placement"]["provider"] == "CPUExecutionProvider"
    planned = edge_command("plan", str(bundled), "--json", "--context", "512")
    assert json.loads(planned.stdout)["plan"]["kv_bytes"] == 512 * 6 * 2 * 2 * 32 * 4
    assert edge_command("plan", str(bundled), "--memory", "50MB").returncode == 3
    shown = edge_command("show", str(bundled))
    assert shown.returncode == 0 and "8 bits in blocks of 32 x 31" in shown.stdout
    doctor = json.loads(edge_command("doctor", "--onnx", str(bundled), "--json").stdout)["onnx"]
    assert doctor["model"]["placement"]["fallback"] is None
    assert "CPUExecutionProvider" in {device["provider"] for device in doctor["devices"]}


def edge_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, timeout=120)


def test_export_command(tmp_path: Path) -> None:
    target = tmp_path / "made"
    made = edge_command("export", str(resolve(None)), "--to", "onnx", "--bits", "4", "-o", str(target), "--json")
    report = json.loads(made.stdout)
    assert report["weights"] == {"4 bits in blocks of 32, rounded": 2_078_720} and report["context"] == 2048
    assert sum(path.stat().st_size for path in target.iterdir()) == report["bytes"]
    again = edge_command("export", str(resolve(None)), "--to", "onnx", "-o", str(target))
    assert again.returncode == 2 and "--force replaces it" in again.stderr
    forced = edge_command("export", str(resolve(None)), "--to", "onnx", "-o", str(target), "--force")
    assert forced.returncode == 0 and "as stored: 100%" in forced.stdout and "note" not in forced.stdout
    for arguments, said in {
        ("--to", "onnx", "--quant", "Q4_K_M"): "--quant does not go with --to onnx",
        ("--to", "onnx", "--bits", "3"): "bits is 3; it must be one of 2, 4, 8",
        ("--to", "onnx", "--accuracy-level", "2"): "accuracy level is 2; it must be 0 or 4",
        ("--to", "onnx", "--context", "9999"): "context is 9999; it must be from 2 to 2048",
        ("--to", "gguf", "--bits", "4"): "--bits goes with --to onnx, not with --to gguf",
    }.items():
        refused = edge_command("export", str(resolve(None)), *arguments, "-o", str(tmp_path / "other"))
        assert refused.returncode == 2 and said in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]  # and nothing half-made
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").touch()
    kept = edge_command("export", str(resolve(None)), "--to", "onnx", "-o", str(tmp_path / "mine"), "--force")
    assert kept.returncode == 2 and "holds files that are not of an earlier export" in kept.stderr
