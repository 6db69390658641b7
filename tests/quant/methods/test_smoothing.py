"""AWQ and SmoothQuant+ on a model with outlier channels: what it loses at four bits, against plain rounding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from edge.calibration import Calibration, collect
from edge.formats import open_gguf
from edge.quant.methods import ScaledSource, TensorSource, awq, smoothquant_plus
from edge.quant.methods.error import rounded
from edge.tokenizer import Tokenizer
from tests.calibration.models import TEXT, config, graph_of, outlier_tensors, write_floats
from tests.models.tiny import F32
from tests.quant.methods.plain import MemorySource, MemoryTensor, encode, layer_types, logits, loss

TYPES = ("Q4_0", "Q4_K")


class Case:
    """The model, what the engine says of it, and what it answers to another text."""

    def __init__(self, path: Path) -> None:
        of = config()
        self.graph = graph_of(of)
        self.tensors = outlier_tensors(of)
        self.source = MemorySource(self.tensors)
        write_floats(path, of, self.tensors)
        self.calibration: Calibration = collect(path, TEXT)
        with open_gguf(path) as file:
            tokenizer = Tokenizer.from_gguf(file)
            self.tokens = tokenizer.encode("Another text, with 12 other words: été, λ, «да» — and 漢字!")
            self.seen = tokenizer.encode(TEXT[:80])

    def losses(self, source: TensorSource[MemoryTensor], type_name: str, tokens: list[int]) -> float:
        """KL divergence when the matrices of the layers are rounded."""
        types = layer_types(self.graph, type_name)
        values: dict[str, F32] = {}
        for name in self.tensors:
            value = source.read(name)
            values[name] = rounded(types[name], value, None, encode) if name in types else value
        found = logits(self.graph, MemorySource(values), tokens)
        return loss(logits(self.graph, self.source, tokens), found)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("smoothing") / "m.gguf")


def shuffled(statistics: Mapping[str, F32], seed: int = 9) -> dict[str, F32]:
    rng = np.random.default_rng(seed)
    return {name: rng.permutation(values) for name, values in statistics.items()}


@pytest.mark.parametrize("with_grams", [False, True])
@pytest.mark.parametrize("type_name", TYPES)
def test_awq(case: Case, type_name: str, with_grams: bool, tmp_path: Path) -> None:
    types = layer_types(case.graph, type_name)
    grams = None
    if with_grams:
        path = write_floats(tmp_path / "m.gguf", config(), case.tensors)
        grams = collect(path, TEXT, grams=True).grams
    found = awq(case.source, case.graph, case.calibration.squares, types, encode, grams=grams, max_rows=64)
    plain = case.losses(case.source, type_name, case.tokens)
    assert case.losses(found, type_name, case.tokens) < 0.5 * plain
    # negative control: the same statistics, of the wrong channels
    wrong = awq(case.source, case.graph, shuffled(case.calibration.squares), types, encode, max_rows=64)
    assert case.losses(wrong, type_name, case.tokens) > 0.9 * plain


@pytest.mark.parametrize("type_name", TYPES)
def test_smoothquant_plus(case: Case, type_name: str) -> None:
    alphas = (0.25, 0.5, 0.75)

    def lost(source: TensorSource[MemoryTensor]) -> float:
        return case.losses(source, type_name, case.seen)

    found, search = smoothquant_plus(case.source, case.graph, case.calibration.maxima, lost, alphas=alphas)
    assert set(search.losses) == {None, *alphas}
    assert search.alpha is not None and search.losses[search.alpha] == min(search.losses.values())
    plain = case.losses(case.source, type_name, case.tokens)
    assert case.losses(found, type_name, case.tokens) < 0.7 * plain
    # negative control: the same maxima, of the wrong channels
    _, wrong = smoothquant_plus(case.source, case.graph, shuffled(case.calibration.maxima), lost, alphas=alphas)
    assert wrong.alpha is None and wrong.losses[0.5] > 2 * search.losses[0.5]


def test_the_search_may_leave_a_model_alone(case: Case) -> None:
    """Also AWQ's: alpha 0 is among the candidates, and it stays when nothing is better."""
    found, search = smoothquant_plus(
        case.source, case.graph, case.calibration.maxima, lambda source: float(isinstance(source, ScaledSource)),
        alphas=(0.5,),
    )  # fmt: skip
    assert search.alpha is None and search.losses == {None: 0.0, 0.5: 1.0}
    for name, value in case.tensors.items():
        assert found.read(name) is value
    flat = {name: np.ones_like(values) for name, values in case.calibration.squares.items()}
    same = awq(case.source, case.graph, flat, layer_types(case.graph, "Q4_0"), encode)
    for name, value in case.tensors.items():
        assert same.read(name) is value


def test_what_nothing_is_known_of_stays(case: Case) -> None:
    types = layer_types(case.graph, "Q4_0")
    nothing = {name: np.zeros_like(values) for name, values in case.calibration.squares.items()}
    for squares in ({}, nothing):
        found = awq(case.source, case.graph, squares, types, encode)
        assert all(found.read(name) is value for name, value in case.tensors.items())
    found = awq(case.source, case.graph, case.calibration.squares, {}, encode)  # no type to round to
    assert all(found.read(name) is value for name, value in case.tensors.items())
    smoothed, search = smoothquant_plus(case.source, case.graph, {}, lambda _: 1.0, alphas=(0.5,))
    assert search.alpha is None and smoothed.read("blk.0.attn_norm.weight") is case.tensors["blk.0.attn_norm.weight"]
