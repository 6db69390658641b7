"""Layers that are read from the packed file for every step: equal answers, and files that go away under them."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import pytest

from edge import native
from edge.backends import Batch
from edge.backends.native import NativeBackend
from edge.backends.token_rows import TILE_ROWS
from edge.errors import DoesNotFit, ModelFileError, NativeError
from edge.memory import Settings, compiled_for
from tests.conftest import WriteModel
from tests.packed.models import Answer, Loaded, answer

LAYERS = 6  # three times the buffers
PROMPTS = ((1, 2, 3, 40, 50), tuple(range(200)))  # a step of few tokens; a chunk and the rest of the prompt


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> Path:
    return write_model(tmp_path_factory.mktemp("deep") / "deep.gguf", layers=LAYERS)


@pytest.fixture(scope="module")
def expected(deep: Path) -> list[Answer]:
    with Loaded(deep, enabled=False) as loaded:
        return [loaded.answer(prompt) for prompt in PROMPTS]


@pytest.fixture
def file(deep: Path) -> Path:
    """The packed file; there is none yet."""
    path = deep.with_name("deep.gguf.edge-packed")
    path.unlink(missing_ok=True)
    return path


def same(loaded: Loaded, expected: list[Answer]) -> bool:
    found = [loaded.answer(prompt) for prompt in PROMPTS]
    return [(a.tokens, a.logits) for a in found] == [(a.tokens, a.logits) for a in expected]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("streamed", [1, 2, 3, 5, 6])
def test_the_answers_are_those_of_resident_weights(
    deep: Path, file: Path, expected: list[Answer], streamed: int, threads: int
) -> None:
    for note in (f"packed into {file}", None):  # the load that packs, and the next
        with Loaded(deep, streamed=streamed, threads=threads) as loaded:
            assert same(loaded, expected) and same(loaded, expected)
            info = loaded.backend.weights
            assert (info.residency, info.streamed_layers, info.path) == ("streamed", streamed, str(file))
            assert info.streamed_bytes * (LAYERS + 1) > info.packed_bytes * streamed * 0.7
            assert info.note is None if note is None else note in str(info.note)
            assert f"the last {streamed} layers" in str(info.streaming_note)


def step(backend: NativeBackend, tokens: list[int]) -> None:
    count = range(len(tokens))
    zeros = array("i", [0] * len(tokens))
    table = array("i", range(backend.limits.num_blocks))
    backend.step(Batch(array("i", tokens), array("i", count), zeros, table, len(table), array("i", [0])))


CHUNK = 4  # tokens, whose tile rows are fewer than the embedding has


def test_rows_of_the_embedding_are_read_as_they_are_needed(deep: Path, file: Path, expected: list[Answer]) -> None:
    with Loaded(deep, streamed=2, chunk=CHUNK, threads=2) as loaded:
        assert same(loaded, expected) and same(loaded, expected)
        vocab_size = loaded.backend.limits.vocab_size
        program = compiled_for(loaded.file, Settings()).program
        at = [ref.name for ref in program.weights].index("token_embd.weight")
        embedding = loaded.backend.weights_of(program)[at]
        assert embedding.rows == TILE_ROWS * CHUNK < vocab_size
        for token in (-1, vocab_size, 2**31 - 1):
            with pytest.raises(NativeError, match=f"token 1: id {token} is not in 0 .. {vocab_size - 1}"):
                step(loaded.backend, [1, token])
        with pytest.raises(NativeError, match=f"num_tokens {CHUNK + 1} is not in 1 .. {CHUNK}"):
            step(loaded.backend, [1] * (CHUNK + 1))
        assert same(loaded, expected)


def test_reads_through_the_page_cache_are_said(
    deep: Path, file: Path, expected: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Buffered(native.Stream):
        def __init__(self, file: native.Region, descriptor: int, spans: list[tuple[int, int]], num_slots: int) -> None:
            super().__init__(file, descriptor, spans, num_slots=num_slots, buffered=True)

    with Loaded(deep, streamed=4) as loaded:
        assert same(loaded, expected)
        direct = loaded.backend.weights.direct
        assert ("refuses direct reads" in str(loaded.backend.weights.streaming_note)) == (not direct)
    monkeypatch.setattr(native, "Stream", Buffered)
    with Loaded(deep, streamed=4) as loaded:
        assert same(loaded, expected)
        assert loaded.backend.weights.direct is False
        assert "refuses direct reads" in str(loaded.backend.weights.streaming_note)


@pytest.mark.parametrize("chunk", [CHUNK, 128])
@pytest.mark.parametrize("keep", [0, 2**21, 2**21 + 70000, -1])
def test_a_file_that_is_cut(deep: Path, file: Path, expected: list[Answer], keep: int, chunk: int) -> None:
    with Loaded(deep, streamed=4, threads=2, chunk=chunk) as loaded, Loaded(deep, enabled=False) as other:
        assert same(loaded, expected)
        os.truncate(file, keep if keep >= 0 else file.stat().st_size + keep)
        for _ in range(3):
            with pytest.raises(ModelFileError, match="became shorter while the model was in use") as caught:
                loaded.answer()
            assert caught.value.path == str(file)
            loaded.engine.cancel()
            loaded.engine.step()
        assert same(other, expected)


def test_a_file_may_be_removed_or_replaced(deep: Path, file: Path, expected: list[Answer]) -> None:
    with Loaded(deep, streamed=4) as loaded:
        file.unlink()
        assert same(loaded, expected)
        file.write_bytes(b"something else")
        assert same(loaded, expected)


def test_a_disk_that_fails_is_an_error_that_names_the_file(
    deep: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **keywords: object) -> None:
        raise NativeError("step: byte 4096 of the streamed weights cannot be read: error 5")

    with Loaded(deep, streamed=4) as loaded:
        monkeypatch.setattr(native.Stream, "failure", "byte 4096 cannot be read: Input/output error")
        monkeypatch.setattr(native.Program, "step", fail)
        with pytest.raises(ModelFileError, match="byte 4096 cannot be read: Input/output error, while") as caught:
            loaded.answer()
        assert caught.value.path == str(file)
        assert isinstance(caught.value.__cause__, NativeError)


def test_streaming_needs_a_packed_file(deep: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="layers are streamed from a packed file, which no_cache forbids"):
        Loaded(deep, streamed=4, enabled=False)
    (tmp_path / "no-folder").write_text("a file")
    with pytest.raises(DoesNotFit, match="layers are streamed from a packed file: .*no-folder.*: Not a directory"):
        Loaded(deep, streamed=4, folder=tmp_path / "no-folder")
    assert not file.exists()


def test_a_damaged_file_is_found_and_made_again(deep: Path, file: Path, expected: list[Answer]) -> None:
    answer(deep, streamed=4)
    content = bytearray(file.read_bytes())
    content[-5000] ^= 1
    file.write_bytes(content)
    with Loaded(deep, streamed=4, verify=True) as loaded:
        assert same(loaded, expected)
        assert "have CRC-32" in str(loaded.backend.weights.note)
