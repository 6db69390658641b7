"""What is asked of a conversion."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from edge.calibration.prepare import METHODS as _PREPARED
from edge.errors import RequestError
from edge.quant.names import full_name

__all__ = ["METHODS", "Recipe"]

METHODS = (*_PREPARED, "smoothquant+")

_SAID = {"rounding": "importance", "awq": "AWQ", "gptq": "GPTQ", "smoothquant+": "SmoothQuant+"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How matrices are to be stored: by one of the first three fields, or with none of them as they are.

    quant: a name of `edge.quant.names`. size_bytes: of the file, at most. bits_per_weight: over all tensors, at most.
    method: one of METHODS. calibration: a file, UTF-8 text or an importance matrix; with a method alone the text that
    ships. sensitivity: for a size, whether the engine measures how much the model minds an error in each matrix; None:
    where it can, and where that does not take long. Raises RequestError for what contradicts itself.
    """

    quant: str | None = None
    size_bytes: int | None = None
    bits_per_weight: float | None = None
    method: str | None = None
    calibration: str | os.PathLike[str] | None = None
    sensitivity: bool | None = None

    def __post_init__(self) -> None:
        asked = [value for value in (self.quant, self.size_bytes, self.bits_per_weight) if value is not None]
        if len(asked) > 1:
            raise RequestError("give one of a type, a size and bits per weight")
        if self.quant is not None:
            full_name(self.quant)
        if self.bits_per_weight is not None and not (math.isfinite(self.bits_per_weight) and self.bits_per_weight > 0):
            raise RequestError(f"bits per weight is {self.bits_per_weight}; it must be above 0")
        if self.method is not None and self.method not in METHODS:
            raise RequestError(f"method is {self.method!r}; it must be one of {', '.join(METHODS)}")
        if self.sensitivity is not None and not self.is_mixed:
            raise RequestError("sensitivity chooses types: it goes with a size or bits per weight")
        if self.is_calibrated and not asked:
            raise RequestError("nothing is rounded: calibration goes with a type, a size or bits per weight")

    @property
    def changes_types(self) -> bool:
        return self.is_mixed or self.quant is not None

    @property
    def is_mixed(self) -> bool:
        return self.size_bytes is not None or self.bits_per_weight is not None

    @property
    def is_probed(self) -> bool:
        """Whether sensitivity is to be measured."""
        return self.is_mixed and self.sensitivity is not False

    @property
    def may_lose(self) -> bool:
        """Whether there can be damage to measure."""
        return self.is_mixed or self.quant not in (None, "F32")

    @property
    def is_calibrated(self) -> bool:
        return self.method is not None or self.calibration is not None

    def said(self, how: str | None) -> str:
        """For the reader: "Q4_K_M, AWQ". how: types were chosen for a size."""
        kind = "mixed" + (f" {how}" if how else "") if self.quant is None else full_name(self.quant)
        return f"{kind}, {_SAID[self.method or 'rounding']}" if self.is_calibrated else kind
