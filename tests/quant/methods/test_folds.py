"""Scaling channels changes nothing that a model computes, in any architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from edge.graph.numerics import Array
from edge.graph.ops import Graph
from edge.graph.reference import Reference, Weight
from edge.quant.methods import Fold, ScaledSource, find_folds
from edge.quant.methods.folds import Doubles
from edge.quant.methods.scaled import scale_tensor
from tests.calibration.models import config, graph_of
from tests.models.tiny import MODEL_TYPES, random_tensors, tensor_shapes
from tests.quant.methods.plain import MemorySource

TOKENS = [3, 141, 59, 26, 5, 35, 89, 79, 3, 238]
LAYER = {
    (("attn_q", "attn_k", "attn_v"), "attn_norm"),
    (("attn_output",), "attn_v"),
    (("ffn_gate", "ffn_up"), "ffn_norm"),
    (("ffn_down",), "ffn_up"),
}


def random_scales(fold: Fold, shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> Doubles:
    scales: Doubles = np.exp(rng.standard_normal(shapes[fold.makers[0]][0]))
    return scales


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3"])
def test_the_four_places_of_a_layer(arch: str) -> None:
    of = config(arch)
    names = {
        (tuple(t.split(".")[2] for t in fold.targets), fold.makers[0].split(".")[2])
        for fold in find_folds(graph_of(of))
    }
    assert names == LAYER
    assert len(find_folds(graph_of(of))) == 4 * of.num_hidden_layers
    heads = next(fold for fold in find_folds(graph_of(of)) if fold.targets[0].endswith("attn_output.weight"))
    assert (heads.repeat, heads.head_dim) == (2, 64)
    assert heads.makers[1:] == (("blk.0.attn_v.bias",) if arch == "qwen2" else ())


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_the_output_is_unchanged(arch: str) -> None:
    of = config(arch)
    graph, shapes = graph_of(of), tensor_shapes(of)
    tensors = random_tensors(shapes, seed=3)
    rng = np.random.default_rng(4)
    columns: dict[str, Doubles] = {}
    rows: dict[str, Doubles] = {}
    scaled = ScaledSource(MemorySource(tensors))
    for fold in find_folds(graph):
        scales = random_scales(fold, shapes, rng)
        scaled.fold(fold, scales)
        columns |= dict.fromkeys(fold.targets, fold.columns(scales))
        rows |= dict.fromkeys(fold.makers, scales)
    assert columns

    def exact(name: str) -> Weight:
        return Weight(scale_tensor(tensors[name].astype(np.float64), columns.get(name), rows.get(name)))

    wanted = run(graph, lambda name: Weight(tensors[name]))
    np.testing.assert_allclose(run(graph, exact), wanted, rtol=1e-10, atol=1e-10)
    # what is written is the same, rounded to float32
    np.testing.assert_allclose(run(graph, lambda name: Weight(scaled.read(name))), wanted, rtol=1e-4, atol=1e-4)
    for forgotten in ("columns", "rows"):  # the test would notice if one side were left out

        def half(name: str, forgotten: str = forgotten) -> Weight:
            c = None if forgotten == "columns" else columns.get(name)
            r = None if forgotten == "rows" else rows.get(name)
            return Weight(scale_tensor(tensors[name].astype(np.float64), c, r))

        assert np.abs(run(graph, half) - wanted).max() > 0.1


def run(graph: Graph, provider: Callable[[str], Weight]) -> Array:
    return Reference(graph, provider, mode="float64").step(TOKENS)


def test_statistics_follow_the_scales() -> None:
    graph = graph_of(config())
    fold = find_folds(graph)[0]
    scaled = ScaledSource(MemorySource(random_tensors(tensor_shapes(config()), seed=3)))
    rng = np.random.default_rng(1)
    x, scales = rng.standard_normal((50, 256)), np.exp(rng.standard_normal(256))
    scaled.fold(fold, scales)
    name, after = fold.targets[0], x / scales
    squares = (x**2).mean(axis=0).astype(np.float32)
    np.testing.assert_allclose(scaled.squares(name, squares), (after**2).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(scaled.gram(name, x.T @ x / 50), after.T @ after / 50, rtol=1e-9, atol=1e-12)
    assert scaled.squares("output.weight", squares) is squares
    for bad in (0.0, -1.0, np.inf, np.nan):
        scales[7] = bad
        with pytest.raises(ValueError, match="positive and finite"):
            scaled.fold(fold, scales)


def test_tensors_used_twice_stay() -> None:
    """A head that is the embedding too, whose norm is not a fold anyway; and V that a later layer reads again."""
    of = config(tie_word_embeddings=True)
    assert all("token_embd.weight" not in fold.targets + fold.makers for fold in find_folds(graph_of(of)))
    assert all(not name.startswith("output") for fold in find_folds(graph_of(config())) for name in fold.targets)
