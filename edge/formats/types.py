"""The numbers of GGUF: types of metadata values, types of tensors, and the size of each block.

Source: the GGUF specification (ggml docs/gguf.md). One place for reader, writer, planner and quantiser.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum

__all__ = ["BLOCKS", "MAX_DIMS", "SCALARS", "GGMLType", "ValueType", "tensor_num_bytes", "type_name"]

MAX_DIMS = 4
MAX_ELEMENTS = 2**63 - 1


class ValueType(IntEnum):
    """Type of a metadata value, as the file writes it."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


# Little-endian struct and the memoryview format of every value of fixed size.
SCALARS: dict[ValueType, struct.Struct] = {
    ValueType.UINT8: struct.Struct("<B"),
    ValueType.INT8: struct.Struct("<b"),
    ValueType.UINT16: struct.Struct("<H"),
    ValueType.INT16: struct.Struct("<h"),
    ValueType.UINT32: struct.Struct("<I"),
    ValueType.INT32: struct.Struct("<i"),
    ValueType.FLOAT32: struct.Struct("<f"),
    ValueType.BOOL: struct.Struct("<B"),
    ValueType.UINT64: struct.Struct("<Q"),
    ValueType.INT64: struct.Struct("<q"),
    ValueType.FLOAT64: struct.Struct("<d"),
}


class GGMLType(IntEnum):
    """Type of a tensor. The missing numbers (4, 5, 31-33, 36-38) were removed from the format."""

    F32 = 0
    F16 = 1
    Q4_0 = 2
    Q4_1 = 3
    Q5_0 = 6
    Q5_1 = 7
    Q8_0 = 8
    Q8_1 = 9
    Q2_K = 10
    Q3_K = 11
    Q4_K = 12
    Q5_K = 13
    Q6_K = 14
    Q8_K = 15
    IQ2_XXS = 16
    IQ2_XS = 17
    IQ3_XXS = 18
    IQ1_S = 19
    IQ4_NL = 20
    IQ3_S = 21
    IQ2_S = 22
    IQ4_XS = 23
    I8 = 24
    I16 = 25
    I32 = 26
    I64 = 27
    F64 = 28
    IQ1_M = 29
    BF16 = 30
    TQ1_0 = 34
    TQ2_0 = 35
    MXFP4 = 39
    NVFP4 = 40
    Q1_0 = 41
    Q2_0 = 42


# type: (elements in a block, bytes of a block)
BLOCKS: dict[GGMLType, tuple[int, int]] = {
    GGMLType.F32: (1, 4),
    GGMLType.F16: (1, 2),
    GGMLType.Q4_0: (32, 18),
    GGMLType.Q4_1: (32, 20),
    GGMLType.Q5_0: (32, 22),
    GGMLType.Q5_1: (32, 24),
    GGMLType.Q8_0: (32, 34),
    GGMLType.Q8_1: (32, 36),
    GGMLType.Q2_K: (256, 84),
    GGMLType.Q3_K: (256, 110),
    GGMLType.Q4_K: (256, 144),
    GGMLType.Q5_K: (256, 176),
    GGMLType.Q6_K: (256, 210),
    GGMLType.Q8_K: (256, 292),
    GGMLType.IQ2_XXS: (256, 66),
    GGMLType.IQ2_XS: (256, 74),
    GGMLType.IQ3_XXS: (256, 98),
    GGMLType.IQ1_S: (256, 50),
    GGMLType.IQ4_NL: (32, 18),
    GGMLType.IQ3_S: (256, 110),
    GGMLType.IQ2_S: (256, 82),
    GGMLType.IQ4_XS: (256, 136),
    GGMLType.I8: (1, 1),
    GGMLType.I16: (1, 2),
    GGMLType.I32: (1, 4),
    GGMLType.I64: (1, 8),
    GGMLType.F64: (1, 8),
    GGMLType.IQ1_M: (256, 56),
    GGMLType.BF16: (1, 2),
    GGMLType.TQ1_0: (256, 54),
    GGMLType.TQ2_0: (256, 66),
    GGMLType.MXFP4: (32, 17),
    GGMLType.NVFP4: (64, 36),
    GGMLType.Q1_0: (128, 18),
    GGMLType.Q2_0: (64, 18),
}


def type_name(number: int) -> str:
    """Name of a tensor type, or "type 77" for a number that no type has."""
    try:
        return GGMLType(number).name
    except ValueError:
        return f"type {number}"


def tensor_num_bytes(number: int, shape: Sequence[int]) -> int:
    """Bytes of a tensor of type `number` and `shape` (NumPy order: the last dimension is contiguous).

    This is the only place where the size of a tensor is computed. Raises ValueError naming the value and the limit.
    """
    try:
        block_elements, block_bytes = BLOCKS[GGMLType(number)]
    except ValueError:
        raise ValueError(f"tensor type {number} is not one that GGUF defines (or was removed from it)") from None
    if not 1 <= len(shape) <= MAX_DIMS:
        raise ValueError(f"{len(shape)} dimensions, allowed are 1 to {MAX_DIMS}")
    elements = 1
    for size in shape:
        if not 1 <= size <= MAX_ELEMENTS:
            raise ValueError(f"dimension {size} is not between 1 and {MAX_ELEMENTS}")
        elements *= size
    if elements > MAX_ELEMENTS:
        raise ValueError(f"dimensions {tuple(shape)} multiply to {elements} elements, the limit is {MAX_ELEMENTS}")
    if shape[-1] % block_elements:
        name = GGMLType(number).name
        raise ValueError(f"row length {shape[-1]} is not a multiple of {block_elements}, the block of {name}")
    return elements // block_elements * block_bytes
