"""Perplexity and divergences are what float64 arithmetic over the decoded files gives."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.damage import LoadOptions, measure, sample_passage
from edge.damage.text import Passage, windows_of
from edge.errors import Cancelled, RequestError
from edge.formats.gguf import open_gguf
from edge.graph.reference import Reference
from edge.models import build
from edge.tokenizer import Tokenizer
from tests.accuracy.random_models import Shape, write_model
from tests.accuracy.truth import forward
from tests.models.tiny import provider, random_tensors, tensor_shapes, tiny_config, write_gguf

F64 = npt.NDArray[np.float64]
EXACT = LoadOptions(kv_type="f32", no_cache=True)
TEXT = "the rain in the hills, and 340 letters of tin: a tale that nobody reads.\n" * 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two F32 models of one vocabulary: `near` has slightly other weights than `model`; and a text."""
    folder = tmp_path_factory.mktemp("damage")
    write_model(folder / "model.gguf", Shape("llama", sharpness=1.0), 1)
    shutil.copy(folder / "model.gguf", folder / "near.gguf")
    with open_gguf(folder / "near.gguf") as file:
        info = file.tensors["blk.0.ffn_down.weight"]
    values = np.memmap(folder / "near.gguf", np.float32, "r+", info.offset, info.shape)
    values += np.random.default_rng(2).normal(0, 0.02, info.shape).astype(np.float32)
    values.flush()
    (folder / "text.txt").write_text(TEXT)
    return folder


def _windows(folder: Path, window: int) -> tuple[tuple[int, ...], ...]:
    with open_gguf(folder / "model.gguf") as file:
        return windows_of(("text", TEXT, b""), Tokenizer.from_gguf(file), window, 20_000).windows


def _truth(path: Path, windows: tuple[tuple[int, ...], ...]) -> list[F64]:
    """Per window: (tokens - 1, vocabulary) log probabilities."""
    found: list[F64] = []
    for window in windows:
        rows = forward(path, list(window)).logits[:-1]
        rows = rows - rows.max(axis=1, keepdims=True)
        found.append(rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)))
    return found


def _surprise(truth: list[F64], windows: tuple[tuple[int, ...], ...]) -> F64:
    return np.concatenate(
        [-rows[np.arange(len(rows)), window[1:]] for rows, window in zip(truth, windows, strict=True)]
    )


@pytest.mark.parametrize("window", [512, 100])
def test_figures_are_those_of_float64(folder: Path, window: int) -> None:
    found = measure(folder / "near.gguf", folder / "model.gguf", text=folder / "text.txt", window=window, loading=EXACT)
    windows = _windows(folder, window)
    near, wanted = _truth(folder / "near.gguf", windows), _truth(folder / "model.gguf", windows)
    kld = np.concatenate([(np.exp(b) * (b - a)).sum(axis=1) for a, b in zip(near, wanted, strict=True)])
    same = np.concatenate([a.argmax(axis=1) == b.argmax(axis=1) for a, b in zip(near, wanted, strict=True)])
    assert found.num_positions == len(kld) > 256
    assert found.num_windows == len(windows) == math.ceil(sum(map(len, windows)) / window)
    assert found.perplexity == pytest.approx(np.exp(_surprise(near, windows).mean()), rel=1e-4)
    assert found.reference_perplexity == pytest.approx(np.exp(_surprise(wanted, windows).mean()), rel=1e-4)
    assert found.reference_perplexity is not None
    assert found.perplexity_ratio == pytest.approx(found.perplexity / found.reference_perplexity, rel=1e-9)
    assert 0.002 < kld.mean()  # or else the next lines would compare rounding
    assert found.mean_kld == pytest.approx(kld.mean(), rel=1e-2)
    assert found.p99_kld == pytest.approx(np.quantile(kld, 0.99), rel=1e-2)
    assert found.max_kld == pytest.approx(kld.max(), rel=1e-2)
    assert found.top1 == pytest.approx(same.mean(), abs=2.5 / len(same))
    assert found.bits_per_weight == 32


def test_a_model_has_lost_nothing_beside_itself(folder: Path) -> None:
    model = folder / "model.gguf"
    found = measure(model, model, text=folder / "text.txt", loading=EXACT)
    assert (found.mean_kld, found.max_kld, found.top1, found.perplexity_ratio) == (0, 0, 1, 1)
    rounded = measure(model, model, text=folder / "text.txt", loading=EXACT._replace(kv_type="q4"))
    assert rounded.mean_kld is not None and rounded.mean_kld > 1e-6


