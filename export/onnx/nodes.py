"""Parts of graphs that every lowering to ONNX builds in the same way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.export.onnx.graph_writer import GraphWriter, Part
from edge.export.onnx.matrices import MatrixForm, Rows, read_matrix
from edge.export.onnx.messages import DataType
from edge.export.source import TensorSource
from edge.graph.numerics import rope_tables
from edge.graph.ops import RopeSpec

__all__ = ["MatrixParts", "gelu", "look_up", "matmul", "matrix_parts", "relu2", "rms_norm", "rotary_tables", "silu"]


class MatrixParts:
    """A matrix among the weights: its parts' names, and its size. is_table: codes have the shape in which rows are
    looked up, (rows, bytes of a row), not that in which they are multiplied."""

    def __init__(self, name: str, rows: int, columns: int, form: MatrixForm, *, is_table: bool = False) -> None:
        self.name, self.rows, self.columns, self.form, self.is_table = name, rows, columns, form, is_table
        blocks = form.blocks(columns)
        self._blocks = (rows, blocks, form.block_bytes)
        shape = (rows, blocks * form.block_bytes) if is_table else self._blocks
        self.codes = Part(f"{name}_Q{form.bits}", DataType.UINT8, shape)
        self.scales = Part(f"{name}_scales", DataType.FLOAT, (rows, blocks))
        self.zeros = Part(f"{name}_zeros", DataType.UINT8, (rows, form.zero_bytes(columns)))
        self.offsets = Part(f"{name}_offsets", DataType.FLOAT, (blocks, rows))

    def codes_in_blocks(self, onnx: GraphWriter) -> str:
        """What MatMulNBits reads: of a table the same bytes again, stored once."""
        name = f"{self.codes.name}_blocks"
        if not self.is_table:
            return self.codes.name
        return name if onnx.has(name) else onnx.alias(name, self.codes, self._blocks)

    @property
    def all(self) -> list[Part]:
        """In the order of `read_matrix`."""
        parts = [self.codes, self.scales]
        if self.form.zero_points:
            parts.append(self.zeros)
        if self.form.offsets:
            parts.append(self.offsets)
        return parts


def matrix_parts(
    onnx: GraphWriter,
    source: TensorSource,
    name: str,
    pieces: Sequence[Rows],
    form: MatrixForm,
    *,
    is_table: bool = False,
) -> MatrixParts:
    """A matrix of the rows of `pieces`, one behind the other, as weights of the graph."""
    rows = sum(piece.end - piece.first for piece in pieces)
    parts = MatrixParts(name, rows, pieces[0].tensor.shape[1], form, is_table=is_table)
    onnx.weights(parts.all, lambda: read_matrix(source, pieces, form))
    return parts


def matmul(onnx: GraphWriter, x: str, matrix: MatrixParts, out: str, *, accuracy_level: int, bias: str = "") -> str:
    """out = x matrix^T + bias. accuracy_level 4: with activations rounded to eight bits, 0: as floats."""
    form = matrix.form
    inputs = [x, matrix.codes_in_blocks(onnx), matrix.scales.name]
    inputs += [matrix.zeros.name if form.zero_points else "", "", bias] if form.zero_points or bias else []
    while not inputs[-1]:
        inputs.pop()
    product = f"{out}/codes" if form.offsets else out
    onnx.contrib(
        "MatMulNBits",
        inputs,
        product,
        K=matrix.columns,
        N=matrix.rows,
        bits=form.bits,
        block_size=form.block_size,
        accuracy_level=accuracy_level,
    )
    if form.offsets:  # a block's offset is multiplied with the sum of its inputs
        sums = onnx.node("MatMul", [_block_sums(onnx, x, form), matrix.offsets.name], f"{out}/offsets")
        onnx.node("Add", [product, sums], out)
    return out


def look_up(onnx: GraphWriter, table: MatrixParts, ids: str, out: str) -> str:
    """Rows of a table (batch, tokens, columns) by their numbers (batch, tokens). Columns are whole blocks."""
    form = table.form
    rows = onnx.contrib(
        "GatherBlockQuantized",
        [table.codes.name, ids, table.scales.name, *([table.zeros.name] if form.zero_points else [])],
        f"{out}/codes" if form.offsets else out,
        bits=form.bits,
        block_size=form.block_size,
        gather_axis=0,
        quantize_axis=1,
    )
    if not form.offsets:
        return rows
    gathered = onnx.node("Gather", [table.offsets.name, ids], f"{out}/offsets_by_block", axis=1)
    offsets = onnx.node("Transpose", [gathered], f"{out}/offsets", perm=[1, 2, 0])
    last = onnx.shared("last_axis", np.array([-1], np.int64))
    in_blocks = onnx.node("Reshape", [rows, _blocks_shape(onnx, form)], f"{out}/blocks")
    moved = onnx.node("Add", [in_blocks, onnx.node("Unsqueeze", [offsets, last], f"{out}/wide")], f"{out}/moved")
    return onnx.node(
        "Reshape", [moved, onnx.shared(f"rows_of_{table.columns}", np.array([0, 0, table.columns], np.int64))], out
    )


def _blocks_shape(onnx: GraphWriter, form: MatrixForm) -> str:
    return onnx.shared(f"blocks_of_{form.block_size}", np.array([0, 0, -1, form.block_size], np.int64))


def _block_sums(onnx: GraphWriter, x: str, form: MatrixForm) -> str:
    """The sums of x over blocks; made once for all matrices that read x. Columns are whole blocks."""
    name = f"{x}/sums_of_{form.block_size}"
    if not onnx.has(name):
        blocks = onnx.node("Reshape", [x, _blocks_shape(onnx, form)], f"{name}/blocks")
        onnx.node("ReduceSum", [blocks, onnx.shared("last_axis", np.array([-1], np.int64))], name, keepdims=0)
    return name


def rms_norm(onnx: GraphWriter, x: str, gain: str, out: str, eps: float) -> str:
    """Over the last axis. Standard since opset 23."""
    return onnx.node("RMSNormalization", [x, gain], out, axis=-1, epsilon=float(eps))


def silu(onnx: GraphWriter, x: str, out: str) -> str:
    return onnx.node("Mul", [x, onnx.node("Sigmoid", [x], f"{out}/sigmoid")], out)


def gelu(onnx: GraphWriter, x: str, out: str) -> str:
    return onnx.node("Gelu", [x], out, approximate="tanh")


def relu2(onnx: GraphWriter, x: str, out: str) -> str:
    positive = onnx.node("Relu", [x], f"{out}/relu")
    return onnx.node("Mul", [positive, positive], out)


def rotary_tables(spec: RopeSpec, length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """cos and sin of the first `length` positions, (length, dims / 2)."""
    cos, sin = rope_tables(spec, np.arange(length, dtype=np.int64))
    return cos.astype(np.float32), sin.astype(np.float32)
