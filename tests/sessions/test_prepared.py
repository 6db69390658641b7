"""Prompts read ahead: found by their tokens, used by every later prompt that begins with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.errors import RequestError
from tests.sessions.conftest import LOGIT_BIAS

SYSTEM = "You answer in a few words, and never say more than is needed to answer what was asked."
TOOLS = [{"name": "water_plants", "description": "water the plants"}]
OPTIONS: dict[str, Any] = {"max_tokens": 8, "logit_bias": LOGIT_BIAS}


def asked(model: edge.Model, question: str, system: str = SYSTEM, tools: Any = None) -> edge.Completion:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return model.chat(messages, tools=tools, **OPTIONS)


def test_every_later_run_begins_there(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model:
        wanted = asked(model, "why?", tools=TOOLS)
        assert wanted.usage.prepared_tokens == wanted.usage.cached_tokens == 0
    with edge.load(model_file) as model:
        prepared = model.prepare(SYSTEM, tools=TOOLS)
        assert prepared.path.parent.parent == folder / "prepared"
        text = f"water_plants\nsystem: {SYSTEM}\nuser: "
        assert prepared.num_prompt_tokens == len(text) and prepared.num_tokens == len(text) // 32 * 32
    with edge.load(model_file) as model:
        found = asked(model, "why?", tools=TOOLS)
        assert found.tokens == wanted.tokens
        assert found.usage.prepared_tokens == found.usage.cached_tokens == prepared.num_tokens
        again = asked(model, "how?", tools=TOOLS)  # from memory
        assert again.usage.prepared_tokens == 0 and again.usage.cached_tokens == prepared.num_tokens
        assert asked(model, "why?").usage.prepared_tokens == 0  # without tools it is another prompt
    with edge.load(model_file, kv_type="q8") as model:
        assert asked(model, "why?", tools=TOOLS).usage.prepared_tokens == 0
        assert model.prepared_note is None


def test_the_longest_is_used_and_sessions_use_it_too(model_file: Path, folder: Path) -> None:
    long = SYSTEM + " " + "Be kind. " * 8
    with edge.load(model_file) as model:
        short_one, long_one = model.prepare(SYSTEM), model.prepare(long)
        assert short_one.num_tokens < long_one.num_tokens
    with edge.load(model_file) as model:
        assert asked(model, "why?", long).usage.prepared_tokens == long_one.num_tokens
    with edge.load(model_file) as model:
        asked(model, "why?")
        more = asked(model, "why?", long).usage  # what is in memory is not read again
        assert more.cached_tokens == long_one.num_tokens
        assert 0 < more.prepared_tokens < long_one.num_tokens
    with edge.load(model_file) as model, model.session("a") as session:
        told = session.chat([{"role": "system", "content": long}, {"role": "user", "content": "why?"}], **OPTIONS)
        assert told.usage.prepared_tokens == long_one.num_tokens


def test_raw_prompts(model_file: Path, folder: Path) -> None:
    text = "once upon a time there was a garden behind a house by the sea"
    with edge.load(model_file) as model:
        assert model.prepare(text, raw=True).num_tokens == 32
    with edge.load(model_file) as model:
        assert model.generate(text + ", and", **OPTIONS).usage.prepared_tokens == 32
        assert model.generate("o" + text, **OPTIONS).usage.prepared_tokens == 0


def test_a_bad_file_is_left_alone_and_said(model_file: Path, folder: Path) -> None:
    with edge.load(model_file) as model:
        wanted = asked(model, "why?").tokens
        path = model.prepare(SYSTEM).path
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[-100] ^= 1
    for bad, said in ((bytes(damaged), "CRC-32"), (content[:-1], "is no footer"), (b"", "has 0 bytes")):
        path.write_bytes(bad)
        with edge.load(model_file) as model:
            found = asked(model, "why?")
            assert found.tokens == wanted and found.usage.prepared_tokens == 0
            assert model.prepared_note is not None
            assert said in model.prepared_note and str(path) in model.prepared_note
        assert path.read_bytes() == bad
    other = path.with_name("0" * 32 + ".edge-prepared")
    other.write_bytes(content)
    path.unlink()
    with edge.load(model_file) as model:
        assert asked(model, "why?").usage.prepared_tokens == 0  # found by its name, which is wrong
        assert model.prepared_note is None


def test_a_name_that_lies_is_refused(model_file: Path, folder: Path) -> None:
    """K and V of other tokens under the name of these."""
    with edge.load(model_file) as model:
        wanted = asked(model, "why?").tokens
        right, wrong = model.prepare(SYSTEM), model.prepare(SYSTEM.upper())
    wrong.path.replace(right.path)
    with edge.load(model_file) as model:
        found = asked(model, "why?")
        assert found.tokens == wanted and found.usage.cached_tokens == 0
        assert model.prepared_note is not None and "other tokens than its name says" in model.prepared_note


def test_what_cannot_be_prepared(
    model_file: Path, bare_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, write_model: Callable[..., Path]
) -> None:
    with edge.load(model_file) as model:
        with pytest.raises(RequestError, match="has 5 tokens, it takes 32 or more"):
            model.prepare("short", raw=True)
        with pytest.raises(RequestError, match="raw uses none"):
            model.prepare("short", raw=True, tools=TOOLS)
    with edge.load(bare_model) as model, pytest.raises(RequestError, match="no chat template"):
        model.prepare(SYSTEM)
    monkeypatch.delenv("EDGE_SESSIONS_DIR")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("HOME")
    with edge.load(model_file) as model, pytest.raises(RequestError, match="EDGE_SESSIONS_DIR"):
        model.prepare(SYSTEM)
