"""Files that become shorter under a running engine: a request error that names the file, and everything else lives."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import edge
from edge.errors import ModelFileError
from edge.memory import Settings, plan_memory
from edge.sources import GGUFSource
from edge.tuning import Asked, tune
from tests.packed.models import Loaded, answer

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("keep", [0, 1, 2**21, 2**21 + 3 * PAGE + 7, -PAGE, -1])
def test_a_mapped_file_that_is_cut(model: Path, packed: Path, keep: int) -> None:
    expected = answer(model)
    with Loaded(model, threads=2) as loaded, Loaded(model, enabled=False) as other:
        assert loaded.answer().logits == expected.logits
        os.truncate(packed, keep if keep >= 0 else packed.stat().st_size + keep)
        for _ in range(2):
            with pytest.raises(ModelFileError, match="became shorter while the model was in use") as caught:
                loaded.answer()
            assert caught.value.path == str(packed)
            assert caught.value.exit_code == 4
            loaded.engine.cancel()
            loaded.engine.step()
        assert other.answer().logits == expected.logits
        assert other.answer().logits != []
    again = answer(model)
    assert again.logits == expected.logits
    assert again.info.note is not None and str(packed) in again.info.note


def test_a_cut_between_two_tokens(model: Path, packed: Path) -> None:
    answer(model)
    with Loaded(model) as loaded:
        from edge.engine import SamplingParams, Sequence

        sequence = Sequence([1, 2, 3], SamplingParams(), max_length=20, seed=1)
        loaded.engine.add(sequence)
        for _ in range(3):
            assert loaded.engine.step()
        os.truncate(packed, 2**21)
        with pytest.raises(ModelFileError, match="became shorter"):
            loaded.engine.step()


def test_an_owned_file_may_be_cut(model: Path, packed: Path) -> None:
    expected = answer(model)
    with Loaded(model, residency="owned") as loaded:
        os.truncate(packed, 0)
        assert loaded.answer().logits == expected.logits
        packed.unlink()
        assert loaded.answer().logits == expected.logits


def test_a_mapped_file_may_be_removed_or_replaced(model: Path, packed: Path) -> None:
    expected = answer(model)
    with Loaded(model) as loaded:
        packed.unlink()
        assert loaded.answer().logits == expected.logits
        packed.write_bytes(b"something else")
        assert loaded.answer().logits == expected.logits


@pytest.mark.parametrize("enabled", [True, False], ids=["into a file", "in memory"])
def test_a_model_that_is_cut_while_it_is_packed(model: Path, enabled: bool) -> None:
    def cut(done: int, total: int) -> None:
        os.truncate(model, 8 * PAGE)

    with pytest.raises(ModelFileError, match="became shorter") as caught:
        answer(model, enabled=enabled, on_progress=cut)
    assert caught.value.path == str(model)
    assert [path.name for path in model.parent.iterdir()] == ["tiny.gguf"]


def test_pages_that_a_disk_cannot_give_are_never_kept(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file looks as it did; only the mapping tells."""

    def cut(done: int, total: int) -> None:
        os.truncate(model, 8 * PAGE)

    def nothing(file: object) -> None:
        """As if the file had its size and time still."""

    monkeypatch.setattr("edge.packed.cache.check_unchanged", nothing)
    with pytest.raises(ModelFileError, match="or its disk fails"):
        answer(model, on_progress=cut)
    assert [path.name for path in model.parent.iterdir()] == ["tiny.gguf"]


@pytest.mark.parametrize("residency", ["mapped", "owned"])
def test_a_model_that_is_cut_before_its_vocabulary_is_read(model: Path, residency: str) -> None:
    uses: list[Callable[[edge.Model], object]] = [
        lambda loaded: loaded.tokenizer,
        lambda loaded: loaded.chat_template,
        lambda loaded: loaded.generate("hello", max_tokens=2),
        lambda loaded: loaded.chat("hello", max_tokens=2),
    ]
    content = model.read_bytes()
    for use in uses:
        model.write_bytes(content)
        with edge.load(model, threads=1, residency=residency) as loaded:
            os.truncate(model, 0)
            with pytest.raises(ModelFileError, match="became shorter while the model was in use") as caught:
                use(loaded)
            assert caught.value.path == str(model)


def test_a_tokenizer_that_is_built_needs_no_file(model: Path) -> None:
    with edge.load(model, threads=1) as loaded:
        expected = loaded.generate("hello", max_tokens=4).text
        os.truncate(model, 0)
        assert loaded.generate("hello", max_tokens=4).text == expected


def test_streams_end_with_the_error(model: Path, packed: Path) -> None:
    """Through the public interface: with a file of its own that is long enough to be mapped."""
    answer(model)
    with Loaded(model) as inner:
        choice = tune(Asked(), None, {"EDGE_PROFILE": "off"})
        plan = plan_memory(inner.file, Settings())
        model_object = edge.Model(GGUFSource(inner.file), inner.backend, choice, lambda: plan, load_seconds=0.0)
        stream = model_object.stream("hello", max_tokens=50)
        next(stream)
        os.truncate(packed, 0)
        with pytest.raises(ModelFileError, match="became shorter"):
            list(stream)
        with pytest.raises(ModelFileError, match="became shorter"):
            model_object.generate("hello", max_tokens=2)
        model_object.close()
