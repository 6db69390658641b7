"""The statistics are those of the very inputs that the engine multiplies with, however the text is cut into work."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge import device
from edge.backends.compiled import MATRIX_TYPES
from edge.calibration import Calibration, Grams, collect, shipped_text
from edge.errors import DoesNotFit, NumericalError, RequestError
from edge.formats import open_gguf
from edge.formats.types import GGMLType
from edge.graph.ops import Graph, Linear
from edge.graph.reference import Reference
from edge.tokenizer import Tokenizer
from tests.calibration.models import BOS, TEXT, config, graph_of, write
from tests.graph.native_model import Tensor, as_tensors
from tests.models.tiny import F32, MODEL_TYPES, random_tensors, tensor_shapes

KINDS = sorted(MATRIX_TYPES)
FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)


def model(folder: Path, arch: str, kinds: tuple[GGMLType, ...]) -> tuple[Path, Graph, dict[str, Tensor]]:
    of = config(arch)
    tensors = as_tensors(random_tensors(tensor_shapes(of), seed=5), kinds)
    return write(folder / "model.gguf", of, tensors), graph_of(of), tensors


def reference_inputs(graph: Graph, tensors: dict[str, Tensor], windows: list[list[int]]) -> dict[str, F32]:
    """All rows of every matrix's input, from the reference that repeats the engine's arithmetic."""
    rows: dict[str, list[F32]] = {}
    for window in windows:
        reference = Reference(graph, lambda name: tensors[name].weight(), mode="engine", kv_type="f16")
        reference.step(window, keep=True)
        read = {node.op.weight: node.inputs[0] for node in graph.nodes if isinstance(node.op, Linear)}
        for weight, node in read.items():
            rows.setdefault(weight, []).append(reference.values[graph.nodes[node].name].astype(np.float32))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def cut(path: Path, text: str, size: int) -> list[list[int]]:
    with open_gguf(path) as file:
        ids = Tokenizer.from_gguf(file).encode(text, add_special=False)
    return [[BOS, *ids[i : i + size - 1]] for i in range(0, len(ids), size - 1)]


def mean_squares(rows: F32) -> F32:
    total = np.zeros(rows.shape[1])
    for row in rows.astype(np.float64):
        total += row * row
    return (total / len(rows)).astype(np.float32)


def check(path: Path, graph: Graph, tensors: dict[str, Tensor]) -> None:
    text, window = TEXT[:60], 40
    found = collect(path, text, window=window, grams=True)
    wanted = reference_inputs(graph, tensors, cut(path, text, window))
    assert list(found.squares) == list(wanted)
    assert found.num_tokens == len(next(iter(wanted.values())))
    for name, rows in wanted.items():
        np.testing.assert_array_equal(found.squares[name], mean_squares(rows), err_msg=name)
        np.testing.assert_array_equal(found.maxima[name], np.abs(rows).max(axis=0), err_msg=name)
        x = rows.astype(np.float64)
        np.testing.assert_allclose(found.grams[name], x.T @ x / len(x), rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_floats_are_the_references(tmp_path: Path, arch: str) -> None:
    check(*model(tmp_path, arch, FLOATS))


@pytest.mark.parametrize("start", range(0, len(KINDS), 7))
def test_every_weight_type(tmp_path: Path, start: int) -> None:
    """Seven types in a model: each stands in every place of a layer, over the parameters."""
    check(*model(tmp_path, "llama", tuple(KINDS[(start + i) % len(KINDS)] for i in range(7))))


def test_neither_threads_nor_steps_nor_levels_change_a_bit(tmp_path: Path) -> None:
    path, *_ = model(tmp_path, "llama", (GGMLType.Q4_K, GGMLType.Q6_K))
    first = collect(path, TEXT, window=100, num_threads=1, grams=True)
    threaded = collect(path, TEXT, window=100, num_threads=2, grams=True)
    assert_equal(first, threaded)
    for name in first.grams:
        np.testing.assert_array_equal(first.grams[name], threaded.grams[name])
    assert_equal(first, collect(path, TEXT, window=100, num_threads=2, step_tokens=7, isa="scalar"))


def assert_equal(first: Calibration, second: Calibration) -> None:
    assert first.num_tokens == second.num_tokens and list(first.squares) == list(second.squares)
    for name, squares in first.squares.items():
        np.testing.assert_array_equal(squares, second.squares[name], err_msg=name)


def test_what_is_said_of_the_text(tmp_path: Path) -> None:
    path, *_ = model(tmp_path, "llama", (GGMLType.F32,))
    seen: list[tuple[int, int]] = []
    found = collect(path, TEXT, window=64, on_progress=lambda done, total: seen.append((done, total)))
    windows = cut(path, TEXT, 64)
    total = sum(map(len, windows))
    assert seen[0] == (64, total) and seen[-1] == (total, total) and len(seen) == len(windows)
    assert (found.num_tokens, found.window) == (total, 64)
    assert found.text_hash == hashlib.sha256(TEXT.encode()).hexdigest()
    assert collect(path, TEXT, max_tokens=10).num_tokens == 11  # and the token that a prompt begins with
    assert collect(path, TEXT, window=10_000).window == 256  # the context


def test_grams_of_some_matrices(tmp_path: Path) -> None:
    path, *_ = model(tmp_path, "llama", (GGMLType.F32,))
    found = collect(path, TEXT, grams=True, names=["blk.0.attn_k.weight"])
    # those with the same input come with it, at no cost
    assert sorted(found.grams) == ["blk.0.attn_k.weight", "blk.0.attn_q.weight", "blk.0.attn_v.weight"]
    assert found.grams["blk.0.attn_k.weight"] is found.grams["blk.0.attn_v.weight"]
    squares = np.diag(found.grams["blk.0.attn_k.weight"])
    np.testing.assert_allclose(squares, found.squares["blk.0.attn_k.weight"], rtol=1e-6)
    with pytest.raises(RequestError, match="'token_embd.weight' is no matrix that the model multiplies with"):
        collect(path, TEXT, grams=True, names=["token_embd.weight"])


def test_grams_by_parts_are_those_of_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, *_ = model(tmp_path, "llama", (GGMLType.F32,))
    whole = collect(path, TEXT, grams=True)
    readings: list[list[str]] = []

    def counted(*args: object, **options: object) -> Calibration:
        readings.append(list(options["names"]))  # type: ignore[call-overload]
        return collect(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("edge.calibration.grams.collect", counted)
    grams = Grams(path, TEXT, budget_bytes=2 * 8 * 256**2)
    for name, wanted in whole.grams.items():
        assert name in grams
        np.testing.assert_array_equal(grams.gram(name), wanted, err_msg=name)
    # q, k, v have one input, and o another; gate and up one; down, twice as wide, is over the budget by itself
    assert readings[0] == [f"blk.0.attn_{part}.weight" for part in ("q", "k", "v", "output")]
    assert readings[1] == ["blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"]
    assert readings[2] == ["blk.0.ffn_down.weight"] and len(readings) == 7
    # what else the text says comes with the first of them, and those of the others are not gathered
    readings.clear()
    grams = Grams(path, TEXT, budget_bytes=2 * 8 * 256**2)
    found = grams.calibration()
    assert found.num_tokens == whole.num_tokens and found.squares.keys() == whole.squares.keys()
    np.testing.assert_array_equal(found.maxima["output.weight"], whole.maxima["output.weight"])
    grams.only(["blk.0.attn_k.weight", "blk.0.ffn_down.weight"])
    np.testing.assert_array_equal(grams.gram("blk.0.attn_k.weight"), whole.grams["blk.0.attn_k.weight"])
    assert len(readings) == 1 and "blk.0.ffn_up.weight" not in grams
    grams.gram("blk.0.ffn_down.weight")
    assert readings[1:] == [["blk.0.ffn_down.weight"]]
    with pytest.raises(RequestError, match="no matrix whose inputs"):
        Grams(path, TEXT, budget_bytes=1, names=["output.weight"]).gram("blk.0.attn_q.weight")


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _, tensors = model(tmp_path, "llama", (GGMLType.F32,))
    for options, message in (
        ({"window": 1}, "window is 1; it must be"),
        ({"max_tokens": 0}, "has no tokens"),
        ({"num_threads": 0}, "threads is 0"),
    ):
        with pytest.raises(RequestError, match=message):
            collect(path, TEXT, **options)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="has no tokens"):
        collect(path, "")
    broken = dict(tensors)
    values = np.full(tensors["token_embd.weight"].shape, np.inf, np.float32)
    broken["token_embd.weight"] = Tensor(GGMLType.F32, values.shape, values.tobytes())
    with pytest.raises(NumericalError):
        collect(write(tmp_path / "broken.gguf", config(), broken), TEXT)
    monkeypatch.setattr(device, "memory", lambda: SimpleNamespace(available_bytes=1000))
    with pytest.raises(DoesNotFit, match="Gram matrices of 9 inputs take"):
        collect(path, TEXT, grams=True)


def test_importance_is_of_one_models_matrices(tmp_path: Path) -> None:
    path, *_ = model(tmp_path, "llama", (GGMLType.F32,))
    found = collect(path, TEXT)
    squares = found.importance("blk.0.attn_q.weight", 256)
    assert squares is not None and squares.shape == (256,)
    assert found.importance("token_embd.weight", 256) is None
    with pytest.raises(RequestError, match=r"has 256 columns for blk\.0\.attn_q\.weight, the matrix has 128"):
        found.importance("blk.0.attn_q.weight", 128)


def test_the_shipped_text_is_small_and_varied() -> None:
    text = shipped_text()
    assert 20_000 < len(text.encode()) < 65_536
    samples = (
        "def ",
        "return",
        "{",
        "https://",
        "ß",
        "é",
        "ñ",
        "Привет",
        "你好",
        "こんにちは",
        "مرحبا",
        "€",
        "| --- |",
    )
    for part in samples:
        assert part in text, part
    lines = [line for line in text.splitlines() if len(line) > 40]
    assert len(set(lines)) == len(lines)  # no padding
