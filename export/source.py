"""Where an export takes a model from: metadata as a GGUF file states it, and tensors that are read one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SourceTensor", "TensorSource"]


class SourceTensor(NamedTuple):
    """A tensor under its GGUF name. shape: NumPy order, (rows, columns). type_name: as stored, "BF16" or "Q8_0"."""

    name: str
    shape: tuple[int, ...]
    type_name: str


class TensorSource(Protocol):
    """A model to export. metadata: GGUF keys and their values, `general.file_type` left to who chooses the types."""

    @property
    def metadata(self) -> dict[str, Any]: ...

    @property
    def tensors(self) -> Sequence[SourceTensor]: ...

    def read(self, name: str) -> NDArray[np.float32]:
        """One whole tensor as float32, in its shape. Nothing of it is kept."""
        ...
