"""A model made ready to be written with fewer bits by one of the methods: what `edge.export.export` takes."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from edge import device
from edge.calibration.calibration import Calibration
from edge.calibration.grams import Grams
from edge.errors import RequestError
from edge.export import SourceTensor, TensorSource
from edge.export.export import Encode
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.models import build
from edge.packed import CacheOptions
from edge.quant.encode import encode
from edge.quant.encoder import Encoder
from edge.quant.methods import awq, gptq
from edge.quant.methods.gptq import GRIDS

__all__ = ["METHODS", "Method", "Prepared", "grams_of", "prepare", "squares_of"]

Method: TypeAlias = Literal["rounding", "gptq", "awq"]
METHODS: tuple[str, ...] = get_args(Method)

_FLOATS = ("F32", "F16", "BF16")
_GRAM_SHARE = 4  # Gram matrices may take one part in so many of the memory that is available


class Prepared(NamedTuple):
    """source: the model's tensors, scaled where the method does that."""

    source: TensorSource
    encode: Encode


def squares_of(calibration: Calibration, source: TensorSource) -> dict[str, NDArray[np.float32]]:
    """Importance (columns,) of the matrices of a model. RequestError: the calibration is of another model."""
    shapes = {tensor.name: tensor.shape for tensor in source.tensors}
    squares = {name: values for name, values in calibration.squares.items() if name in shapes}
    for name in squares:
        calibration.importance(name, shapes[name][-1])
    if not squares:
        raise RequestError("the importance matrix knows none of the model's tensors: it is of another model")
    return squares


def grams_of(path: str | os.PathLike[str], text: str, names: Iterable[str] | None, num_threads: int) -> Grams:
    """What gptq asks for, of the matrices `names` (None: all), in a share of the memory that is available."""
    budget, cache = device.memory().available_bytes // _GRAM_SHARE, CacheOptions(enabled=False)
    return Grams(path, text, budget_bytes=budget, names=names, num_threads=num_threads, cache=cache)


@contextmanager
def prepare(
    path: str | os.PathLike[str],
    source: TensorSource,
    types: Mapping[str, str],
    calibration: Calibration,
    *,
    method: str,
    grams: Grams | None,
    num_threads: int,
) -> Generator[Prepared]:
    """The model at `path`, whose tensors `source` reads, to be written as `types` (tensor -> type name).

    rounding: by importance alone. awq: channels are scaled before. gptq: matrices of Q4_0 and Q4_K are rounded with
    feedback, from their Gram matrices, the others by importance. Raises RequestError for an unknown method, gptq
    without Gram matrices, or statistics of another model.
    """
    if method not in METHODS:
        raise RequestError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    squares = squares_of(calibration, source)
    if method == "awq":
        with open_gguf(path) as file:
            graph = build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})
        scaled = awq(source, graph, squares, _quantised(types), encode)
        source, squares = scaled, {name: scaled.squares(name, values) for name, values in squares.items()}
    with Encoder(num_threads, squares) as plain:
        if method != "gptq":
            yield Prepared(source, plain)
        elif grams is None:
            raise RequestError("gptq needs a calibration text; an importance matrix does not say enough")
        else:
            grams.only(name for name, kind in types.items() if kind in GRIDS)
            yield Prepared(source, _Gptq(grams, plain))


class _Gptq:
    """An encoder that rounds with feedback where it can."""

    def __init__(self, grams: Grams, plain: Encoder) -> None:
        self._grams, self._plain = grams, plain

    def __call__(self, tensor: SourceTensor, values: NDArray[np.float32], type_name: str) -> memoryview:
        if type_name not in GRIDS or tensor.name not in self._grams:
            return self._plain(tensor, values, type_name)
        return gptq(type_name, values, self._grams.gram(tensor.name), encode).data


def _quantised(types: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in types.items() if kind not in _FLOATS}
