"""Adapters of a loaded model: who uses one, what is shared, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.adapters import Adapters
from edge.backends.adapters import LoadedAdapter
from edge.backends.sizes import engine_sizes
from edge.engine import AdapterUse, Sequence
from edge.errors import DoesNotFit, RequestError, StaleSessionFile, UnsupportedModel
from edge.formats import open_gguf
from edge.formats.adapter import open_adapter
from edge.memory import Settings, compiled_for, plan_memory
from edge.native import isa_supported
from edge.packed import CacheOptions
from tests.adapters.conftest import INVOCATION, Files
from tests.adapters.made import random_pairs, write_adapter
from tests.backends.recorder import PARAMS, Recorder

PROMPT = [(7 * i + 3) % 250 for i in range(80)]
OPTIONS: dict[str, Any] = {"temperature": 1.0, "seed": 7, "max_tokens": 12}
USES = (None, AdapterUse(0, b"a"), AdapterUse(1, b"b"), AdapterUse(0, b"a", 40), AdapterUse(2, b"c", 33))


class Adapted:
    """An engine on the model with its adapters, which keeps all logits. options: of NativeBackend."""

    def __init__(self, stack: ExitStack, files: Files, **options: Any) -> None:
        adapters = {name: stack.enter_context(open_adapter(path)) for name, path in files.adapters.items()}
        file = stack.enter_context(open_gguf(files.model))
        self.recorder = Recorder(file, adapters=adapters, num_sequences=5, **options)
        stack.callback(self.recorder.close)
        self.sequences: list[Sequence] = []  # the recorder knows them by their identity

    def add(self, use: AdapterUse | None, prompt: list[int] = PROMPT) -> Sequence:
        sequence = Sequence(prompt, PARAMS, max_length=len(prompt) + 8, seed=9, adapter=use)
        self.recorder.engine.add(sequence)
        self.sequences.append(sequence)
        return sequence

    def answer(self, use: AdapterUse | None, prompt: list[int] = PROMPT) -> tuple[list[int], list[bytes]]:
        sequence = self.add(use, prompt)
        self.recorder.run()
        return self.recorder.of(sequence)


def alone(files: Files, use: AdapterUse | None, prompt: list[int] = PROMPT, **options: Any) -> Any:
    with ExitStack() as stack:
        return Adapted(stack, files, **options).answer(use, prompt)


def test_equal_bits_in_a_batch_of_all_kinds(files: Files) -> None:
    """None, two adapters, and two that begin to act in the middle of the prompt, of which one is of the batch too."""
    wanted = [alone(files, use, isa="scalar", num_threads=1) for use in USES]
    assert len({tuple(tokens) for tokens, _ in wanted}) == len(USES)
    for isa in isa_supported():
        for chunk, num_threads in ((1, 1), (7, 2), (256, 2)):
            with ExitStack() as stack:
                adapted = Adapted(stack, files, isa=isa, chunk=chunk, num_threads=num_threads)
                sequences = [adapted.add(use) for use in USES]
                adapted.recorder.run()
                for sequence, result in zip(sequences, wanted, strict=True):
                    assert adapted.recorder.of(sequence) == result, (isa, chunk)


def test_answers_without_adapter_are_as_if_none_was_loaded(files: Files) -> None:
    plain = Files(files.model, {})
    for chunk in (1, 5, 128):
        assert alone(files, None, chunk=chunk) == alone(plain, None, chunk=chunk)


@pytest.mark.parametrize("first", USES)
def test_prefixes_are_shared_where_they_are_equal(files: Files, first: AdapterUse | None) -> None:
    """And only there: the same bits as alone, whoever filled the blocks."""
    with ExitStack() as stack:
        adapted = Adapted(stack, files)
        adapted.answer(first)
        for use in USES:
            sequence = adapted.add(use)
            adapted.recorder.run()
            assert adapted.recorder.of(sequence) == alone(files, use)
            if use is not None and use.start == 33:
                assert sequence.num_cached_tokens >= (32 if first is None or first.start else 0)


def test_layers_may_be_streamed(files: Files, tmp_path: Path) -> None:
    """The adapters' matrices stay in memory."""
    options = CacheOptions(smallest_bytes=0, folder=tmp_path)
    one_layer: Callable[[object], int] = lambda compiled: 4  # noqa: E731  # its groups of matrices
    for use in USES[:3]:
        assert alone(files, use, cache=options, admit=one_layer) == alone(files, use)


