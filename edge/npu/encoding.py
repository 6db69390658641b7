"""How integers at the borders of a graph stand for numbers: value = (code - zero_point) * scale."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CodeType", "Encoding"]

CodeType = Literal["uint8", "uint16"]
Codes = NDArray[np.unsignedinteger[Any]]


class Encoding(NamedTuple):
    """Of one value."""

    type: CodeType
    scale: float  # a float32
    zero_point: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.type)

    def encode(self, values: NDArray[np.float32]) -> Codes:
        """Rounded half to even; what lies beyond the ends becomes the ends."""
        with np.errstate(over="ignore"):  # beyond the ends, too
            codes = np.rint(values / np.float32(self.scale)) + np.float32(self.zero_point)
        result: Codes = np.clip(codes, 0, np.iinfo(self.dtype).max).astype(self.dtype)
        return result

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        return (codes.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)
