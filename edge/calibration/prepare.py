"""A model made ready to be written with fewer bits by one of the methods: what `edge.export.export` takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from edge import device
from edge.calibration.calibration import Calibration
from edge.calibration.collect import collect
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

__all__ = ["METHODS", "Method", "Prepared", "prepare"]

Method: TypeAlias = Literal["rounding", "gptq", "awq"]
METHODS: tuple[str, ...] = get_args(Method)

_FLOATS = ("F32", "F16", "BF16")
_GRAM_SHARE = 4  # Gram matrices may take one part in so many of the memory that is available


class Prepared(NamedTuple):
    """source: the model's tensors, scaled where the method does that. metadata: what the file should say of it."""

    source: TensorSource
    encode: Encode
    metadata: Mapping[str, str]


@contextmanager
def prepare(
    path: str | os.PathLike[str],
    source: TensorSource,
    types: Mapping[str, str],
    *,
    method: str,
    text: str,
    importance: Calibration | None = None,
    num_threads: int,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Generator[Prepared]:
    """The model at `path`, whose tensors `source` reads, to be written as `types` (tensor -> type name).

    rounding: by importance alone. awq: channels are scaled before. gptq: matrices of Q4_0 and Q4_K are rounded with
    feedback, the others by importance. importance: read from a file; otherwise it is gathered from `text`, as are
    Gram matrices. options: keywords of `collect`, which leaves no
    packed file of a model that is only read here. Raises RequestError for an unknown method, or an importance of
    another model, and what `collect` raises.
    """
    if method not in METHODS:
        raise RequestError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    keywords: dict[str, Any] = {"num_threads": num_threads, "cache": CacheOptions(enabled=False), **(options or {})}
    known = collect(path, text, on_progress=on_progress, **keywords) if importance is None else importance
    shapes = {tensor.name: tensor.shape for tensor in source.tensors}
    squares = {name: values for name, values in known.squares.items() if name in shapes}
    for name in squares:
        known.importance(name, shapes[name][-1])
    if not squares:
        raise RequestError("the importance matrix knows none of the model's tensors: it is of another model")
    said = {"edge.quantisation.method": method}
    if known.text_hash:
        said["edge.quantisation.calibration_sha256"] = known.text_hash
    if method == "awq":
        with open_gguf(path) as file:
            graph = build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})
        scaled = awq(source, graph, squares, _quantised(types), encode)
        source, squares = scaled, {name: scaled.squares(name, values) for name, values in squares.items()}
    with Encoder(num_threads, squares) as plain:
        chosen: Encode = plain
        if method == "gptq":
            said["edge.quantisation.calibration_sha256"] = hashlib.sha256(text.encode()).hexdigest()
            chosen = _Gptq(path, text, types, plain, keywords)
        yield Prepared(source, chosen, said)


class _Gptq:
    """An encoder that rounds with feedback where it can."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        text: str,
        types: Mapping[str, str],
        plain: Encoder,
        options: Mapping[str, Any],
    ) -> None:
        self._plain = plain
        names = [name for name, kind in types.items() if kind in GRIDS]
        budget = device.memory().available_bytes // _GRAM_SHARE
        self._grams = Grams(path, text, budget_bytes=budget, names=names, **options)

    def __call__(self, tensor: SourceTensor, values: NDArray[np.float32], type_name: str) -> memoryview:
        if type_name not in GRIDS or tensor.name not in self._grams:
            return self._plain(tensor, values, type_name)
        return gptq(type_name, values, self._grams.gram(tensor.name), encode).data


def _quantised(types: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in types.items() if kind not in _FLOATS}
