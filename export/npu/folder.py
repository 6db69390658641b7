"""Writes the folder: graphs, one file of weights, one table of encodings, what the host needs, the tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from edge.errors import RequestError
from edge.export.gguf_writer import GGUFWriter
from edge.export.npu.encodings import encode_range, encodings
from edge.export.npu.evaluate import evaluate
from edge.export.npu.host_file import head_graph, host_parts, write_host
from edge.export.npu.lower import HIDDEN, lower
from edge.export.npu.onnx_graph import QdqWriter
from edge.export.npu.openvino_graph import OpenVinoWriter
from edge.export.npu.options import NpuOptions
from edge.export.npu.ranges import Ranges
from edge.export.npu.shadows import Outliers, cut, find_outliers, narrow, with_shadows
from edge.export.npu.static import StaticGraph
from edge.export.npu.tensors import ReadTensor, read_weight
from edge.export.npu.weights_file import WeightsFile
from edge.formats.types import ValueType
from edge.graph.ops import Graph, RopeSpec
from edge.npu.encoding import Encoding
from edge.npu.manifest import (
    ENCODINGS,
    HEAD,
    HOST_WEIGHTS,
    MANIFEST,
    TOKENIZER,
    WEIGHTS,
    Manifest,
    Phase,
    Shadow,
    graph_name,
)
from edge.npu.packages import require

__all__ = ["Model", "write_folder"]

_ITEM_TYPES = {"tokenizer.ggml.token_type": ValueType.INT32, "tokenizer.ggml.scores": ValueType.FLOAT32}
_WRITERS: Mapping[str, type[QdqWriter]] = {"openvino": OpenVinoWriter}  # by provider; the others take one form
Progress = Callable[[int, int], None]


class Model(NamedTuple):
    """What is exported. tokens: sequences of the calibration text, as the model reads them. path: for errors. sha256:
    of each part of the GGUF file that it is; none where it comes from elsewhere."""

    graph: Graph
    read: ReadTensor
    metadata: Mapping[str, Any]
    tokens: Sequence[Sequence[int]]
    path: str
    sha256: tuple[str, ...] = ()


def write_folder(
    model: Model, folder: Path, options: NpuOptions, *, device: str, progress: Progress | None = None
) -> Manifest:
    """Writes into `folder`, which is there and empty. progress: operations calibrated, of all.

    Raises MissingPackage without onnx, UnsupportedModel for an architecture that is not composed as the others are,
    NumericalError for values that are not finite, OSError.
    """
    require("onnx")
    parts = host_parts(model.graph, model.path)
    outliers, graph, ranges = _calibrated(model, parts.scale, parts.embedding, options, progress)
    with (folder / HOST_WEIGHTS).open("xb") as file:
        placed, host = write_host(file, parts, model.read)
        shadows = _shadow_columns(host, graph, outliers, model.read)
    _save(head_graph(placed, parts), folder / HEAD)
    table = encodings(graph, ranges, kv_bits=options.kv_bits)
    table[HIDDEN] = encode_range(placed.lowest, placed.highest, "uint16")  # any token may come
    with (folder / WEIGHTS).open("xb") as file:
        stored = WeightsFile(file, options.weights).add(graph, ranges, model.read)
    writer = _WRITERS.get(options.target.name, QdqWriter)
    count = 1
    beside: dict[str, int] = {}
    for phase in get_args(Phase):
        tokens = options.chunk if phase == "prefill" else 1
        lowered = lower(model.graph, tokens=tokens, context=options.context, path=model.path)
        pieces, beside = cut(_changed(lowered, outliers, options))
        count = len(pieces)
        for i, piece in enumerate(pieces):
            name = graph_name(phase, i, count)
            _save(writer(piece, table, stored, WEIGHTS).model(Path(name).stem), folder / name)
    manifest = Manifest(
        architecture=str(model.metadata["general.architecture"]),
        device=device,
        target=options.target,
        tied=parts.head == parts.embedding,
        hidden_size=placed.shape[1],
        vocab_size=placed.shape[0],
        embedding_scale=float(parts.scale),
        embedding=(placed.embedding[0].offset, placed.embedding[1].offset),
        chunk=options.chunk,
        context=options.context,
        weights=options.weights,
        kv_bits=options.kv_bits,
        activation_bits=options.activation_bits,
        num_graphs=count,
        masks=graph.masks,
        kv=graph.kv,
        ropes=tuple(_floats(spec) for spec in graph.ropes),
        shadows=tuple(shadow._replace(graph=beside[shadow.output]) for shadow in shadows),
        source_sha256=model.sha256,
    )
    (folder / ENCODINGS).write_text(_table_json(table))
    (folder / MANIFEST).write_text(manifest.to_json())
    _write_tokenizer(folder / TOKENIZER, model.metadata)
    return manifest


def _calibrated(
    model: Model, scale: float, embedding: str, options: NpuOptions, progress: Progress | None
) -> tuple[list[Outliers], StaticGraph, Ranges]:
    """The outliers, the prefill graph as it will be, and what its values reach on the text."""
    longest = options.context // options.chunk * options.chunk
    sequences = [list(s[: len(s) // options.chunk * options.chunk])[:longest] for s in model.tokens]
    sequences = [s for s in sequences if s]
    if not sequences:
        raise RequestError(f"the calibration text is shorter than a chunk of {options.chunk} tokens")
    table = model.read(embedding)
    rows = [np.asarray(table[s], np.float32) * np.float32(scale) for s in sequences]
    del table
    slots = max(len(s) for s in sequences)
    plain = lower(model.graph, tokens=options.chunk, context=slots, path=model.path)
    outliers: list[Outliers] = []
    if options.shadows:
        first = Ranges(plain)
        evaluate(plain, model.read, rows, first.observe, progress)
        outliers = find_outliers(first, options.shadows)
    graph = _changed(plain, outliers, options)
    ranges = Ranges(graph)
    evaluate(graph, model.read, rows, ranges.observe, progress)
    final = lower(model.graph, tokens=options.chunk, context=options.context, path=model.path)
    return outliers, _changed(final, outliers, options), ranges


def _changed(graph: StaticGraph, outliers: list[Outliers], options: NpuOptions) -> StaticGraph:
    if outliers:
        return with_shadows(graph, outliers, options.activation_bits)
    return narrow(graph, options.activation_bits)


def _shadow_columns(file: WeightsFile, graph: StaticGraph, outliers: list[Outliers], read: ReadTensor) -> list[Shadow]:
    shadows: list[Shadow] = []
    limits = {item.name: item.limit for item in outliers}
    for op in graph.ops:
        if op.kind == "Shadow":
            columns = read_weight(read, graph.weights[op.inputs[1]])[:, op.numbers]
            placed = file.floats(op.output, np.ascontiguousarray(columns))
            limit = limits[op.inputs[0]]
            shadows.append(Shadow(0, op.inputs[0], op.output, limit, op.numbers, len(columns), placed.offset))
    return shadows


def _save(model: Any, path: Path) -> None:
    with path.open("xb") as file:
        file.write(model.SerializeToString())


def _floats(spec: RopeSpec) -> RopeSpec:
    """With floats where a configuration had whole numbers: JSON keeps the difference."""
    return spec._replace(
        theta=float(spec.theta),
        magnitude=float(spec.magnitude),
        frequency_scale=tuple(map(float, spec.frequency_scale)),
    )


def _table_json(table: Mapping[str, Encoding]) -> str:
    rows = (f"{json.dumps(name)}: {json.dumps(list(encoding))}" for name, encoding in table.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _write_tokenizer(path: Path, metadata: Mapping[str, Any]) -> None:
    """The keys of the model's file, without its tensors."""
    writer = GGUFWriter(path)
    for key, value in metadata.items():
        if value != []:
            writer.add(key, value, _ITEM_TYPES.get(key))
    writer.finish()
