"""A model with windows from end to end: its answers are the reference's, and it keeps its windows and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.graph.reference import Reference
from edge.memory import Settings, plan_memory
from edge.memory.plan import compiled_for
from edge.models import build
from tests.models.tiny import F32, provider, random_tensors, tensor_shapes, tiny_config, write_gguf

WINDOW, CONTEXT = 40, 512
PROMPT = [(37 * i * i + 5 * i + 11) % 90 + 3 for i in range(200)]


def files(tmp_path: Path, arch: str) -> tuple[Path, ModelConfig, dict[str, F32]]:
    changes = {"sliding_window": WINDOW, "max_position_embeddings": CONTEXT, "num_hidden_layers": 4}
    config = tiny_config(arch, **changes)
    tensors = random_tensors(tensor_shapes(config), seed=4)
    path = tmp_path / f"{arch}.gguf"
    write_gguf(path, config, tensors, template="{% for m in messages %}{{ m['content'] }}|{% endfor %}")
    return path, config, tensors


def expected(config: ModelConfig, tensors: dict[str, F32], prompt: list[int], count: int) -> list[int]:
    """Greedy, in the engine's arithmetic over the whole of K and V."""
    model = Reference(build(config, tensor_shapes(config)), provider(tensors), mode="engine", kv_type="f16")
    tokens, answer = list(prompt), list[int]()
    logits = model.step(tokens, logit_rows=[len(tokens) - 1])
    for _ in range(count):
        answer.append(1 + int(np.argmax(logits[-1, 1:])))
        logits = model.step([answer[-1]], [len(tokens) + len(answer) - 1])
    return answer


def answer(model: edge.Model, prompt: list[int], count: int) -> edge.Completion:
    return model.generate(prompt, max_tokens=count, temperature=0.0, logit_bias={0: -1e4})  # no end


@pytest.mark.parametrize("arch", ["llama", "gemma3", "phi3"])
def test_answers_and_prefixes(arch: str, tmp_path: Path) -> None:
    path, config, tensors = files(tmp_path, arch)
    with edge.load(path, context=CONTEXT, sequences=1, chunk=32, threads=2) as model:
        assert model.native_backend.limits.num_window_blocks < model.native_backend.limits.num_blocks
        first = answer(model, PROMPT, 12)
        assert list(first.tokens) == expected(config, tensors, PROMPT, 12)
        longer = [*PROMPT, *first.tokens, 5, 6, 7]
        again = answer(model, longer, 6)
        assert list(again.tokens) == expected(config, tensors, longer, 6)
        assert again.usage.cached_tokens == len(PROMPT) // 32 * 32
        answer(model, [*PROMPT[:100], *range(4, 90), *range(4, 90)], 60)  # pushes the windows of the others out
        third = answer(model, longer, 6)
        assert list(third.tokens) == list(again.tokens)
        assert third.usage.cached_tokens == 0


def test_the_plan_counts_windows(tmp_path: Path) -> None:
    """Of phi3 all layers have one, of gemma3 every second here; of the same shape without, K and V of all positions."""
    bytes_of: dict[str, int] = {}
    for arch in ("phi3", "gemma3"):
        path, _, _ = files(tmp_path, arch)
        with open_gguf(path) as file:
            bytes_of[arch] = plan_memory(file, Settings(context=CONTEXT, chunk=32)).kv_bytes
    layer = 2 * 2 * 16 * 32 * 2  # K and V, heads, head_dim, positions of a block, bytes of a half
    blocks, places = CONTEXT // 32, 2 * ((WINDOW - 1) // 32 + 3) + 1
    assert places < blocks
    assert bytes_of == {"phi3": 4 * layer * places, "gemma3": 2 * layer * (blocks + places)}


def test_a_session_keeps_its_tokens_but_no_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _, _ = files(tmp_path, "gemma3")
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    with edge.load(path, context=CONTEXT, chunk=32) as model:
        with pytest.raises(edge.RequestError, match="see a window"):
            model.prepare("abcdefghijklmnopqrstuvwxyz" * 4, raw=True)
        with model.session("talk") as session:
            first = session.chat("tell-me-something" * 4, max_tokens=40, temperature=0.0)
    with edge.load(path, context=CONTEXT, chunk=32) as model:
        session = model.session("talk")
        assert session.num_restored_tokens == 0 and session.tokens
        assert session.messages[-1]["content"] == first.text
        again = session.chat("and-more", max_tokens=8, temperature=0.0)
        assert again.usage.cached_tokens == 0


@pytest.mark.parametrize("count", [4, 300])
def test_what_is_taken_back_goes_on_from_where_the_windows_are(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a short answer the window of the place before is still there; behind a long one the beginning is computed
    again, and said."""
    path, _, _ = files(tmp_path, "gemma3")
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    options: dict[str, Any] = {"temperature": 0.0, "logit_bias": {0: -1e4}}
    first, wrong, right = "tell-me-something" * 6, "this-was-a-mistake", "and-this-is-meant"
    with edge.load(path, context=CONTEXT, chunk=32, sequences=1) as model, model.session("talk") as session:
        session.chat(first, max_tokens=8, **options)
        before = len(session.tokens)
        session.chat(wrong, max_tokens=count, **options)
        session.trim(2)
        answer = session.chat(right, max_tokens=12, **options)
        messages = list(session.messages)
    with edge.load(path, context=CONTEXT, chunk=32, sequences=1) as fresh:
        expected = fresh.chat(messages[:-1], max_tokens=12, **options)
    assert answer.text == expected.text
    found = answer.usage.cached_tokens
    assert found % 32 == 0 and found <= before
    assert found > WINDOW if count == 4 else found == 0


def test_the_work_of_a_step_counts_what_layers_see(tmp_path: Path) -> None:
    """gemma3 here: two of four layers with a window; a prediction reads no K and V behind it."""
    path, _, _ = files(tmp_path, "gemma3")
    with open_gguf(path) as file:
        work = compiled_for(file, Settings(context=CONTEXT)).work
    assert (work.num_layers, work.num_window_layers, work.window) == (4, 2, WINDOW)
    assert [work.seen(depth) for depth in (0, WINDOW, WINDOW + 100)] == [0, WINDOW, WINDOW + 50]