def test_a_request_chooses(files: Files) -> None:
    with edge.load(files.model, adapters=files.adapters, sequences=4) as model:
        assert model.adapters == ("terse", "kind", "judge")
        prompt = [*PROMPT, *INVOCATION, 1]
        answers = [model.generate(prompt, adapter=name, **OPTIONS).tokens for name in (None, *model.adapters)]
        assert len(set(answers)) == 4
        streams = [model.stream(prompt, adapter=name, **OPTIONS) for name in (None, *model.adapters)]
        assert [stream.completion().tokens for stream in streams] == answers
        chats = [model.chat("hello", adapter=name, **OPTIONS).tokens for name in (None, "terse")]
        assert chats[0] != chats[1]
        with model.stream_chat("hello", adapter="terse", **OPTIONS) as stream:
            assert next(stream)
            assert stream.fork(restart=True).completion().tokens != chats[1]  # with random tokens of its own
            assert stream.completion().tokens == chats[1]
    with edge.load(files.model) as model:
        assert model.adapters == ()
        assert model.generate(prompt, **OPTIONS).tokens == answers[0]


def test_cached_tokens(files: Files) -> None:
    """An adapter that is invoked goes on from the model's own blocks; the others have theirs."""
    with edge.load(files.model, adapters=files.adapters, kv_tokens=256) as model:
        prompt = [*PROMPT[:70], *INVOCATION, 5, 6]

        def cached(adapter: str | None) -> int:
            return model.generate(prompt, max_tokens=1, adapter=adapter).usage.cached_tokens

        assert [cached(name) for name in (None, "judge", "terse", "kind")] == [0, 64, 0, 0]
        assert [cached(name) for name in (None, "judge", "terse", "kind")] == [64, 64, 64, 64]


@pytest.mark.parametrize("name", ["other", "", 3, "../terse"])
def test_an_unknown_adapter_is_refused(files: Files, name: Any) -> None:
    with edge.load(files.model, adapters={"terse": files.adapters["terse"]}) as model:
        with pytest.raises(RequestError, match="must be 'terse'"):
            model.generate("x", adapter=name)
        with pytest.raises(RequestError, match="must be 'terse'"):
            model.session("s", adapter=name)
    with edge.load(files.model) as model, pytest.raises(RequestError, match="the model has none"):
        model.generate("x", adapter=name)


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b", "\n"])
def test_names_of_adapters(files: Files, name: str) -> None:
    with pytest.raises(RequestError, match="an adapter is named"):
        edge.load(files.model, adapters={name: files.adapters["terse"]})


def test_a_prompt_must_invoke(files: Files) -> None:
    with edge.load(files.model, adapters=files.adapters) as model:
        with pytest.raises(RequestError, match=r"\[33, 34, 33\], which the prompt does not hold"):
            model.generate(PROMPT[:20], adapter="judge")


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ([33, 34, 33], 0),
        ([33, 34, 33, 33, 34, 33, 34, 33, 1], 5),
        ([1, 33, 34, 33, 34], 1),
        ([33, 34], None),
        ([], None),
    ],
)
def test_where_an_invocation_begins(prompt: list[int], start: int | None) -> None:
    """At the last one, be it within another."""
    adapters = Adapters([LoadedAdapter("a", "a.gguf", "00" * 32, INVOCATION, 4, 100)])
    assert adapters.throughout("a") is None
    if start is None:
        with pytest.raises(RequestError, match="invocation"):
            adapters.use("a", prompt)
    else:
        assert adapters.use("a", prompt) == AdapterUse(0, bytes(32), start)


