"""Which type each tensor of an export gets when one type is asked for, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.errors import RequestError
from edge.export.source import SourceTensor
from edge.formats.types import BLOCKS, GGMLType
from edge.quant import ENCODABLE

__all__ = ["FILE_TYPES", "choose_types"]

# `general.file_type`, as llama.cpp numbers it (llama_ftype).
FILE_TYPES: Mapping[str, int] = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30,
    "BF16": 32, "TQ1_0": 36, "TQ2_0": 37, "MXFP4": 38,
}  # fmt: skip
_FALLBACK = "Q8_0"  # for rows that are no whole number of blocks; F16 where it does not fit either


def choose_types(tensors: Sequence[SourceTensor], quant: str | None) -> dict[str, str]:
    """The type of each tensor. None: as it is stored. Where edge cannot write a type, or its blocks do not fit the
    rows, a matrix becomes Q8_0 or F16.

    Vectors and what is computed are F32, as llama.cpp needs them. RequestError: no such type, or none to write it.
    """
    known = {kind.name for kind in ENCODABLE}
    if quant is not None and quant not in known:
        raise RequestError(f"--quant is {quant!r}; it must be one of {', '.join(sorted(known))}")
    chosen: dict[str, str] = {}
    for tensor in tensors:
        wanted = tensor.type_name if quant is None else quant
        chosen[tensor.name] = "F32" if len(tensor.shape) < 2 else _fitting(wanted, tensor.shape[-1], known)
    return chosen


def _fitting(wanted: str, columns: int, known: set[str]) -> str:
    """`wanted`, or what is nearest among those that hold rows of so many columns."""
    candidates = (wanted,) if wanted in ("TQ1_0", "TQ2_0") else (wanted, _FALLBACK)
    return next((name for name in candidates if name in known and columns % BLOCKS[GGMLType[name]][0] == 0), "F16")
