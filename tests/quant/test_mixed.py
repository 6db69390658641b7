"""Types under a size: never over it, best error per byte first, and near the best of all mixtures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import edge.quant
from edge.errors import DoesNotFit, RequestError
from edge.export import GGUFWriter
from edge.formats.types import GGMLType
from edge.quant.encode import encode
from edge.quant.mixed import Option, choose, matrix_budget, measure_options, mixed_types

TYPES = ("Q4_0", "Q8_0", "F16")


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    type_name: str = "F32"


class Memory:
    """A source whose tensors are in memory."""

    def __init__(self, tensors: dict[str, NDArray[np.float32]]) -> None:
        self._tensors = tensors
        self.metadata: dict[str, Any] = {
            "general.architecture": "llama", "llama.block_count": 2, "llama.rope.freq_base": 1e4,
            "tokenizer.ggml.tokens": [f"token {n}" for n in range(300)], "tokenizer.ggml.token_type": [1] * 300,
            "tokenizer.ggml.add_bos_token": False,
        }  # fmt: skip

    @property
    def tensors(self) -> Sequence[Tensor]:
        return [Tensor(name, values.shape) for name, values in self._tensors.items()]

    def read(self, name: str) -> NDArray[np.float32]:
        return self._tensors[name]


def source(columns: int = 64) -> Memory:
    rng = np.random.default_rng(1)
    matrices = {f"blk.{n}.weight": rng.normal(0, 1, (40, columns)).astype(np.float32) for n in range(6)}
    return Memory(matrices | {"norm.weight": np.ones(columns, np.float32)})


def written_size(path: Path, model: Memory, types: dict[str, str]) -> int:
    writer = GGUFWriter(path)
    for key, value in model.metadata.items():
        writer.add(key, value)
    for name, shape, _ in model.tensors:
        kind = GGMLType[types[name]]
        writer.add_tensor(name, kind, shape, edge.quant.encode(kind, model.read(name)))
    writer.finish()
    return path.stat().st_size


SIZES = (22_000, 24_000, 27_000, 33_000, 44_000, 80_000)


@pytest.mark.parametrize("size", SIZES)
def test_the_file_is_not_larger_than_asked(size: int, tmp_path: Path) -> None:
    model = source()
    types = mixed_types(model, encode, size_bytes=size, types=TYPES)
    assert types["norm.weight"] == "F32"
    taken = written_size(tmp_path / "model.gguf", model, types)
    assert taken <= size
    if size == max(SIZES):
        assert set(types.values()) == {"F16", "F32"}


def test_bits_per_weight_count_all_tensors() -> None:
    model = source()
    types = mixed_types(model, encode, bits_per_weight=7.0, types=TYPES)
    bits = sum(model.read(name).size * {"Q4_0": 4.5, "Q8_0": 8.5, "F16": 16, "F32": 32}[types[name]] for name in types)
    weights = sum(model.read(name).size for name in types)
    assert 6.2 < bits / weights <= 7.0


def test_the_smallest_possible_is_said() -> None:
    model = source()
    with pytest.raises(
        DoesNotFit, match=r"the smallest mixture of these types takes (\d+) bytes, asked were 9000"
    ) as at:
        mixed_types(model, encode, size_bytes=9000, types=TYPES)
    least = int(str(at.value).split("takes ")[1].split()[0])
    assert set(mixed_types(model, encode, size_bytes=least, types=TYPES).values()) == {"Q4_0", "F32"}
    with pytest.raises(DoesNotFit, match=f"takes {least} bytes"):
        mixed_types(model, encode, size_bytes=least - 1, types=TYPES)
    with pytest.raises(DoesNotFit, match=r"has 4\.61 bits per weight, asked were 4"):
        mixed_types(model, encode, bits_per_weight=4, types=TYPES)
    with pytest.raises(RequestError, match="one of them"):
        matrix_budget(model)


def test_bytes_go_where_they_save_most() -> None:
    model = source()
    sensitivity = {f"blk.{n}.weight": 10.0 if n == 3 else 1.0 for n in range(6)}
    types = mixed_types(model, encode, bits_per_weight=6.0, types=("Q4_0", "Q8_0"), sensitivity=sensitivity)
    assert types["blk.3.weight"] == "Q8_0" and list(types.values()).count("Q8_0") == 2


def test_importance_weights_the_error() -> None:
    values = np.random.default_rng(3).normal(0, 1, (8, 64)).astype(np.float32)
    values[:, :32] = np.round(values[:, :32])  # nearly exact in Q8_0 with a scale of its own
    values[:, 0] = 127
    alike = measure_options(values, encode, None, ("Q8_0",))[0].error
    first = np.zeros(64, np.float32)
    first[:32] = 1
    assert measure_options(values, encode, first, ("Q8_0",))[0].error == 0 < alike


def test_rows_that_no_block_fits_are_kept_as_floats() -> None:
    assert set(mixed_types(source(columns=40), encode, bits_per_weight=20, types=TYPES).values()) == {"F16", "F32"}


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 30), st.floats(0, 10)), min_size=1, max_size=4), min_size=1, max_size=5),
    st.integers(0, 160),
)
def test_nearly_the_best_of_all_mixtures(tensors: list[list[tuple[int, float]]], budget: int) -> None:
    options = {
        str(number): [Option(f"{number}.{n}", size, error) for n, (size, error) in enumerate(held)]
        for number, held in enumerate(tensors)
    }
    by_name = {option.type_name: option for held in options.values() for option in held}
    fitting = [
        mixture for mixture in itertools.product(*options.values()) if sum(one.num_bytes for one in mixture) <= budget
    ]
    if not fitting:
        with pytest.raises(DoesNotFit):
            choose(options, budget)
        return
    chosen = [by_name[name] for name in choose(options, budget).values()]
    assert sum(option.num_bytes for option in chosen) <= budget
    # What Lagrange's bound says: at most one matrix's change away from the best of all.
    best = min(sum(one.error for one in mixture) for mixture in fitting)
    widest = max(max(one.error for one in held) - min(one.error for one in held) for held in options.values())
    assert sum(option.error for option in chosen) <= best + widest + 1e-9
