"""The splitter of every type that the engine multiplies in integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes, type_name
from edge.graph.blocks import code_books, flat, k_quants, ternary
from edge.graph.blocks.layout import Blocks, Bytes

__all__ = ["split_blocks"]


def split_blocks(kind: int, data: bytes | memoryview, shape: tuple[int, ...]) -> Blocks:
    """ValueError when the type has no integers to multiply, or data does not have the size that the shape needs."""
    splitter = _SPLITTERS.get(kind)
    if splitter is None:
        raise ValueError(f"the engine has no integer kernel for {type_name(kind)}")
    raw = np.frombuffer(data, np.uint8)
    if raw.size != tensor_num_bytes(kind, shape):
        raise ValueError(f"{type_name(kind)} of shape {shape} has {raw.size} bytes")
    rows, cols = shape
    elements, num_bytes = BLOCKS[GGMLType(kind)]
    with np.errstate(invalid="ignore"):  # a scale that is no number is a result, as in the engine
        return splitter(raw.reshape(rows, cols // elements, num_bytes).astype(np.int64))


_SPLITTERS: dict[int, Callable[[Bytes], Blocks]] = {
    GGMLType.Q4_0: flat.q4_0,
    GGMLType.Q4_1: flat.q4_1,
    GGMLType.Q5_0: flat.q5_0,
    GGMLType.Q5_1: flat.q5_1,
    GGMLType.Q8_0: flat.q8_0,
    GGMLType.Q1_0: flat.q1_0,
    GGMLType.Q2_0: flat.q2_0,
    GGMLType.IQ4_NL: flat.iq4_nl,
    GGMLType.MXFP4: flat.mxfp4,
    GGMLType.NVFP4: flat.nvfp4,
    GGMLType.Q2_K: k_quants.q2_k,
    GGMLType.Q3_K: k_quants.q3_k,
    GGMLType.Q4_K: k_quants.q4_k,
    GGMLType.Q5_K: k_quants.q5_k,
    GGMLType.Q6_K: k_quants.q6_k,
    GGMLType.TQ1_0: ternary.tq1_0,
    GGMLType.TQ2_0: ternary.tq2_0,
    GGMLType.IQ1_S: code_books.iq1_s,
    GGMLType.IQ1_M: code_books.iq1_m,
    GGMLType.IQ2_XXS: code_books.iq2_xxs,
    GGMLType.IQ2_XS: code_books.iq2_xs,
    GGMLType.IQ2_S: code_books.iq2_s,
    GGMLType.IQ3_XXS: code_books.iq3_xxs,
    GGMLType.IQ3_S: code_books.iq3_s,
    GGMLType.IQ4_XS: code_books.iq4_xs,
}
