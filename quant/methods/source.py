"""What the methods read: the tensors of a model, one at a time. `edge.export`'s sources are such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.quant.mixtures import Tensor

__all__ = ["Encode", "Floats", "Tensor", "TensorSource"]

Floats: TypeAlias = NDArray[np.float32]

# (type name, rows (n, k), importance of columns (k,) or None) -> the bytes of all rows
Encode: TypeAlias = Callable[[str, Floats, Floats | None], NDArray[np.uint8]]


T_co = TypeVar("T_co", bound=Tensor, covariant=True)


class TensorSource(Protocol[T_co]):
    """metadata: GGUF keys and values."""

    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def tensors(self) -> Sequence[T_co]: ...

    def read(self, name: str) -> Floats:
        """One whole tensor as float32; nothing is kept of it."""
        ...
