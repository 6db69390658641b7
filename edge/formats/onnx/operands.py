"""Operators whose kernels trust their operands: sizes that attributes give must be those of the tensors."""

from __future__ import annotations

from pathlib import Path

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.onnx.parts import GraphSpec, NodeSpec, TensorSpec
from edge.formats.onnx.tensors import data_type_name

__all__ = ["check_operands"]

_UINT8, _FLOATS = 2, (1, 10, 16)
_BITS = (2, 4, 8)
_MAX_SIZE = 2**31 - 1


def check_operands(path: Path, graph: GraphSpec) -> None:
    """BadModelFile naming node, operand, what it has and what it needs. Of graphs inside nodes too."""
    for node in graph.nodes:
        check = _Checked(path, graph, node)
        if node.said == "com.microsoft.MatMulNBits":
            check.matmul()
        elif node.said == "com.microsoft.GatherBlockQuantized":
            check.lookup()
        elif node.said == "com.microsoft.GroupQueryAttention":
            check.attention()
        for value in node.attributes.values():
            if isinstance(value, GraphSpec):
                check_operands(path, value)


class _Checked:
    def __init__(self, path: Path, graph: GraphSpec, node: NodeSpec) -> None:
        self._path, self._graph, self._node = path, graph, node

    def matmul(self) -> None:
        """MatMulNBits: inputs A, B, scales, zero_points, g_idx, bias."""
        k, n = (self._integer(name, 1, _MAX_SIZE) for name in ("K", "N"))
        bits, block = self._bits_and_block("block_size")
        blocks = -(-k // block)
        self._require("B", 1, (n, blocks, block * bits // 8), types=(_UINT8,))
        self._require("scales", 2, (n, blocks), (n * blocks,))
        zeros = self._tensor(3)
        if zeros is not None and zeros.data_type == _UINT8:
            self._require("zero_points", 3, (n, -(-blocks * bits // 8)), (n * -(-blocks * bits // 8),))
        elif zeros is not None:
            self._require("zero_points", 3, (n, blocks), (n * blocks,))
        if self._given(4):
            raise self._bad("g_idx is given, which edge does not let run")
        self._require("bias", 5, (n,))

    def lookup(self) -> None:
        """GatherBlockQuantized: inputs data, indices, scales, zero_points."""
        bits, block = self._bits_and_block("block_size", default_bits=4)
        data, scales = self._tensor(0), self._tensor(2)
        if data is None or scales is None:
            return
        per_byte = 8 // bits if data.data_type == _UINT8 else 1
        columns = data.shape[-1] * per_byte if data.shape else 0
        wanted = (*data.shape[:-1], -(-columns // block))
        if len(data.shape) != 2 or self._attribute("gather_axis", 0) != 0 or self._attribute("quantize_axis", 1) != 1:
            raise self._bad("looks up anything but rows of a matrix, which edge does not let run")
        self._require("scales", 2, wanted)
        if data.data_type == _UINT8:
            self._require("zero_points", 3, (wanted[0], -(-wanted[1] * bits // 8)))

    def attention(self) -> None:
        """GroupQueryAttention: tables of the rotation, when there is one."""
        heads = self._integer("num_heads", 1, 2**16)
        kv_heads = self._integer("kv_num_heads", 1, 2**16)
        if heads % kv_heads:
            raise self._bad(f"num_heads is {heads}, wanted a multiple of kv_num_heads, {kv_heads}")
        if not self._attribute("do_rotary", 0):
            return
        cos, sin = self._tensor(7), self._tensor(8)
        if not (self._given(7) and self._given(8)):
            raise self._bad("rotates without cos_cache and sin_cache")
        if cos is not None and sin is not None:
            if len(cos.shape) != 2 or cos.shape != sin.shape or 0 in cos.shape:
                raise self._bad(
                    f"cos_cache and sin_cache have the shapes {cos.shape} and {sin.shape}, wanted two alike"
                )

    def _bits_and_block(self, block_name: str, default_bits: int = 4) -> tuple[int, int]:
        bits = self._attribute("bits", default_bits)
        if bits not in _BITS:
            raise self._bad(f"bits is {bits}, wanted 2, 4 or 8")
        block = self._integer(block_name, 16, 2**16)
        if block & (block - 1):
            raise self._bad(f"{block_name} is {block}, wanted a power of two")
        return bits, block

    def _attribute(self, name: str, default: int) -> int:
        value = self._node.attributes.get(name, default)
        if not isinstance(value, int):
            raise self._bad(f"attribute {quoted(name)} is no integer")
        return value

    def _integer(self, name: str, low: int, high: int) -> int:
        value = self._node.attributes.get(name)
        if not isinstance(value, int) or not low <= value <= high:
            shown = value if isinstance(value, int | float) or value is None else "something else"
            raise self._bad(f"attribute {quoted(name)} is {shown}, wanted {low} to {high}")
        return value

    def _given(self, index: int) -> bool:
        return index < len(self._node.inputs) and self._node.inputs[index] != ""

    def _tensor(self, index: int) -> TensorSpec | None:
        """An operand that is stored, None for one that is left out or computed."""
        return self._graph.initializers.get(self._node.inputs[index]) if self._given(index) else None

    def _require(self, what: str, index: int, *shapes: tuple[int, ...], types: tuple[int, ...] = ()) -> None:
        if not self._given(index):
            return
        tensor = self._tensor(index)
        if tensor is None:
            raise self._bad(f"{what} is {quoted(self._node.inputs[index])}, which is computed: edge wants it stored")
        if tensor.shape not in shapes:
            raise self._bad(f"{what} has the shape {tensor.shape}, wanted {' or '.join(map(str, shapes))}")
        if types and tensor.data_type not in types:
            wanted = " or ".join(map(data_type_name, types))
            raise self._bad(f"{what} is {data_type_name(tensor.data_type)}, wanted {wanted}")

    def _bad(self, reason: str) -> BadModelFile:
        node = self._node
        return BadModelFile(self._path, f"byte {node.at}: node {quoted(node.name)} ({node.said}): {reason}")
