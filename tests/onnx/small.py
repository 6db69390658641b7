"""A small sound ONNX model in pieces that tests change one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.export.onnx import messages
from edge.export.onnx.messages import MICROSOFT, Attribute, DataType
from edge.export.onnx.protobuf import integer, integers, nested, text

K, N, BLOCK = 64, 32, 32
CONTENT = bytes(range(256)) * 16  # of the data file
CODES = (0, N * K // 2)  # offset and bytes of B in it
SCALES = (N * K // 2, N * (K // BLOCK) * 4)


def matmul(inputs: Sequence[str] = ("x", "B", "S"), outputs: Sequence[str] = ("y",), **changed: Attribute) -> bytes:
    """A MatMulNBits of four bits."""
    attributes: dict[str, Attribute] = {"K": K, "N": N, "bits": 4, "block_size": BLOCK, **changed}
    return messages.node("MatMulNBits", inputs, outputs, name="mm", domain=MICROSOFT, attributes=attributes)


def relu(source: str = "y", target: str = "z", *, op_type: str = "Relu", domain: str = "", more: bytes = b"") -> bytes:
    return messages.node(op_type, [source], [target], name="act", domain=domain) + more


def outside(
    name: str = "B", shape: Sequence[int] = (N, K // BLOCK, BLOCK // 2), kind: int = DataType.UINT8, **entries: str
) -> bytes:
    """A tensor of the data file; an entry that is "" is left out."""
    said = {"location": "model.onnx.data", "offset": str(CODES[0]), "length": str(CODES[1]), **entries}
    parts = [nested(13, text(1, key) + text(2, value)) for key, value in said.items() if value]
    head = integers(1, shape) + integer(2, kind) + text(8, name)
    return head + b"".join(parts) + integer(14, 1)


def scales(**entries: str) -> bytes:
    said = {"offset": str(SCALES[0]), "length": str(SCALES[1]), **entries}
    return outside("S", (N, K // BLOCK), DataType.FLOAT, **said)


def inside(name: str = "B", shape: Sequence[int] = (N, K // BLOCK, BLOCK // 2), size: int | None = None) -> bytes:
    wanted = int(np.prod(shape)) if size is None else size
    return messages.inline_tensor(name, DataType.UINT8, shape, bytes(wanted))


@dataclass
class Pieces:
    """The parts of a model. extra: behind the fields of the model; of_graph: behind those of the graph."""

    nodes: list[bytes] = field(default_factory=lambda: [matmul(), relu()])
    tensors: list[bytes] = field(default_factory=lambda: [outside(), scales()])
    inputs: list[bytes] = field(default_factory=lambda: [messages.value_info("x", DataType.FLOAT, ("rows", K))])
    outputs: list[bytes] = field(default_factory=lambda: [messages.value_info("z", DataType.FLOAT, ("rows", N))])
    opsets: dict[str, int] = field(default_factory=lambda: {"": 23, MICROSOFT: 1})
    ir_version: int = 11
    has_graph: bool = True
    of_graph: bytes = b""
    extra: bytes = b""

    def file(self) -> bytes:
        graph = messages.graph("g", self.nodes, self.tensors, self.inputs, self.outputs) + self.of_graph
        parts = [integer(1, self.ir_version)]
        parts += [nested(7, graph)] if self.has_graph else []
        parts += [nested(8, text(1, domain) + integer(2, version)) for domain, version in self.opsets.items()]
        return b"".join(parts) + self.extra


CONFIG = '{"model": {"type": "llama", "decoder": {"filename": "model.onnx"}}}'


def write_folder(folder: Path, content: bytes, config: str = CONFIG) -> Path:
    """A folder with a model file of this content, the data file and a configuration."""
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    (folder / "model.onnx.data").write_bytes(CONTENT)
    (folder / "genai_config.json").write_text(config)
    return folder
