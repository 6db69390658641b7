"""llama.cpp as a backend: the engine's promises on its sequences, options refused by name, and children that die."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.backends.llama_api import LlamaSettings
from edge.backends.llama_trial import ADVICE, COMMAND, try_model
from edge.backends.registry import BACKENDS
from edge.errors import DoesNotFit, NativeError, RequestError, UnsupportedModel
from edge.loading import load
from edge.references import resolve
from tests.conftest import WriteModel

if BACKENDS["llama"].missing is not None:
    pytest.skip(str(BACKENDS["llama"].missing), allow_module_level=True)

TINY = LlamaSettings(64, 1, 16, 1, "f16", 1, False)
QUESTIONS = ("Set a timer for five minutes", "What time is it?", "Remind me to call Ann tomorrow at nine")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def answers() -> list[str]:
    with load(context=640) as model:
        return [model.chat(question, max_tokens=32).text for question in QUESTIONS]


def test_the_same_answers_as_the_native_engine(answers: list[str]) -> None:
    with load(backend="llama", threads=1, context=640, sequences=3) as model:
        assert model.backend.startswith("llama/") and model.isa is None
        streams = [model.stream_chat(question, max_tokens=32) for question in QUESTIONS]  # all at once
        assert [stream.completion().text for stream in streams] == answers
        again = model.chat(QUESTIONS[0], max_tokens=32)
        assert again.text == answers[0]
        assert again.usage.cached_tokens == again.usage.prompt_tokens - 1
        assert model.stats.blocks_used == 0


def test_seeds_stops_grammars_and_sessions_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llguidance", reason="structured output needs it: pip install -e '.[grammar]'")
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with load(backend="llama", threads=1, context=640, sequences=2) as model:
        held = [model.generate("a", regex="[a-c]{9}", temperature=50.0, seed=3).text for _ in range(2)]
        assert re.fullmatch("[a-c]{9}", held[0]) and held[0] == held[1]
        assert model.generate("a", regex="[a-c]{9}", temperature=50.0, seed=4).text != held[0]
        assert "b" not in model.generate("a", regex="[a-c]{9}", stop=["b"], temperature=50.0, seed=3).text
        with model.session("notes") as session:
            first = session.chat(QUESTIONS[1], max_tokens=16)
            assert 0 < len(session.tokens) - session.num_kept_tokens <= 2  # of the answer's end nothing is computed
    with load(backend="llama", threads=1, context=640) as model:
        session = model.session("notes")
        assert session.messages[1]["content"] == first.as_message()["content"] and session.num_restored_tokens == 0
        with pytest.raises(RequestError, match="llama backend cannot save K and V: nothing is prepared"):
            model.prepare("be brief")
    with load(context=640) as native, pytest.raises(edge.EdgeError, match="f16 of llama in the file, f16 of the model"):
        native.session("notes")


def test_a_cancelled_answer_leaves_the_others_as_they_were(answers: list[str]) -> None:
    with load(backend="llama", threads=1, context=640, sequences=2) as model:
        with model.stream_chat(QUESTIONS[0], max_tokens=200, temperature=1.5, seed=1) as doomed:
            other = model.stream_chat(QUESTIONS[1], max_tokens=32)
            next(doomed)
            doomed.cancel()
            assert other.completion().text == answers[1]
            assert doomed.completion().finish_reason == "cancelled"
        assert model.chat(QUESTIONS[2], max_tokens=32).text == answers[2]


def test_mapped_weights_and_q8_kv_work(answers: list[str]) -> None:
    with load(backend="llama", threads=1, context=640, residency="mapped", kv_type="q8") as model:
        assert model.weights.residency == "mapped" and model.kv_type == "q8"
        assert model.chat(QUESTIONS[0], max_tokens=32).text == answers[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"isa": "avx2"}, "isa is 'avx2'; the llama backend has no such option"),
        ({"kv_tokens": 100}, "kv_tokens is 100; the llama backend has no such option"),
        ({"no_cache": True}, "no_cache is True; the llama backend has no such option"),
        ({"verify": True}, "verify is True; the llama backend has no such option"),
        ({"kv_type": "q4"}, "kv_type is 'q4'; the llama backend has f16, q8, f32"),
        ({"residency": "streamed"}, "residency is 'streamed'; the llama backend has owned and mapped"),
        ({"context": 10**6}, "context is 1000000; it must be a whole number from 2 to"),
        ({"sequences": 300}, "sequences is 300; it must be a whole number from 1 to 256"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load(backend="llama", **options)  # type: ignore[arg-type]


def test_unknown_backends_and_the_wrong_kind_of_file() -> None:
    with pytest.raises(RequestError, match="backend is 'vulkan'; there are native, llama"):
        load(backend="vulkan")


def test_what_does_not_fit_is_refused_with_what_would(tmp_path: Path, write_model: WriteModel) -> None:
    path = write_model(tmp_path / "long.gguf", context=8192, layers=16)
    with load(path, backend="llama", threads=1, context=256) as model:
        needed = model.plan.total_bytes
    with pytest.raises(DoesNotFit, match=r"needs \d+ MiB with a context of 8192 .* it would fit with context \d+"):
        load(path, backend="llama", threads=1, context=8192, memory=needed + 2**20)


def test_auto_takes_llama_for_what_the_native_engine_does_not_know_and_says_so(
    tmp_path: Path, write_model: WriteModel
) -> None:
    with load(backend="auto", context=256) as model:
        assert model.backend.startswith("native/") and model.tuning.note is None
    path = write_model(tmp_path / "other.gguf", architecture="internlm2")
    with pytest.raises(UnsupportedModel, match="internlm2"):
        load(path)
    with load(path, backend="auto", threads=1) as model:
        assert model.backend.startswith("llama/")
        assert "the native backend cannot run this model: " in str(model.tuning.note)
        assert len(model.chat("hello", max_tokens=5).tokens) == 5 and "internlm2" in repr(model)


def test_the_plan_holds(tmp_path: Path, write_model: WriteModel) -> None:
    """In a process of its own, with the context filled: the peak lies below the plan, and not far below."""
    path = write_model(tmp_path / "long.gguf", context=8192, layers=16)
    program = (
        "import sys, edge\nfrom edge import device\n"
        "m = edge.load(sys.argv[1], backend='llama', threads=1, context=2048, sequences=2)\n"
        "m.generate([5] * 2000, max_tokens=2); m.generate([7] * 2000, max_tokens=2)\n"
        "print(m.plan.total_bytes, device.peak_memory_bytes())"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
    plan, peak = map(int, done.stdout.split())
    assert peak <= plan + 8 * 2**20
    assert peak >= plan - max(24 * 2**20, plan // 20)


@pytest.mark.parametrize("name", ["SIGILL", "SIGSEGV", "SIGABRT"])
def test_a_build_that_dies_is_an_error_with_advice(name: str) -> None:
    dying = (sys.executable, "-c", f"import os, signal; os.kill(os.getpid(), signal.{name})")
    with pytest.raises(NativeError, match=f"llama.cpp dies of {name} .*AMX") as caught:
        try_model(resolve(None), TINY, resolve(None), None, dying)
    assert ADVICE in str(caught.value)


def test_a_file_that_kills_llama_cpp_is_told_from_a_build_that_dies(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF")
    program = "import os, signal, sys\nif 'bad.gguf' in sys.argv[1]: os.kill(os.getpid(), signal.SIGSEGV)"
    with pytest.raises(UnsupportedModel, match="bad.gguf: llama.cpp dies of SIGSEGV when it runs this file"):
        try_model(bad, TINY, resolve(None), None, (sys.executable, "-c", program))


def test_a_refused_file_says_what_llama_cpp_says(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(resolve(None).read_bytes()[:40_000])
    with pytest.raises(UnsupportedModel, match="llama.cpp does not load"):
        try_model(bad, TINY, resolve(None), None)


def test_a_success_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(resolve(None).read_bytes())
    try_model(model, TINY, resolve(None), tmp_path / "cache", COMMAND)
    must_not_run = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    try_model(model, TINY, resolve(None), tmp_path / "cache", must_not_run)
    os.utime(model, ns=(1, 1))
    with pytest.raises(edge.EdgeError, match=signal.Signals.SIGKILL.name):
        try_model(model, TINY, resolve(None), tmp_path / "cache", must_not_run)


def test_nothing_is_printed(tmp_path: Path) -> None:
    program = "import edge\nedge.load(backend='llama', threads=1, context=256).generate('hello', max_tokens=2)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
