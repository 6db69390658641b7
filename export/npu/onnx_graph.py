"""Static graphs as ONNX: standard operators only, each between DequantizeLinear and QuantizeLinear.

A value's name is that of its codes: graphs take and give codes under the names of the table. Weights stay in the file
that all graphs share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.export.npu.codes import BLOCK
from edge.export.npu.static import StaticGraph, StaticOp
from edge.export.npu.weights_file import Placed, StoredWeight
from edge.npu.encoding import Encoding
from edge.npu.packages import require

__all__ = ["OPSET", "QdqWriter", "external"]

OPSET = 23  # RMSNormalization
_IR_VERSION = 10
_PRODUCER = "edge"


def external(onnx: Any, placed: Placed, location: str) -> Any:
    """A TensorProto whose bytes lie in another file."""
    tensor = onnx.TensorProto(name=placed.name, data_type=getattr(onnx.TensorProto, placed.type), dims=placed.shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", placed.offset), ("length", placed.num_bytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


class QdqWriter:
    """Of one graph. location: name of the file of weights beside it. Subclasses write operators in other forms."""

    def __init__(
        self, graph: StaticGraph, table: Mapping[str, Encoding], weights: Mapping[str, StoredWeight], location: str
    ) -> None:
        self._onnx = require("onnx")
        self._helper = self._onnx.helper
        self._types = self._onnx.TensorProto
        self._graph, self._table, self._weights, self._location = graph, table, weights, location
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._floats: dict[str, str] = {}  # value or weight -> its dequantised form

    def model(self, name: str) -> Any:
        """A ModelProto."""
        for op in self._graph.ops:
            self._add(op)
        graph = self._helper.make_graph(
            self._nodes,
            name,
            [self._info(value, shape) for value, shape in self._graph.inputs.items()],
            [self._info(value, shape) for value, shape in self._graph.outputs.items()],
            list(self._constants.values()),
        )
        return self._helper.make_model(
            graph,
            opset_imports=[self._helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name=_PRODUCER,
        )

    def _add(self, op: StaticOp) -> None:
        inputs = [self._float(name) for name in op.inputs]
        result = inputs[0]
        if op.kind != "Requantize":
            result = f"{op.output}.float"
            self._compute(op, inputs, result)
        scale, zero = self._encoding(op.output, self._table[op.output])
        self._node("QuantizeLinear", [result, scale, zero], op.output, f"{op.output}.quantize")

    def _compute(self, op: StaticOp, inputs: list[str], result: str) -> None:
        """inputs, result: in floats."""
        more, attributes = self._arguments(op)
        self._node(op.kind, [*inputs, *more], result, op.output, **attributes)

    def _arguments(self, op: StaticOp) -> tuple[list[str], dict[str, Any]]:
        """Inputs that are constants, and attributes."""
        match op.kind:
            case "Reshape":
                return [self._integers(op.shape)], {}
            case "Transpose":
                return [], {"perm": op.numbers}
            case "Concat":
                return [], {"axis": op.numbers[0]}
            case "Slice":
                axis, start, end = op.numbers
                return [self._integers((start,)), self._integers((end,)), self._integers((axis,))], {}
            case "Softmax":
                return [], {"axis": -1}
            case "RMSNormalization":
                return [], {"axis": -1, "epsilon": op.number}
            case _:
                return [], {}

    def _float(self, name: str) -> str:
        if name not in self._floats:
            stored = self._weights.get(name)
            if stored is None:
                self._dequantize(name, name, self._table[name])
            elif stored.encoding is not None:
                self._external(stored.codes)
                self._dequantize(name, stored.codes.name, stored.encoding)
            else:
                self._matrix(name, stored)
            self._floats[name] = f"{name}.dequantized"
        return self._floats[name]

    def _dequantize(self, name: str, codes: str, encoding: Encoding) -> None:
        scale, zero = self._encoding(name, encoding)
        self._node("DequantizeLinear", [codes, scale, zero], f"{name}.dequantized", f"{name}.dequantize")

    def _matrix(self, name: str, stored: StoredWeight) -> None:
        assert stored.scales is not None
        self._external(stored.codes)
        self._external(stored.scales)
        blocked = len(stored.scales.shape) == 2
        how = {"axis": 0, "block_size": BLOCK} if blocked else {"axis": 1}
        inputs = [stored.codes.name, stored.scales.name]
        if not blocked:  # QNN reads four bits wrongly where it must guess that the zero points are zero
            inputs.append(self._zeros(stored.codes))
        self._node("DequantizeLinear", inputs, f"{name}.dequantized", f"{name}.dequantize", **how)

    def _zeros(self, codes: Placed) -> str:
        name = f"zeros.{codes.type}.{codes.shape[1]}"
        if name not in self._constants:
            kind, count = getattr(self._types, codes.type), codes.shape[1]
            self._constants[name] = self._helper.make_tensor(name, kind, [count], [0] * count)
        return name

    def _encoding(self, name: str, encoding: Encoding) -> tuple[str, str]:
        """Scale and zero point, one pair for all values with this encoding."""
        label = f"{encoding.type}.{encoding.scale!r}.{encoding.zero_point}"
        scale, zero = f"scale.{label}", f"zero.{label}"
        if scale not in self._constants:
            self._constants[scale] = self._helper.make_tensor(scale, self._types.FLOAT, [], [encoding.scale])
            self._constants[zero] = self._helper.make_tensor(zero, self._type(encoding), [], [encoding.zero_point])
        return scale, zero

    def _integers(self, values: tuple[int, ...]) -> str:
        name = "int64." + "x".join(map(str, values))
        if name not in self._constants:
            self._constants[name] = self._helper.make_tensor(name, self._types.INT64, [len(values)], values)
        return name

    def _external(self, placed: Placed) -> None:
        self._constants[placed.name] = external(self._onnx, placed, self._location)

    def _info(self, name: str, shape: tuple[int, ...]) -> Any:
        return self._helper.make_tensor_value_info(name, self._type(self._table[name]), shape)

    def _type(self, encoding: Encoding) -> int:
        return int(getattr(self._types, encoding.type.upper()))

    def _node(self, kind: str, inputs: list[str], output: str, name: str, **attributes: Any) -> None:
        self._nodes.append(self._helper.make_node(kind, inputs, [output], name=name, **attributes))
