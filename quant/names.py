"""What --quant and `edge quantize` take: a named mixture, or one type for every matrix that it fits; or as stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.errors import RequestError
from edge.formats.types import BLOCKS, GGMLType
from edge.quant.encode import ENCODABLE
from edge.quant.mixtures import FILE_TYPES, MIXTURES, ModelFacts, Tensor, fitting, kept, may_be_quantised, types_of

__all__ = ["NAMES", "PURE", "USES", "Chosen", "as_stored", "choose", "full_name", "main_type"]

PURE = "pure-"
_SHORT = {"Q5_K": "Q5_K_M", "Q4_K": "Q4_K_M", "Q3_K": "Q3_K_M"}  # as llama.cpp's tool reads them
NAMES: tuple[str, ...] = (*MIXTURES, *(PURE + kind.name for kind in ENCODABLE if BLOCKS[kind][0] > 1))

# Mixture: what it is for. Bits are of a weight in most matrices; heads and some layers have more.
USES = {
    "Q8_0": "8.5 bits: what the original says, for all that can be measured",
    "Q6_K": "6.6 bits: hardly a difference",
    "Q5_K_M": "5.5 bits, some 6.6: small losses",
    "Q5_K_S": "5.5 bits",
    "Q5_1": "6 bits, an older type",
    "Q5_0": "5.5 bits, an older type",
    "Q4_K_M": "4.5 bits, some 6.6: the usual choice",
    "Q4_K_S": "4.5 bits, a few 5.5",
    "IQ4_NL": "4.5 bits, not evenly spaced, for rows that 256 does not divide",
    "IQ4_XS": "4.25 bits, not evenly spaced",
    "Q4_1": "5 bits, an older type",
    "Q4_0": "4.5 bits, an older type",
    "MXFP4": "experts in 4.25 bits, all else as Q8_0",
    "Q3_K_L": "3.4 bits, many 5.5",
    "Q3_K_M": "3.4 bits, many 4.5",
    "Q3_K_S": "3.4 bits",
    "Q2_K": "2.6 bits, many 3.4: large losses",
    "TQ2_0": "2.1 bits, for models trained with weights -1, 0 and 1",
    "TQ1_0": "1.7 bits, the same in less space",
    "F16": "16 bits, for originals of F32",
    "BF16": "16 bits, for originals of F32",
    "F32": "32 bits",
}


class Chosen(NamedTuple):
    """types: of every tensor, by name. file_type: `general.file_type`, None where GGUF has no number for it."""

    types: dict[str, str]
    file_type: int | None


def full_name(name: str) -> str:
    """Q4_K_M of Q4_K, and every other name as it is. RequestError: no such name."""
    name = _SHORT.get(name, name)
    if name not in NAMES:
        raise RequestError(f"{name!r} is no type or mixture; there are {', '.join(NAMES)}")
    return name


def choose(
    name: str, tensors: Sequence[Tensor], metadata: Mapping[str, Any], *, has_importance: bool = False
) -> Chosen:
    """The types that a name means for a model. metadata: its GGUF keys. RequestError: no such name."""
    name = full_name(name)
    if not name.startswith(PURE):
        types = types_of(name, tensors, ModelFacts.of(metadata), has_importance=has_importance)
        return Chosen(types, FILE_TYPES[name])
    base = GGMLType[name.removeprefix(PURE)]
    types = {
        tensor.name: fitting(base, tensor.shape[-1]).name if may_be_quantised(tensor) else kept(tensor)
        for tensor in tensors
    }
    return Chosen(types, FILE_TYPES.get(base.name))


def as_stored(tensors: Sequence[Tensor]) -> Chosen:
    """The types that a model is stored in, where edge can write them. Vectors are F32, as llama.cpp needs them."""
    types = {
        tensor.name: "F32" if len(tensor.shape) < 2 else _writable(tensor.type_name, tensor.shape[-1])
        for tensor in tensors
    }
    return Chosen(types, FILE_TYPES.get(main_type(tensors, types)))


def main_type(tensors: Sequence[Tensor], types: Mapping[str, str]) -> str:
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
