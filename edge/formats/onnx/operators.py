"""Operators that a model may use: those that decoders are written with, and no others.

What reads files, runs code, makes random numbers or handles texts is not among them, and neither are operators that
no exporter of language models writes: what is never run cannot be attacked.
"""

from __future__ import annotations

__all__ = ["CONTEXT_OPERATOR", "DOMAINS", "is_known", "subgraph_operators"]

CONTEXT_OPERATOR = "EPContext"  # of com.microsoft: what a provider compiled; let run only where that is asked for

_ONNX = """
Abs Add And ArgMax ArgMin Attention BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Clip Concat
Constant ConstantOfShape Conv Cos CumSum DequantizeLinear Div DynamicQuantizeLinear Einsum Equal Erf Exp Expand Flatten
Floor Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity If IsInf IsNaN
LayerNormalization Less LessOrEqual Log LogSoftmax Loop MatMul MatMulInteger Max Min Mod Mul Neg NonZero Not OneHot Or
Pad Pow QLinearMatMul QuantizeLinear RMSNormalization Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin
ReduceProd ReduceSum ReduceSumSquare Relu Reshape RotaryEmbedding Round Scan ScatterElements ScatterND Shape Sigmoid
Sign SimplifiedLayerNormalization Sin Size SkipLayerNormalization Slice Softmax Softplus Split Sqrt Squeeze Sub Sum
Swish Tan Tanh TensorScatter Tile TopK Transpose Trilu Unsqueeze Where Xor
"""
_MICROSOFT = """
Attention BiasGelu CausalConvWithState DequantizeLinear DynamicQuantizeMatMul FastGelu FusedMatMul GatedAdd
GatedRMSNorm GatherBlockQuantized Gelu GroupQueryAttention LinearAttention LinearAttentionGate MatMulIntegerToFloat
MatMulNBits MoE MultiHeadAttention QLinearAdd QLinearMul QMoE QuantizeLinear QuickGelu RotaryEmbedding
SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization
"""

# Domain -> (oldest, newest version of its operators, their names). "ai.onnx" is another name of "".
DOMAINS: dict[str, tuple[int, int, frozenset[str]]] = {
    "": (13, 27, frozenset(_ONNX.split())),
    "com.microsoft": (1, 1, frozenset(_MICROSOFT.split())),
}


def is_known(domain: str, op_type: str, *, compiled: bool = False) -> bool:
    if compiled and (domain, op_type) == ("com.microsoft", CONTEXT_OPERATOR):
        return True
    return domain in DOMAINS and op_type in DOMAINS[domain][2]


def subgraph_operators() -> frozenset[str]:
    """Those of ONNX whose attributes hold graphs."""
    return frozenset({"If", "Loop", "Scan"})
