"""Which type each tensor of an export gets: by a name of edge.quant, or as the source has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from edge.export.source import SourceTensor
from edge.formats.types import BLOCKS, GGMLType
from edge.quant import ENCODABLE
from edge.quant.mixtures import FILE_TYPES
from edge.quant.names import Chosen, choose

__all__ = ["choose_types", "main_type"]


def choose_types(tensors: Sequence[SourceTensor], metadata: Mapping[str, Any], quant: str | None) -> Chosen:
    """quant: a name that `edge.quant.names` lists; None: as stored, where edge can write that type.

    Vectors and what is computed stay F32, as llama.cpp needs them. RequestError: no such name.
    """
    if quant is not None:
        return choose(quant, tensors, metadata)
    types = {
        tensor.name: "F32" if len(tensor.shape) < 2 else _writable(tensor.type_name, tensor.shape[-1])
        for tensor in tensors
    }
    return Chosen(types, FILE_TYPES.get(main_type(tensors, types)))


def main_type(tensors: Sequence[SourceTensor], types: Mapping[str, str]) -> str:
    """The type that holds most weights."""
    counts: dict[str, int] = {}
    for tensor in tensors:
        counts[types[tensor.name]] = counts.get(types[tensor.name], 0) + math.prod(tensor.shape)
    return max(counts, key=lambda name: counts[name])


def _writable(stored: str, columns: int) -> str:
    """`stored`, or what loses least beside it: Q8_0, where it fits and the values are not ternary, or F16."""
    candidates = (stored,) if stored in ("TQ1_0", "TQ2_0") else (stored, "Q8_0")
    known = {kind.name for kind in ENCODABLE}
    return next((name for name in candidates if name in known and columns % BLOCKS[GGMLType[name]][0] == 0), "F16")
