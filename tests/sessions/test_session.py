"""Conversations that go on after a restart, as if they had never stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.errors import BadSessionFile, DoesNotFit, RequestError, SessionFileError, StaleSessionFile
from edge.sessions import SavedFile
from tests.sessions.conftest import LOGIT_BIAS

QUESTIONS = ("tell me about the garden and the house", "and about the sea", "what else is there to say")
OPTIONS: dict[str, Any] = {"max_tokens": 40, "logit_bias": LOGIT_BIAS}


def answers(session: edge.Session, questions: tuple[str, ...], **options: Any) -> list[edge.Completion]:
    return [session.chat(question, **(OPTIONS | options)) for question in questions]


def facts(completion: edge.Completion) -> tuple[object, ...]:
    return completion.text, completion.tokens, completion.usage, completion.seed


@pytest.mark.parametrize("kv_type", ["f16", "q8", "f32"])
@pytest.mark.parametrize("temperature", [0.0, 1.2])
def test_continuation_is_the_same_as_never_having_stopped(
    model_file: Path, folder: Path, kv_type: str, temperature: float
) -> None:
    chosen = {"temperature": temperature, "seed": 5}
    with edge.load(model_file, kv_type=kv_type) as model:
        whole = answers(model.session("whole"), QUESTIONS, **chosen)
    for question, wanted in zip(QUESTIONS, whole, strict=True):
        with edge.load(model_file, kv_type=kv_type) as model, model.session("parts") as session:
            (found,) = answers(session, (question,), **chosen)
            assert facts(found) == facts(wanted)
            kept = len(session.tokens) - 1  # nothing read the last one yet
            assert session.num_kept_tokens == kept - kept % 32
    assert whole[-1].usage.cached_tokens >= 128


def test_restored_kv_is_the_same_bits(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model, model.session("a") as session:
        answers(session, QUESTIONS[:2])
        first = session.save().read_bytes()
    with edge.load(model_file) as model:
        session = model.session("a")
        with SavedFile(session.path) as saved:
            assert session.num_restored_tokens == saved.contents.num_kept_tokens > 0
        session.save()
    data = np.frombuffer(first, np.uint8), np.frombuffer(session.path.read_bytes(), np.uint8)
    start = len(first) - 64 - session.num_restored_tokens * 2 * 2 * 2 * 16 * 2  # K and V, layers, heads, dims, bytes
    assert start % 4096 == 0 and np.array_equal(data[0][start:-64], data[1][start:-64])


def test_a_changed_bit_of_kv_would_change_the_answer(model_file: Path, folder: Path) -> None:
    """The test above can fail: K and V of the file are what the model goes on from."""
    with edge.load(model_file) as model, model.session("a") as session:
        answers(session, QUESTIONS[:1])
    with edge.load(model_file) as model:
        wanted = answers(model.session("a"), QUESTIONS[1:2])[0]
    with edge.load(model_file) as model:
        session = model.session("a")
        backend, blocks = model.native_backend, model._engine.blocks  # pyright: ignore[reportPrivateUsage]
        for block in blocks.find(model._kept.store().keys(session.tokens)):  # pyright: ignore[reportPrivateUsage]
            backend.write_block(block, bytes(len(backend.read_block(block))))
        found = answers(session, QUESTIONS[1:2])[0]
    assert found.usage == wanted.usage and found.text != wanted.text


def test_a_session_has_messages_tools_and_a_system_prompt(model_file: Path, folder: Path) -> None:
    tools = [{"name": "water_plants", "description": "water the plants"}]
    with edge.load(model_file) as model:
        with model.session("a") as session:
            session.chat(
                [{"role": "system", "content": "short"}, {"role": "user", "content": "hi"}], tools=tools, **OPTIONS
            )
            said = session.messages
        assert [message["role"] for message in said] == ["system", "user", "assistant"]
        again = model.session("a")
        assert again.messages == said and again.tools == tuple(tools) and again.name == "a"
        told = again.chat("more", **OPTIONS)
        plain = model.chat([*said, {"role": "user", "content": "more"}], tools=tools, **OPTIONS)
        assert told.tokens == plain.tokens and told.usage.prompt_tokens == plain.usage.prompt_tokens


def test_only_answers_that_were_read_to_the_end_belong_to_it(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model, model.session("a") as session:
        with session.stream_chat("first", **OPTIONS) as stream:
            next(stream)
        assert list(session.messages) == []
        dropped = session.stream_chat("second", **OPTIONS)
        next(dropped)
        kept = session.chat("third", **OPTIONS)
        dropped.completion()  # answered, but asked before the third
        assert [message["content"] for message in session.messages] == ["third", kept.text]
        with session.stream_chat("fourth", **OPTIONS) as stream:
            next(stream)
            stream.cancel()
            stream.completion()  # ended early, and read to its end
        assert len(session.messages) == 4
        with pytest.raises(DoesNotFit):
            session.chat("x" * 600)
        assert len(session.messages) == 4


def test_trim_and_fork(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model:
        with model.session("a") as session:
            first = answers(session, QUESTIONS)
            with session.fork("b") as fork:
                fork.trim(2)
                assert len(fork.messages) == 2
                second = answers(fork, QUESTIONS[1:])
                with pytest.raises(RequestError, match="trim to 7 messages; the session has 6"):
                    fork.trim(7)
            assert [a.text for a in second] == [a.text for a in first[1:]]
            assert second[0].usage.cached_tokens > 64
            with pytest.raises(RequestError, match="there is a session 'b' already"):
                session.fork("b")
        assert [model.session(name).messages for name in "ab"] == [session.messages] * 2


def test_nothing_new_is_not_written(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model:
        with model.session("a"):
            pass
        assert not folder.exists()
        with model.session("a") as session:
            answers(session, QUESTIONS[:1])
        before = session.path.stat()
        with model.session("a"):
            pass
        assert session.path.stat() == before


def test_a_path_is_a_file_of_the_users_and_a_name_is_not(model_file: Path, folder: Path, tmp_path: Path) -> None:
    with edge.load(model_file) as model:
        with model.session(tmp_path / "mine" / "talk.session") as session:
            answers(session, QUESTIONS[:1])
        assert (tmp_path / "mine" / "talk.session").is_file() and not folder.exists()
        for name in ("", ".", "..", "a/b", "/a", "../a", "a\0", ".a", "-a", "@a", "a" * 65, "ä", "a b", "a\n"):
            with pytest.raises(RequestError, match="session name"):
                model.session(name)


@pytest.mark.parametrize(("option", "fragments"), [({"kv_type": "q8"}, ("kv_type", "f16", "q8"))])
def test_other_settings_are_refused_and_recomputed_only_when_asked(
    model_file: Path, folder: Path, option: dict[str, Any], fragments: tuple[str, ...]
) -> None:
    with edge.load(model_file) as model, model.session("a") as session:
        answers(session, QUESTIONS[:1])
    with edge.load(model_file, **option) as model:
        with pytest.raises(StaleSessionFile) as caught:
            model.session("a")
        for fragment in (str(session.path), *fragments, "--recompute"):
            assert fragment in str(caught.value)
        again = model.session("a", recompute=True)
        assert again.messages == session.messages and again.num_restored_tokens == 0
        assert again.note is not None and fragments[0] in again.note
        wanted = model.chat([*session.messages, {"role": "user", "content": QUESTIONS[1]}], **OPTIONS)
        assert answers(again, QUESTIONS[1:2])[0].tokens == wanted.tokens


def test_another_file_with_an_equal_header_is_another_model(
    tmp_path: Path, folder: Path, write_model: Callable[..., Path]
) -> None:
    paths = [write_model(tmp_path / f"{seed}.gguf", context=512, seed=seed) for seed in (0, 1)]
    assert paths[0].stat().st_size == paths[1].stat().st_size
    with edge.load(paths[0]) as model, model.session("a") as session:
        answers(session, QUESTIONS[:1])
    with (
        edge.load(paths[1]) as model,
        pytest.raises(StaleSessionFile, match="model_sha256 is [0-9a-f]{64} in the file"),
    ):
        model.session("a")
    copied = tmp_path / "elsewhere.gguf"
    copied.write_bytes(paths[0].read_bytes())
    with edge.load(copied) as model:
        assert model.session("a").num_restored_tokens > 0


def test_damaged_kv_is_refused_and_the_messages_can_be_kept(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model, model.session("a") as session:
        answers(session, QUESTIONS[:1])
    content = bytearray(session.path.read_bytes())
    content[-100] ^= 1
    session.path.write_bytes(content)
    with edge.load(model_file) as model:
        with pytest.raises(BadSessionFile, match="of block 1 have CRC-32"):
            model.session("a")
        again = model.session("a", recompute=True)
        assert again.messages == session.messages and again.note is not None and "CRC-32" in again.note
    content[100] ^= 1
    session.path.write_bytes(content)
    with edge.load(model_file) as model, pytest.raises(BadSessionFile, match="checksum of header"):
        model.session("a", recompute=True)  # no message can be trusted


def test_memory_that_others_need_is_given_up_and_said(model_file: Path, folder: Path) -> None:
    """A session holds no block: no request waits for one that is idle."""
    with edge.load(model_file, context=256) as model:
        with model.session("a") as session:
            answers(session, QUESTIONS[:2])
        kept = session.num_kept_tokens
        assert kept > 64
        other = model.generate("z" * 200, max_tokens=50)  # nearly all of the 8 blocks
        assert other.usage.completion_tokens > 0
        assert session.num_kept_tokens < kept
        found = session.chat("more", max_tokens=4)
        assert found.usage.cached_tokens < kept


def test_restoring_takes_nothing_from_sequences_that_run(model_file: Path, folder: Path) -> None:
    with edge.load(model_file, context=256) as model, model.session("a") as session:
        answers(session, QUESTIONS[:2])
    with edge.load(model_file, context=256) as model:
        wanted = model.generate("y" * 150, max_tokens=90).tokens
    with edge.load(model_file, context=256) as model:
        with model.stream("y" * 150, max_tokens=90) as stream:  # promised 8 of 8 blocks, and has taken some
            next(stream)
            restored = model.session("a").num_restored_tokens
            assert 0 < restored < len(session.tokens) // 32 * 32
            assert stream.completion().tokens == wanted
        blocks = model._engine.blocks  # pyright: ignore[reportPrivateUsage]
        assert blocks.num_free == blocks.num_blocks


def test_errors_of_the_folder_name_it(model_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_text("a file")
    with edge.load(model_file) as model:
        session = model.session("a")
        answers(session, QUESTIONS[:1])
        with pytest.raises(SessionFileError, match=r"a\.edge-session: cannot be written"):
            session.close()
    monkeypatch.delenv("EDGE_SESSIONS_DIR")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("HOME")
    with edge.load(model_file) as model, pytest.raises(RequestError, match="EDGE_SESSIONS_DIR"):
        model.session("a")


def test_what_cannot_be_kept_is_said(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model:
        session = model.session("a")
        session.chat({"role": "user", "content": "hi", "extra": math.nan}, **OPTIONS)
        with pytest.raises(RequestError, match="messages cannot be saved: Out of range float"):
            session.save()
        session = model.session("b")
        session.chat({"role": "user", "content": "hi", "extra": ["x" * 100] * 45_000}, **OPTIONS)
        with pytest.raises(RequestError, match="a session holds at most 4194304"):
            session.save()
