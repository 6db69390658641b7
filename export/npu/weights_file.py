"""The one file of weights that all graphs of a folder refer to."""

from __future__ import annotations

from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.export.npu.codes import WeightCodes, WeightType, pack_int4, quantise_matrix
from edge.export.npu.encodings import encode_range
from edge.export.npu.ranges import Ranges
from edge.export.npu.static import StaticGraph
from edge.export.npu.tensors import ReadTensor, read_weight
from edge.npu.encoding import Encoding

__all__ = ["Placed", "StoredWeight", "WeightsFile"]

_ALIGNMENT = 64


class Placed(NamedTuple):
    """Where an initializer lies. type: ONNX's name of it."""

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    num_bytes: int


class StoredWeight(NamedTuple):
    """Codes and scales of a matrix; or codes alone, with the encoding of a vector or scalar."""

    codes: Placed
    scales: Placed | None
    encoding: Encoding | None


class WeightsFile:
    """Appends to `file`, which begins empty."""

    def __init__(self, file: BinaryIO, kind: WeightType) -> None:
        self._file = file
        self._kind: WeightType = kind
        self.num_bytes = 0

    def add(self, graph: StaticGraph, ranges: Ranges, read: ReadTensor) -> dict[str, StoredWeight]:
        """Every weight of the graph, read and written one at a time."""
        inputs = {op.inputs[1]: op.inputs[0] for op in graph.ops if op.kind == "MatMul"}
        stored: dict[str, StoredWeight] = {}
        for name, weight in graph.weights.items():
            values = np.asarray(read_weight(read, weight), np.float32)
            if weight.role == "matrix":
                stored[name] = self._matrix(
                    name, quantise_matrix(values, self._kind, ranges.squares(inputs[name]), weight.tensor)
                )
                continue
            encoding = encode_range(float(values.min()), float(values.max()), "uint16")
            codes = encoding.encode(values)
            stored[name] = StoredWeight(self._put(name, "UINT16", codes.shape, codes.tobytes()), None, encoding)
        return stored

    def _matrix(self, name: str, made: WeightCodes) -> StoredWeight:
        four = self._kind.startswith("int4")
        data = pack_int4(made.codes) if four else made.codes.tobytes()
        codes = self._put(name, "INT4" if four else "INT8", made.codes.shape, data)
        return StoredWeight(codes, self.floats(f"{name}.scales", made.scales), None)

    def floats(self, name: str, values: NDArray[np.float32]) -> Placed:
        return self._put(name, "FLOAT", values.shape, values.tobytes())

    def codes(self, name: str, values: NDArray[np.uint8]) -> Placed:
        return self._put(name, "UINT8", values.shape, values.tobytes())

    def _put(self, name: str, kind: str, shape: tuple[Any, ...], data: bytes) -> Placed:
        padding = -self.num_bytes % _ALIGNMENT
        self._file.write(bytes(padding))
        self._file.write(data)
        offset = self.num_bytes + padding
        self.num_bytes = offset + len(data)
        return Placed(name, kind, tuple(int(size) for size in shape), offset, len(data))
