"""Runs fused ops as program.h describes them, in the order of its epilogue: what fusion is tested by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.graph import numerics
from edge.graph.fuse import FusedAttention, FusedLinear, FusedNode
from edge.graph.numerics import Array
from edge.graph.ops import Activation, Add, Embedding, Gelu, GeluErf, LayerNorm, Mul, Relu2, RmsNorm, SelectRows, Silu


def run_fused(
    nodes: Sequence[FusedNode],
    tensors: Mapping[str, NDArray[np.float64]],
    token_ids: Sequence[int],
    logit_rows: Sequence[int],
) -> dict[int, Array]:
    """Values by node number, in float64, of one step over a fresh sequence. Only what is read may have been made."""
    positions = np.arange(len(token_ids), dtype=np.int64)
    values: dict[int, Array] = {}

    def linear(op: FusedLinear, x: Array, i: int) -> Array:
        weight, bias, rows = op.linears[i]
        y = x @ tensors[weight].T
        y = y if rows is None else y[:, rows[0] : rows[1]]
        return y if bias is None else y + tensors[bias]

    for node in nodes:
        inputs = [values[i] for i in node.inputs]
        outputs: list[Array]
        match node.op:
            case Embedding(weight, scale, row_of):
                rows = {"token": list(token_ids), "position": positions, "first": 0 * positions}
                outputs = [tensors[weight][rows[row_of]] * scale]
            case LayerNorm(gain, bias, eps):
                outputs = [numerics.layer_norm(inputs[0], tensors[gain], tensors[bias], eps)]
            case RmsNorm(gain, eps):
                outputs = [numerics.rms_norm(inputs[0], tensors[gain], eps)]
            case Add():
                outputs = [inputs[0] + inputs[1]]
            case Mul():
                outputs = [inputs[0] * inputs[1]]
            case Silu() | Gelu() | GeluErf() | Relu2():
                outputs = [_activate(node.op, inputs[0])]
            case SelectRows():
                outputs = [inputs[0][list(logit_rows)]]
            case FusedLinear() as op:
                x = inputs[0]
                if op.norm is not None:
                    x = numerics.rms_norm(x, tensors[op.norm.gain], op.norm.eps)
                if op.activation is not None:
                    outputs = [_activate(op.activation, linear(op, x, 0))]
                    outputs = [outputs[0] * linear(op, x, 1)] if len(op.linears) == 2 else outputs
                else:
                    outputs = [linear(op, x, i) for i in range(len(op.linears))]
                if op.residual:
                    outputs = [inputs[1] + outputs[0]]
            case FusedAttention() as op:
                assert len(inputs) == 3, "shared K and V are compared with the engine"
                q, k, v = inputs
                if op.q_norm is not None:
                    q = numerics.rms_norm(q, tensors[op.q_norm.gain], op.q_norm.eps)
                if op.k_norm is not None:
                    k = numerics.rms_norm(k, tensors[op.k_norm.gain], op.k_norm.eps)
                head_dim = op.attention.head_dim
                if op.rope is not None:
                    q = numerics.rope(q, op.rope, head_dim, positions)
                    k = numerics.rope(k, op.rope, head_dim, positions)
                q, k, v = (x.reshape(len(positions), -1, head_dim) for x in (q, k, v))
                ends = np.full_like(positions, len(positions) - 1) if op.attention.whole else positions
                outputs = [numerics.attend(q, k, v, ends, op.attention.scale, op.attention.window)]
        assert len(outputs) == len(node.outputs)
        for i, value in zip(node.outputs, outputs, strict=True):
            assert i not in values, "a value was made twice"
            values[i] = value
    return values


def _activate(op: Activation, x: Array) -> Array:
    match op:
        case Silu():
            return numerics.silu(x)
        case Gelu():
            return numerics.gelu(x)
        case GeluErf():
            return numerics.gelu_erf(x)
        case Relu2():
            return numerics.relu2(x)
