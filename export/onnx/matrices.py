"""How a matrix is stored for MatMulNBits and GatherBlockQuantized: codes of 2, 4 or 8 bits, a scale for each block.

A GGUF type whose blocks are such codes is taken over as it is; other weights are rounded. The operators' layouts are
in ONNX Runtime's docs/ContribOperators.md: codes (rows, blocks, bytes of a block), low bits first; scales (rows,
blocks); zero points packed as codes are, 2^(bits - 1) where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from edge.errors import NumericalError, RequestError
from edge.export.gguf_source import GGUFSource
from edge.export.onnx.rounding import pack_codes, round_blocks
from edge.export.source import SourceTensor, TensorSource
from edge.formats.cursor import quoted
from edge.formats.types import BLOCKS, GGMLType
from edge.graph.blocks import split_blocks
from edge.quant.encode import encode

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BITS", "BLOCK_SIZES", "MatrixForm", "Rows", "Rounding", "form_of", "read_matrix"]

BITS = (2, 4, 8)
BLOCK_SIZES = (16, 32, 64, 128, 256)
_MOST_BLOCK = 128  # MatMulNBits has fast kernels of two bits up to here

# Types whose codes fit: how many bits they take here, and whether blocks have a minimum.
_KEPT: dict[GGMLType, tuple[int, bool]] = {
    GGMLType.Q4_0: (4, False),
    GGMLType.Q4_1: (4, True),
    GGMLType.Q5_0: (8, False),
    GGMLType.Q5_1: (8, True),
    GGMLType.Q8_0: (8, False),
    GGMLType.IQ4_NL: (8, False),
    GGMLType.MXFP4: (8, False),
    GGMLType.TQ1_0: (2, False),
    GGMLType.TQ2_0: (2, False),
}
_EIGHT_BITS = (GGMLType.Q5_K, GGMLType.Q6_K)  # rounded anew to so many, for four would lose what they hold
_ENCODED = {4: GGMLType.Q4_0, 8: GGMLType.Q8_0}  # their encoders search the scale


class Rounding(NamedTuple):
    """bits: of weights that are rounded, and of kept ones (None: four, or what the stored type needs)."""

    bits: int | None = None
    block_size: int = 32

    def check(self) -> None:
        """RequestError for what no operator takes."""
        if self.bits is not None and self.bits not in BITS:
            raise RequestError(f"bits is {self.bits!r}; it must be one of {', '.join(map(str, BITS))}")
        if self.block_size not in BLOCK_SIZES:
            raise RequestError(
                f"block size is {self.block_size!r}; it must be one of {', '.join(map(str, BLOCK_SIZES))}"
            )


class MatrixForm(NamedTuple):
    """kept: the source's codes are taken over. offsets: value = scale * (code - 2^(bits - 1)) + offset of its block."""

    bits: int
    block_size: int
    zero_points: bool = False
    offsets: bool = False
    kept: bool = False

    @property
    def said(self) -> str:
        """For the reader: "4 bits in blocks of 32, as stored"."""
        return f"{self.bits} bits in blocks of {self.block_size}, {'as stored' if self.kept else 'rounded'}"

    def blocks(self, columns: int) -> int:
        return -(-columns // self.block_size)

    @property
    def block_bytes(self) -> int:
        return self.block_size * self.bits // 8

    def zero_bytes(self, columns: int) -> int:
        """Of the packed zero points of a row."""
        return -(-self.blocks(columns) * self.bits // 8)


class Rows(NamedTuple):
    """Rows first .. end - 1 of a tensor."""

    tensor: SourceTensor
    first: int
    end: int


def form_of(tensor: SourceTensor, rounding: Rounding) -> MatrixForm:
    """How a matrix is to be stored."""
    kind = GGMLType[tensor.type_name]
    known = _KEPT.get(kind)
    if known is not None and rounding.bits in (None, known[0]):
        return MatrixForm(known[0], min(BLOCKS[kind][0], _MOST_BLOCK), offsets=known[1], kept=True)
    bits = rounding.bits
    if bits is None:
        bits = 8 if kind in _EIGHT_BITS else 4
    return MatrixForm(bits, rounding.block_size, zero_points=bits == 2)


def read_matrix(source: TensorSource, pieces: Sequence[Rows], form: MatrixForm) -> list[NDArray[Any]]:
    """Codes, scales, and, as the form says, packed zero points or offsets (blocks, rows), of rows of tensors that stand
    one behind the other. NumericalError naming the tensor: a weight that is not finite."""
    found = [_read(source, piece, form) for piece in pieces]
    codes = np.concatenate([item.codes for item in found]) if len(found) > 1 else found[0].codes
    arrays: list[NDArray[Any]] = [codes, np.concatenate([item.scales for item in found])]
    if form.zero_points:
        zeros = np.concatenate([item.zeros for item in found if item.zeros is not None])
        arrays.append(pack_codes(zeros, form.bits))
    if form.offsets:
        offsets = np.concatenate([item.offsets for item in found if item.offsets is not None])
        arrays.append(np.ascontiguousarray(offsets.T))
    return arrays


class _Matrix(NamedTuple):
    codes: NDArray[np.uint8]  # packed, (rows, blocks, bytes of a block)
    scales: NDArray[np.float32]
    zeros: NDArray[np.uint8] | None = None  # one a byte, (rows, blocks)
    offsets: NDArray[np.float32] | None = None  # (rows, blocks)


def _read(source: TensorSource, piece: Rows, form: MatrixForm) -> _Matrix:
    tensor, rows = piece.tensor, slice(piece.first, piece.end)
    if form.kept and isinstance(source, GGUFSource):
        with source.stored(tensor.name) as data:
            row_bytes = len(data) // tensor.shape[0]
            part = data[piece.first * row_bytes : piece.end * row_bytes]
            found = _from_blocks(GGMLType[tensor.type_name], part, (piece.end - piece.first, tensor.shape[1]), form)
            part.release()
        return found
    values = source.read(tensor.name)[rows]
    carrier = _ENCODED.get(form.bits)
    if carrier is not None and form.block_size == BLOCKS[carrier][0] and values.shape[1] % form.block_size == 0:
        blocks = encode(carrier.name, np.ascontiguousarray(values), tensor=tensor.name)
        return _from_blocks(carrier, memoryview(cast("Buffer", blocks)).cast("B"), values.shape, form)
    try:
        codes, scales, zeros = round_blocks(values, form.bits, form.block_size)
    except NumericalError as error:
        raise NumericalError(f"tensor {quoted(tensor.name)}: {error}") from None
    return _Matrix(pack_codes(codes, form.bits), scales, zeros)


_CHUNK_ELEMENTS = 1 << 20


def _from_blocks(kind: GGMLType, data: memoryview, shape: tuple[int, ...], form: MatrixForm) -> _Matrix:
    """The codes of blocks as they are, a piece of the rows at a time: splitting takes many bytes for each."""
    rows, columns = shape
    blocks, half = form.blocks(columns), 2 ** (form.bits - 1)
    codes = np.empty((rows, blocks, form.block_bytes), np.uint8)
    scales = np.empty((rows, blocks), np.float32)
    offsets = np.empty((rows, blocks), np.float32) if form.offsets else None
    row_bytes, step = len(data) // rows, max(1, _CHUNK_ELEMENTS // columns)
    for first in range(0, rows, step):
        end = min(rows, first + step)
        split = split_blocks(kind, data[first * row_bytes : end * row_bytes], (end - first, columns))
        least = 0 if form.offsets and form.bits == 4 else -half
        integers = split.integers.reshape(end - first, blocks, form.block_size)
        codes[first:end] = pack_codes((integers - least).astype(np.uint8), form.bits)
        each = split.scale.repeat(blocks // split.scale.shape[1], axis=1)
        scales[first:end] = each
        if offsets is not None:
            assert split.minimum is not None  # of every type that form_of gives offsets
            offsets[first:end] = each * np.float32(half + least) - split.minimum
    return _Matrix(codes, scales, None, offsets)
