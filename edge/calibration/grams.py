"""Gram matrices of a model that do not fit in memory together: gathered for a part of the matrices at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.calibration.calibration import Calibration
from edge.calibration.collect import collect
from edge.calibration.recorder import matrix_inputs
from edge.errors import RequestError
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.models import build

__all__ = ["Grams"]


class Grams:
    """`gram(name)` of the matrices `names` (None: all), best asked for in the order of the model: one that is not at
    hand replaces those that are by itself and as many of those behind it as take `budget_bytes` together, and the text
    is read once for them. options: keywords of `collect`, whose errors it raises.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        text: str,
        *,
        budget_bytes: int,
        names: Iterable[str] | None = None,
        **options: Any,
    ) -> None:
        self._path, self._text, self._budget, self._options = path, text, budget_bytes, options
        with open_gguf(path) as file:
            shapes = {name: info.shape for name, info in file.tensors.items()}
            self._inputs = matrix_inputs(build(ModelConfig.from_gguf(file), shapes))
        self._bytes = {self._inputs[name]: 8 * shapes[name][1] ** 2 for name in self._inputs}
        if names is not None:
            self.only(names)
        self._grams: Mapping[str, NDArray[np.float64]] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._inputs

    def calibration(self, on_progress: Callable[[int, int], None] | None = None) -> Calibration:
        """What the text says of all matrices otherwise: the first Gram matrices come with it, in one reading."""
        first = next(iter(self._inputs), None)
        return self._gather([] if first is None else self._next(first), on_progress)

    def only(self, names: Iterable[str]) -> None:
        """Those of other matrices will not be asked for."""
        wanted = set(names)
        self._inputs = {name: value for name, value in self._inputs.items() if name in wanted}

    def gram(self, name: str) -> NDArray[np.float64]:
        """Mean of x x^T, (k, k). RequestError when it is no matrix that the model multiplies with."""
        if name not in self._inputs:
            raise RequestError(f"{name!r} is no matrix whose inputs are gathered")
        if name not in self._grams:
            self._gather(self._next(name), None)
        return self._grams[name]

    def _gather(self, names: list[str], on_progress: Callable[[int, int], None] | None) -> Calibration:
        self._grams = {}  # freed before the next are made
        found = collect(
            self._path, self._text, grams=True, names=names, on_progress=on_progress, **self._options
        )  # fmt: skip
        self._grams = found.grams
        return found

    def _next(self, name: str) -> list[str]:
        """The matrix and those behind it whose inputs fit; at least itself."""
        order = list(self._inputs)
        chosen: list[str] = []
        values: set[str] = set()
        for other in order[order.index(name) :]:
            values.add(self._inputs[other])
            if chosen and sum(self._bytes[value] for value in values) > self._budget:
                break
            chosen.append(other)
        return chosen