def test_without_a_reference_only_perplexity_is_there(folder: Path) -> None:
    found = measure(folder / "model.gguf", text=folder / "text.txt", loading=EXACT)
    assert found.perplexity > 1
    assert found.mean_kld is None and found.top1 is None and found.reference is None
    beside = measure(folder / "model.gguf", folder / "near.gguf", text=folder / "text.txt", loading=EXACT)
    assert found.perplexity == beside.perplexity


def test_progress_and_own_text(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = measure(
        folder / "near.gguf", folder / "model.gguf", own_text=True, window=64, loading=EXACT,
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert found.text == "its own, 16 texts, seed 1"
    assert seen[-1][0] == seen[-1][1] == found.num_positions + found.num_windows
    again = measure(folder / "model.gguf", own_text=True, window=64, loading=EXACT)
    assert again.text_sha256 == found.text_sha256  # written by the reference
    passage = sample_passage(folder / "model.gguf", window=64, loading=EXACT)
    beside = measure(folder / "near.gguf", folder / "model.gguf", text=passage, window=64, loading=EXACT)
    assert beside == found
    with pytest.raises(RequestError, match="a window of 65 tokens, at most 64 fit"):
        measure(folder / "near.gguf", text=passage._replace(windows=((1,) * 65,)), window=64, loading=EXACT)


def test_it_can_be_cancelled(folder: Path) -> None:
    class Guard:
        def __init__(self, cancel: Callable[[], None]) -> None:
            self.cancel = cancel

        def __enter__(self) -> None:
            self.cancel()

        def __exit__(self, *error: object) -> None:
            pass

    with pytest.raises(Cancelled):
        measure(folder / "model.gguf", text=folder / "text.txt", loading=EXACT, guard=Guard)


def test_other_vocabularies_are_refused(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"model.gguf has 512 tokens and .* has 259: only models of one vocabulary"):
        measure(folder / "model.gguf", tiny_model)
    raw = (folder / "model.gguf").read_bytes()
    (tmp_path / "swapped.gguf").write_bytes(raw.replace(b"<|endoftext|>", b"<|endofbook|>", 1))
    with pytest.raises(RequestError, match=r"token 256 is '<\|endoftext\|>' in .* and '<\|endofbook\|>' in"):
        measure(folder / "model.gguf", tmp_path / "swapped.gguf")


def test_what_cannot_be_measured_on_is_refused(folder: Path, tmp_path: Path) -> None:
    model = folder / "model.gguf"
    (tmp_path / "short.txt").write_text("Too short.")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 " * 1000)
    for text, message in (
        ("short.txt", "'short.txt' has 0 tokens to predict in this model's vocabulary, at least 256"),
        ("latin.txt", "byte 3 is not UTF-8"),
        ("absent.txt", "No such file"),
    ):
        with pytest.raises(RequestError, match=message):
            measure(model, text=tmp_path / text, loading=EXACT)
    with pytest.raises(RequestError, match="choose one"):
        measure(model, text=folder / "text.txt", own_text=True)
    with pytest.raises(RequestError, match="window is 8"):
        measure(model, window=8)
    with pytest.raises(RequestError, match="max_tokens is 0"):
        measure(model, max_tokens=0)


def test_layers_with_a_window_shorter_than_the_text(tmp_path: Path) -> None:
    """Their K and V are in blocks of their own, which a step names too."""
    config = tiny_config("gemma3", sliding_window=40, max_position_embeddings=512, num_hidden_layers=2)
    tensors = random_tensors(tensor_shapes(config), seed=4)
    write_gguf(tmp_path / "model.gguf", config, tensors)
    passage = Passage("ids", "", (tuple((37 * i * i + 5 * i + 11) % 90 + 3 for i in range(200)),))
    found = measure(tmp_path / "model.gguf", text=passage, window=200, loading=EXACT)
    model = Reference(build(config, tensor_shapes(config)), provider(tensors), mode="float64", kv_type="f32")
    rows = model.step(list(passage.windows[0]), logit_rows=list(range(199))).astype(np.float64)
    rows -= np.log(np.exp(rows - rows.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)) + rows.max(
        axis=1, keepdims=True
    )
    surprise = -rows[np.arange(199), passage.windows[0][1:]].mean()
    assert found.perplexity == pytest.approx(np.exp(surprise), rel=1e-3)
