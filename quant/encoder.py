"""Encodes tensor after tensor with one pool of threads: what `edge.export.export` takes as `encode`."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge.native import Threads
from edge.quant.encode import encode
from edge.quant.mixtures import Tensor

__all__ = ["Encoder"]


class Encoder:
    """importance: (columns,) by tensor name; tensors that are not there have none. A context manager: leaving it ends
    the threads. NativeError for a number of threads that no pool has."""

    def __init__(self, num_threads: int, importance: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        self._importance: Mapping[str, NDArray[np.float32]] = importance if importance is not None else {}
        self._threads = Threads(num_threads)

    def __call__(self, tensor: Tensor, values: NDArray[np.float32], type_name: str) -> memoryview:
        """The bytes of a tensor of any shape. Errors as of `encode`, without the name."""
        rows = values.reshape(-1, values.shape[-1])
        return encode(type_name, rows, self._importance.get(tensor.name), threads=self._threads).data

    def rows(
        self, type_name: str, rows: NDArray[np.float32], importance: NDArray[np.float32] | None
    ) -> NDArray[np.uint8]:
        """`encode` with these threads: what `edge.quant.mixed` tries types with."""
        return encode(type_name, rows, importance, threads=self._threads)

    def close(self) -> None:
        self._threads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
