"""Collects an ONNX graph: nodes, small constants, and weights whose bytes are made when the data file is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.export.onnx import messages
from edge.export.onnx.messages import MICROSOFT, Attribute, DataType, Dim

__all__ = ["GraphWriter", "Part", "Produce"]

ALIGNMENT = 64  # of weights in the data file: a cache line
OPSETS = {"": 23, MICROSOFT: 1}
_TYPES = {
    "float32": DataType.FLOAT,
    "uint8": DataType.UINT8,
    "int8": DataType.INT8,
    "uint16": DataType.UINT16,
    "int16": DataType.INT16,
    "int32": DataType.INT32,
    "int64": DataType.INT64,
    "bool": DataType.BOOL,
    "float16": DataType.FLOAT16,
}

Produce: TypeAlias = Callable[[], Sequence[NDArray[Any]]]
Names: TypeAlias = str | Sequence[str]


class Part(NamedTuple):
    """A tensor of the data file. shape: of its elements; four-bit ones lie two in a byte."""

    name: str
    data_type: DataType
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return -(-math.prod(self.shape) * self.data_type.bits // 8)


class _Group(NamedTuple):
    """Parts that one function makes, in the order in which it gives them."""

    parts: tuple[Part, ...]
    produce: Produce


class GraphWriter:
    """One graph, and the weights that it reads. ValueError: a name that is given twice."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._groups: list[_Group] = []
        self._offsets: dict[str, int] = {}
        self._aliases: list[tuple[Part, Part]] = []  # (new, whose bytes it is)
        self._names: set[str] = set()
        self.num_nodes = 0
        self.data_bytes = 0

    def input(self, name: str, data_type: DataType, shape: Sequence[Dim]) -> str:
        self._inputs.append(messages.value_info(self._new(name), data_type, shape))
        return name

    def output(self, name: str, data_type: DataType, shape: Sequence[Dim]) -> str:
        """A value that a node makes, or will make, as one of the results."""
        self._outputs.append(messages.value_info(name, data_type, shape))
        return name

    def node(
        self,
        op_type: str,
        inputs: Sequence[str],
        outputs: Names,
        domain: str = "",
        **attributes: Attribute,
    ) -> str:
        """Adds a node and returns its first output."""
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        for name in filter(None, names):
            self._new(name)
        label = f"{next(filter(None, names))}/{op_type}"
        self._nodes.append(messages.node(op_type, inputs, names, name=label, domain=domain, attributes=attributes))
        self.num_nodes += 1
        return names[0]

    def contrib(self, op_type: str, inputs: Sequence[str], outputs: Names, **attributes: Attribute) -> str:
        """A node of ONNX Runtime's own domain."""
        return self.node(op_type, inputs, outputs, MICROSOFT, **attributes)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """A few numbers, in the model file itself."""
        array = np.ascontiguousarray(values)
        shape = np.shape(values)  # ascontiguousarray makes a scalar a vector
        self._constants.append(
            messages.inline_tensor(self._new(name), _TYPES[array.dtype.name], shape, array.tobytes())
        )
        return name

    def shared(self, name: str, values: NDArray[Any]) -> str:
        """A constant of a name that stands for its value: stored once."""
        return name if name in self._names else self.constant(name, values)

    def has(self, name: str) -> bool:
        return name in self._names

    def weights(self, parts: Sequence[Part], produce: Produce) -> None:
        """Tensors of the data file. produce is called once, while it is written: their values, in this order."""
        for part in parts:
            self._offsets[self._new(part.name)] = self.data_bytes
            self.data_bytes += part.num_bytes + -part.num_bytes % ALIGNMENT
        self._groups.append(_Group(tuple(parts), produce))

    def alias(self, name: str, part: Part, shape: tuple[int, ...]) -> str:
        """The bytes of a weight again, under another name and shape; nothing is stored twice."""
        self._aliases.append((Part(self._new(name), part.data_type, shape), part))
        return name

    def model(self, location: str, metadata: Mapping[str, str]) -> bytes:
        """The model file. location: the name of the data file, in the same folder."""
        tensors = list(self._constants)
        stored = [(part, part) for group in self._groups for part in group.parts]
        for new, old in stored + self._aliases:
            tensors.append(
                messages.outside_tensor(
                    new.name, new.data_type, new.shape, location, self._offsets[old.name], new.num_bytes
                )
            )
        content = messages.graph("edge", self._nodes, tensors, self._inputs, self._outputs)
        return messages.model(content, OPSETS, producer="edge", metadata=metadata)

    def write_data(self, file: BinaryIO, progress: Callable[[int, int], None] | None = None) -> None:
        """The data file, one group of weights in memory at a time. progress gets (bytes done, bytes of all)."""
        done = 0
        for group in self._groups:
            for part, values in zip(group.parts, group.produce(), strict=True):
                if values.nbytes != part.num_bytes:
                    raise ValueError(f"{part.name} takes {part.num_bytes} bytes, there are {values.nbytes}")
                file.write(np.ascontiguousarray(values).data)
                file.write(bytes(-part.num_bytes % ALIGNMENT))
                done += part.num_bytes + -part.num_bytes % ALIGNMENT
                if progress is not None:
                    progress(done, self.data_bytes)

    def _new(self, name: str) -> str:
        if name in self._names:
            raise ValueError(f"two values are named {name!r}")
        self._names.add(name)
        return name
