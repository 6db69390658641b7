"""What is asked of an export to an NPU."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.errors import RequestError
from edge.export.npu.codes import WEIGHT_TYPES, WeightType
from edge.npu.target import Target

__all__ = ["NpuOptions"]

_MAX_CHUNK, _MAX_CONTEXT = 1024, 2**17


@dataclass(frozen=True, slots=True, kw_only=True)
class NpuOptions:
    """target: the provider that the graphs are for, with its options. chunk: tokens of the prefill graph. context:
    slots of K and V, the answer included.

    weights: int8 and int4 have a scale per output channel, with x32 one per block of 32 inputs. kv_bits: 8 or 16.
    activation_bits: of what matrices are multiplied with; everything else has 16. shadows: in so many places,
    the most outlying channels are computed on the CPU. Raises RequestError naming field, value and limit.
    """

    target: Target = field(default_factory=lambda: Target("qnn", (("backend_type", "htp"),)))
    chunk: int = 64
    context: int = 1024
    weights: WeightType = "int8"
    kv_bits: int = 8
    activation_bits: int = 16
    shadows: int = 0

    def __post_init__(self) -> None:
        self._within("chunk", self.chunk, 2, _MAX_CHUNK)
        self._within("context", self.context, self.chunk, _MAX_CONTEXT)
        self._within("shadows", self.shadows, 0, 1024)
        for name, value in (("kv_bits", self.kv_bits), ("activation_bits", self.activation_bits)):
            if value not in (8, 16):
                raise RequestError(f"{name} is {value}; it must be 8 or 16")
        if self.weights not in WEIGHT_TYPES:
            raise RequestError(f"weights is {self.weights!r}; it must be one of {', '.join(WEIGHT_TYPES)}")

    def _within(self, name: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            raise RequestError(f"{name} is {value}; it must be from {least} to {most}")
