"""Which type each matrix of a file gets: the mixtures of llama.cpp's quantiser, so that files are what people have.

A file type names most of its matrices. Heads, and in Q4_K_M and Q2_K some other matrices, get more bits; rows that no
block of 256 fits get a type with blocks of 32. For TQ1_0 and TQ2_0 embeddings and head have 8 bits, as is advised.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.backends.compiled import MATRIX_TYPES
from edge.formats.types import BLOCKS, GGMLType

__all__ = ["FILE_TYPES", "Matrix", "base_type", "matrix_type"]

# general.file_type of the files that have one; any other type may be written, without that number
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q4_K_M": 15, "Q6_K": 18,
    "IQ4_NL": 25, "IQ4_XS": 30, "BF16": 32, "TQ1_0": 36, "TQ2_0": 37,
}  # fmt: skip
_FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)
_TERNARY = (GGMLType.TQ1_0, GGMLType.TQ2_0)
# type with blocks of 256 -> what stands in for it; every type that is not here becomes IQ4_NL
_SMALLER_BLOCKS = dict.fromkeys((GGMLType.Q2_K, GGMLType.Q3_K, *_TERNARY), GGMLType.Q4_0) | {
    GGMLType.Q4_K: GGMLType.Q5_0,
    GGMLType.Q5_K: GGMLType.Q5_1,
    GGMLType.Q6_K: GGMLType.Q8_0,
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """name: without layer and ".weight": "attn_v", "output". A tied head is "output" too. layer: of num_layers."""

    name: str
    cols: int
    layer: int = 0
    num_layers: int = 1
    heads_per_kv_head: int = 1


def base_type(file_type: str) -> GGMLType:
    """The type that most matrices of a file get. ValueError: no such file type."""
    name = file_type.removeprefix("pure-")
    name = "Q4_K" if name == "Q4_K_M" else name
    if name not in GGMLType.__members__ or GGMLType[name] not in MATRIX_TYPES:
        raise ValueError(f"{file_type!r} is no type of weights; Q4_0, Q4_K_M, TQ2_0 or pure-Q4_K are")
    return GGMLType[name]


def matrix_type(file_type: str, matrix: Matrix) -> GGMLType:
    """file_type: "Q4_0", "Q4_K_M", ... or "pure-" and a type, which then all matrices that it fits get."""
    base = base_type(file_type)
    pure = file_type.startswith("pure-") or base in _FLOATS
    wanted = base if pure else _mixed(file_type, base, matrix)
    if matrix.cols % BLOCKS[wanted][0] == 0:
        return wanted
    return _SMALLER_BLOCKS.get(wanted, GGMLType.IQ4_NL)


def _mixed(file_type: str, base: GGMLType, matrix: Matrix) -> GGMLType:
    if matrix.name == "output":
        if base in _TERNARY or base is GGMLType.Q8_0 or matrix.cols % BLOCKS[base][0]:
            return GGMLType.Q8_0
        return GGMLType.Q6_K
    if matrix.name == "token_embd":
        return GGMLType.Q8_0 if base in _TERNARY else base
    if file_type == "Q4_K_M" and matrix.name in ("attn_v", "ffn_down"):
        return GGMLType.Q6_K if _deserves_more_bits(matrix.layer, matrix.num_layers) else base
    if file_type == "Q2_K":
        if matrix.name == "attn_v" and matrix.heads_per_kv_head >= 4:
            return GGMLType.Q4_K
        if matrix.name in ("attn_v", "attn_output", "ffn_down"):
            return GGMLType.Q3_K
    return base


def _deserves_more_bits(layer: int, num_layers: int) -> bool:
    """The first eighth of the layers, the last, and every third between them."""
    eighth = num_layers // 8
    return layer < eighth or layer >= 7 * num_layers // 8 or (layer - eighth) % 3 == 2
