"""What the CPU keeps of a model: the embedding and head in 8 bits with a scale per 32 columns, the last norm, outliers.

The head is an ONNX graph of its own, for ONNX Runtime's CPU provider: MatMulNBits is an operator that NPUs lack.
"""

from __future__ import annotations

from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import UnsupportedModel
from edge.export.npu.onnx_graph import OPSET, external
from edge.export.npu.tensors import Floats, ReadTensor
from edge.export.npu.weights_file import Placed, WeightsFile
from edge.graph.ops import Embedding, Graph, Linear, RmsNorm, SelectRows
from edge.npu.host import BLOCK, padded
from edge.npu.manifest import HOST_WEIGHTS
from edge.npu.packages import require

__all__ = ["HostParts", "head_graph", "host_parts", "write_host"]

_ACCURACY = 4  # int8 activations: with less, 8-bit weights are unpacked anew for every token
_ROWS = 4096  # encoded at once


class HostParts(NamedTuple):
    """Names of tensors. gain, eps: of the norm before the head."""

    embedding: str
    scale: float
    gain: str
    eps: float
    head: str


class PlacedHost(NamedTuple):
    """embedding and head: codes and scales; the same where they are one tensor."""

    embedding: tuple[Placed, Placed]
    gain: Placed
    head: tuple[Placed, Placed]
    shape: tuple[int, int]
    lowest: float
    highest: float


def host_parts(graph: Graph, path: str) -> HostParts:
    """UnsupportedModel: what follows the last layer is more than a norm and a matrix."""
    embedding = next((n.op for n in graph.nodes if isinstance(n.op, Embedding)), None)
    at = next(i for i, node in enumerate(graph.nodes) if isinstance(node.op, SelectRows))
    match [node.op for node in graph.nodes[at + 1 :]]:
        case [RmsNorm(gain, eps), Linear(head, None, None)] if embedding is not None:
            return HostParts(embedding.weight, embedding.scale, gain, eps, head)
        case _:
            raise UnsupportedModel(path, "what follows the last layer is not a norm and a head: not exported to NPUs")


def write_host(file: BinaryIO, parts: HostParts, read: ReadTensor) -> tuple[PlacedHost, WeightsFile]:
    """lowest, highest: what embedded tokens reach, each of the vocabulary."""
    out = WeightsFile(file, "int8")
    values = read(parts.embedding)
    embedding, low, high = _table(out, "embedding", values)
    head = embedding
    if parts.head != parts.embedding:
        head, _, _ = _table(out, "head", read(parts.head))
    gain = out.floats("norm.weight", np.asarray(read(parts.gain), np.float32))
    ends = sorted((low * parts.scale, high * parts.scale))
    shape = int(values.shape[0]), int(values.shape[1])
    return PlacedHost(embedding, gain, head, shape, ends[0], ends[1]), out


def head_graph(placed: PlacedHost, parts: HostParts) -> Any:
    """hidden (rows, hidden_size) -> logits (rows, vocab_size), floats."""
    onnx = require("onnx")
    helper, (vocab, hidden) = onnx.helper, placed.shape
    norm = helper.make_node(
        "RMSNormalization", ["hidden", placed.gain.name], ["normed"], name="norm", axis=-1, epsilon=parts.eps
    )
    codes, scales = placed.head
    columns = padded(hidden) // BLOCK
    codes = codes._replace(shape=(vocab, columns, BLOCK))
    product = helper.make_node(
        "MatMulNBits", ["normed", codes.name, scales.name], ["logits"], name="head", domain="com.microsoft",
        K=hidden, N=vocab, bits=8, block_size=BLOCK, accuracy_level=_ACCURACY,
    )  # fmt: skip
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [norm, product],
        "head",
        [helper.make_tensor_value_info("hidden", floats, ["rows", hidden])],
        [helper.make_tensor_value_info("logits", floats, ["rows", vocab])],
        [external(onnx, item, HOST_WEIGHTS) for item in (placed.gain, codes, scales)],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="edge")


def _table(out: WeightsFile, name: str, values: Floats) -> tuple[tuple[Placed, Placed], float, float]:
    """Codes (rows, padded columns) and scales (rows, blocks), with the least and greatest value that they stand for."""
    rows, width = values.shape
    columns = padded(width)
    codes = np.empty((rows, columns), np.uint8)
    scales = np.empty((rows, columns // BLOCK), np.float32)
    low = high = 0.0
    for first in range(0, rows, _ROWS):
        part = np.zeros((min(_ROWS, rows - first), columns), np.float32)
        part[:, :width] = values[first : first + _ROWS]
        blocks: NDArray[np.float32] = part.reshape(len(part), -1, BLOCK)
        scale = np.maximum(np.abs(blocks).max(axis=2) / np.float32(127), np.float32(1e-12))
        whole = np.rint(blocks / scale[:, :, None])
        codes[first : first + _ROWS] = (whole + 128).astype(np.uint8).reshape(len(part), columns)
        scales[first : first + _ROWS] = scale
        made = whole * scale[:, :, None]
        low, high = min(low, float(made.min())), max(high, float(made.max()))
    return (out.codes(f"{name}.codes", codes), out.floats(f"{name}.scales", scales)), low, high