def test_an_adapter_of_the_embedding_is_refused(files: Files, tmp_path: Path) -> None:
    for name, shape in (("token_embd.weight", (259, 64)), ("blk.0.attn_q.weight", (64, 32))):
        path = write_adapter(tmp_path / "a.gguf", random_pairs({name: shape}))
        with pytest.raises(UnsupportedModel, match=name):
            edge.load(files.model, adapters={"a": path})


def test_what_is_invoked_by_an_unknown_token_is_refused(files: Files, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "a.gguf", random_pairs({"blk.0.attn_q.weight": (64, 64)}), invocation=[259])
    with pytest.raises(UnsupportedModel, match="invoked by token 259"):
        edge.load(files.model, adapters={"a": path})


def test_the_plan_counts_them(files: Files) -> None:
    with ExitStack() as stack, open_gguf(files.model) as file:
        adapters = tuple(stack.enter_context(open_adapter(path)) for path in files.adapters.values())
        settings = Settings(context=100, num_sequences=3, chunk=40, num_threads=2, adapters=adapters)
        plain = Settings(context=100, num_sequences=3, chunk=40, num_threads=2)
        sizes = engine_sizes(file, compiled_for(file, settings), kv_type="f16", num_threads=2)
        more = plan_memory(file, settings).total_bytes - plan_memory(file, plain).total_bytes
        assert more == sizes.adapters + sizes.program - engine_sizes(
            file, compiled_for(file, plain), kv_type="f16", num_threads=2
        ).program  # fmt: skip
    with edge.load(files.model, context=100, sequences=3, chunk=40, threads=2, adapters=files.adapters) as model:
        backend = model.native_backend
        program = backend._program  # pyright: ignore[reportPrivateUsage]
        assert program is not None and program.num_bytes == sizes.program
        assert sum(adapter.num_bytes for adapter in backend.adapters) == sizes.adapters == model.plan.adapters_bytes > 0


def test_a_load_that_does_not_fit_with_them_says_so(files: Files) -> None:
    with edge.load(files.model) as model:
        just = model.plan.total_bytes + 1
    edge.load(files.model, memory=just).close()
    with pytest.raises(DoesNotFit, match="adapters"):
        edge.load(files.model, memory=just, adapters=files.adapters)


def test_sessions_and_prepared_prompts_are_apart(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path))
    system = "Answer as a pirate would, with as many words of the sea as there are. "
    turn: dict[str, Any] = {"max_tokens": 20, "seed": 1}
    with edge.load(files.model, adapters=files.adapters) as model:
        for adapter in (None, "terse"):
            with model.session(f"with-{adapter}", adapter=adapter) as session:
                session.chat(system, **turn)
                assert session.num_kept_tokens >= 64
        assert model.prepare(system, adapter="terse").path.parent != model.prepare(system).path.parent
        with pytest.raises(RequestError, match="prepare it without"):
            model.prepare(system, adapter="judge")
        with model.session("with-terse", adapter="terse") as session:
            wanted = session.chat("and on", **turn)
    with edge.load(files.model, adapters=files.adapters) as model:
        for other in (None, "kind", "judge"):
            with pytest.raises(StaleSessionFile, match="adapter is"):
                model.session("with-terse", adapter=other)
        with model.session("with-None", adapter="judge") as session:
            assert session.num_restored_tokens >= 64  # the model's own K and V
        session = model.session("with-terse", adapter="terse")
        session.trim(2)
        found = session.chat("and on", **turn)
        assert found.tokens == wanted.tokens
        assert found.usage.cached_tokens >= 64
    with edge.load(files.model, adapters=files.adapters) as model:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "now"}]
        prepared = [
            model.chat(messages, adapter=name, **turn).usage.prepared_tokens for name in (None, "terse", "kind")
        ]
        assert prepared[0] == prepared[1] > 0 == prepared[2]
