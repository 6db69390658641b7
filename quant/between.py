"""Types for a file of a given size where nobody knows how much the model minds an error: between two named mixtures.

The mixtures say which matrices deserve more bits, from the experience of others. So every matrix gets at least
its type of the largest mixture that fits and at most that of the next one, and the error of the weights only decides
which gain first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes
from edge.quant.mixed import TYPES, Encode, Source, matrix_budget, mixed_types
from edge.quant.mixtures import Tensor, may_be_quantised
from edge.quant.names import choose

__all__ = ["LADDER", "Between", "between_mixtures"]

# Each is larger than the one before, and loses less (docs/quantisation-table.md).
LADDER = (
    "pure-Q2_K", "Q2_K", "Q3_K_S", "Q3_K_M", "IQ4_XS", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16",
)  # fmt: skip


class Between(NamedTuple):
    """types: of every tensor. lower: the largest mixture that fits, None: the size is below all. upper: the next one,
    None: nothing is larger."""

    types: dict[str, str]
    lower: str | None
    upper: str | None

    @property
    def said(self) -> str:
        """For the reader."""
        if self.lower is None:
            return f"by the error of the weights, smaller than {LADDER[0]}"
        return f"as {self.lower}" if self.upper is None else f"between {self.lower} and {self.upper}"


def between_mixtures(
    source: Source,
    encode: Encode,
    *,
    size_bytes: int | None = None,
    bits_per_weight: float | None = None,
    importance: Mapping[str, NDArray[np.float32]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Between:
    """As `mixed_types`, whose errors it raises. Below the smallest mixture all types are tried by the error of the
    weights alone."""
    budget = matrix_budget(source, size_bytes=size_bytes, bits_per_weight=bits_per_weight)
    mixtures = {
        name: choose(name, source.tensors, source.metadata, has_importance=importance is not None).types
        for name in LADDER
    }
    sizes = {name: _num_bytes(source, types) for name, types in mixtures.items()}
    lower = max((name for name in LADDER if sizes[name] <= budget), key=lambda name: sizes[name], default=None)
    upper = None if lower is None else next((name for name in LADDER if sizes[name] > budget), None)
    ends = [mixtures[name] for name in (lower, upper) if name is not None]
    types = mixed_types(
        source,
        encode,
        size_bytes=size_bytes,
        bits_per_weight=bits_per_weight,
        importance=importance,
        # an error of each weight counts the same, as a share of the matrix's size
        sensitivity={tensor.name: math.prod(tensor.shape) for tensor in source.tensors},
        types=_allowed(source, ends) if ends else TYPES,
        on_progress=on_progress,
    )
    return Between(types, lower, upper)


def _allowed(source: Source, ends: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Of each matrix: its type of the lower mixture, and where that of the upper one is larger that one and what lies
    between them."""
    allowed: dict[str, list[str]] = {}
    for tensor in source.tensors:
        first, last = ends[0][tensor.name], ends[-1][tensor.name]
        allowed[tensor.name] = [first]
        if _bytes_of(tensor, last) > _bytes_of(tensor, first):
            fitting = [kind for kind in TYPES if tensor.shape[-1] % BLOCKS[GGMLType[kind]][0] == 0]
            between = range(_bytes_of(tensor, first) + 1, _bytes_of(tensor, last))
            allowed[tensor.name] += [*(kind for kind in fitting if _bytes_of(tensor, kind) in between), last]
    return allowed


def _bytes_of(tensor: Tensor, type_name: str) -> int:
    return tensor_num_bytes(GGMLType[type_name], tensor.shape)


def _num_bytes(source: Source, types: Mapping[str, str]) -> int:
    """Of the matrices that are quantised."""
    return sum(_bytes_of(tensor, types[tensor.name]) for tensor in source.tensors if may_be_quantised(tensor))
