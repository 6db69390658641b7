"""What an ONNX folder says of itself, without ONNX Runtime and without loading its weights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edge.backends.onnx.decoder import Decoder, read_decoder
from edge.errors import UnsupportedModel
from edge.formats.onnx import CheckedFolder, open_onnx_folder
from edge.formats.onnx.parts import GraphSpec, NodeSpec
from edge.npu.folder import is_npu_folder
from edge.onnx_source import OnnxSource

__all__ = ["describe_folder", "multiplied_bytes"]

_FLOATS = {1: "float32", 10: "float16", 16: "bfloat16"}
_QUANTISED = {"MatMulNBits": (1, (2, 3)), "GatherBlockQuantized": (0, (2, 3))}  # inputs: codes, scales and zero points
_TABLES = {"GroupQueryAttention": (7, 8), "RotaryEmbedding": (2, 3)}  # of the rotation: no weights


class _Matrix(NamedTuple):
    """kind: "4 bits in blocks of 32", "float32". num_bytes: with its scales."""

    kind: str
    num_parameters: int
    num_bytes: int


def describe_folder(path: Path) -> dict[str, Any]:
    """A JSON-ready description: names, counts, sizes in bytes. A sound folder that edge does not run says why.

    ModelFileError: it is none, or breaks its format. UnsupportedModel: it is for an NPU.
    """
    if is_npu_folder(path):
        raise UnsupportedModel(
            path,
            "was made for an NPU, this reads folders for CPUs; see `edge doctor --onnx` and `edge plan`",
        )
    checked = open_onnx_folder(path)
    model, graph = checked.model.model, checked.model.model.graph
    decoder: Decoder | None = None
    reason: str | None = None
    try:
        decoder = read_decoder(checked)
    except UnsupportedModel as error:
        reason = str(error).partition(": ")[2]
    matrices = list(_matrices(graph))
    types = Counter(matrix.kind for matrix in matrices)
    num_parameters = sum(matrix.num_parameters for matrix in matrices)
    said = model.metadata.get("edge.source_sha256")
    return {
        "path": str(path),
        "format": "onnx",
        **_texts(checked, decoder),
        "supported": decoder is not None,
        "unsupported_because": reason,
        "producer": model.producer,
        "ir_version": model.ir_version,
        "opsets": dict(model.opsets),
        "files": {name.name: name.stat().st_size for name in checked.model.files},
        "file_bytes": checked.model.num_bytes,
        "num_parameters": num_parameters,
        "bits_per_weight": 8 * sum(matrix.num_bytes for matrix in matrices) / num_parameters if matrices else None,
        "types": dict(types.most_common()),
        "accuracy_levels": sorted({_number(node, "accuracy_level") for node in graph.nodes if _is_product(node)}),
        "operators": dict(Counter(node.said for node in graph.nodes).most_common()),
        "context": None if decoder is None else decoder.longest,
        "config": None if decoder is None else _config(decoder),
        "source_sha256": None if said is None else said.split(","),
    }


def multiplied_bytes(graph: GraphSpec) -> int:
    """Of codes, scales and floats that a step multiplies by, each matrix as often as it is used."""
    total = 0
    for node in graph.nodes:
        names = node.inputs[1:] if _is_product(node) else node.inputs[1:2] if node.op_type in ("MatMul", "Gemm") else ()
        total += sum(graph.initializers[name].num_bytes for name in names if name in graph.initializers)
    return total


def _matrices(graph: GraphSpec) -> Iterator[_Matrix]:
    """Every matrix and vector once, also one that is multiplied by and looked up in."""
    beside = {
        node.inputs[index]
        for node in graph.nodes
        for index in _TABLES.get(node.op_type, ())
        if index < len(node.inputs)
    }
    for node in graph.nodes:
        if node.op_type not in _QUANTISED:
            continue
        at, others = _QUANTISED[node.op_type]
        names = [node.inputs[index] for index in (at, *others) if index < len(node.inputs) and node.inputs[index]]
        is_tied = names[1] in beside  # the same scales: a table that is multiplied by, too
        beside.update(names)
        tensors = [graph.initializers[name] for name in names if name in graph.initializers]
        if is_tied or names[0] not in graph.initializers:
            continue
        bits, block = _number(node, "bits") or 4, _number(node, "block_size")
        count = _number(node, "K") * _number(node, "N") or tensors[0].num_bytes * 8 // bits
        yield _Matrix(f"{bits} bits in blocks of {block}", count, sum(tensor.num_bytes for tensor in tensors))
    for name, tensor in graph.initializers.items():
        if name not in beside and tensor.data_type in _FLOATS and tensor.shape:
            yield _Matrix(_FLOATS[tensor.data_type], math.prod(tensor.shape), tensor.num_bytes)


def _is_product(node: NodeSpec) -> bool:
    return node.op_type == "MatMulNBits"


def _number(node: NodeSpec, name: str) -> int:
    value = node.attributes.get(name, 0)
    return value if isinstance(value, int) else 0


def _config(decoder: Decoder) -> dict[str, Any]:
    return {
        "num_hidden_layers": len(decoder.layers),
        "num_key_value_heads": decoder.num_kv_heads,
        "head_dim": decoder.head_dim,
        "vocab_size": decoder.vocab_size,
        "kv_type": decoder.kv_type,
        "kv_bytes_per_position": decoder.kv_bytes_per_position,
        "logits_of": "the last token" if decoder.head == "last" else "every token",
    }


def _texts(checked: CheckedFolder, decoder: Decoder | None) -> dict[str, Any]:
    """Name, architecture, tokenizer and template; without a decoder what the configuration says of itself."""
    if decoder is None:
        return {"name": checked.folder.model_name, "architecture": None, "tokenizer": None, "template": None}
    source = OnnxSource(checked, decoder)
    try:
        template = source.chat_template()
        return {
            "name": source.name,
            "architecture": source.architecture,
            "tokenizer": {"vocab_size": source.tokenizer().vocab_size},
            "template": None if template is None else {"num_characters": len(template)},
        }
    finally:
        source.close()
