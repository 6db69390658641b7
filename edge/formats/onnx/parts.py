"""What a checked ONNX file says, and how much of anything it may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = ["AttributeValue", "GraphSpec", "NodeSpec", "OnnxModel", "Outside", "TensorSpec", "ValueSpec"]

MAX_FILE_BYTES = 2**31 - 1  # of a message of protocol buffers
MAX_NAME_BYTES = 1024
MAX_TEXT_BYTES = 2**20  # of descriptions and the like
MAX_NODES = 2**17
MAX_TENSORS = 2**17
MAX_VALUES = 2**14  # inputs and outputs of a graph
MAX_OPERANDS = 2**12  # of a node
MAX_ATTRIBUTES = 64
MAX_LIST = 2**16  # numbers in an attribute
MAX_DIMS = 8
MAX_ELEMENTS = 2**40
MAX_NESTING = 4  # graphs inside of nodes
MAX_ENTRIES = 2**12  # of metadata

AttributeValue: TypeAlias = (
    "int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | TensorSpec | GraphSpec"
)


class Outside(NamedTuple):
    """Bytes of a tensor in a file beside the model."""

    location: str
    offset: int
    length: int


class TensorSpec(NamedTuple):
    """An initializer or a constant. at: where it stands in the file. outside: None for one whose bytes are inside."""

    name: str
    data_type: int
    shape: tuple[int, ...]
    num_bytes: int
    outside: Outside | None
    at: int


class ValueSpec(NamedTuple):
    """An input or output. shape: sizes, and names of sizes that are known when a step runs; None: not said."""

    name: str
    data_type: int
    shape: tuple[int | str, ...] | None
    at: int


class NodeSpec(NamedTuple):
    name: str
    op_type: str
    domain: str  # "" is ONNX's own
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, AttributeValue]
    at: int

    @property
    def said(self) -> str:
        """Of which kind: "com.microsoft.MatMulNBits"."""
        return f"{self.domain}.{self.op_type}" if self.domain else self.op_type


@dataclass(slots=True)
class GraphSpec:
    name: str = ""
    nodes: list[NodeSpec] = field(default_factory=list[NodeSpec])
    initializers: dict[str, TensorSpec] = field(default_factory=dict[str, TensorSpec])
    inputs: dict[str, ValueSpec] = field(default_factory=dict[str, ValueSpec])
    outputs: dict[str, ValueSpec] = field(default_factory=dict[str, ValueSpec])
    at: int = 0


class OnnxModel(NamedTuple):
    """opsets: version by domain. locations: files beside the model that tensors are in."""

    ir_version: int
    opsets: Mapping[str, int]
    graph: GraphSpec
    metadata: Mapping[str, str]
    producer: str
    locations: tuple[str, ...]
