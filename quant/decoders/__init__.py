"""Decodes blocks of GGUF types to floats, in the operation order of the engine's embedding rows.

Each decoder takes blocks (num_blocks, block_bytes) uint8 and returns (num_blocks, block_elements) in `dtype`. In
float32 the result is bit for bit what the engine computes; float64 gives the value that the file means, for reference
runs.
Layouts: the GGUF specification and ggml-common.h.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.formats.types import GGMLType
from edge.quant.decoders import code_books, flat, floats, k_quants, ternary
from edge.quant.decoders.arrays import Bytes, Floats, FloatType

__all__ = ["DECODERS", "Bytes", "FloatType", "Floats"]

DECODERS: dict[GGMLType, Callable[[Bytes, FloatType], Floats]] = {
    GGMLType.F32: floats.f32,
    GGMLType.F16: floats.f16,
    GGMLType.BF16: floats.bf16,
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
