"""`edge.gguf` of an ONNX folder: a GGUF file without weights, for what neither ONNX nor genai's configuration says.

It holds the model's metadata - architecture, vocabulary, chat template - and the factors of its rotation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.export.export import ITEM_TYPES
from edge.export.gguf_writer import GGUFWriter
from edge.export.source import TensorSource
from edge.formats.gguf import GGUFFile
from edge.formats.header import TensorInfo, read_header
from edge.formats.mapping import MappedFile
from edge.formats.types import GGMLType, tensor_num_bytes

__all__ = ["DESCRIPTION_FILE", "describe", "write_description"]

DESCRIPTION_FILE = "edge.gguf"
_SMALL = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")


def write_description(source: TensorSource, path: Path) -> None:
    """Writes the metadata of a model and its small tables. Raises what `GGUFWriter` raises."""
    writer = GGUFWriter(path)
    for key, value in source.metadata.items():
        if value != []:
            writer.add(key, value, ITEM_TYPES.get(key))
    for tensor in source.tensors:
        if tensor.name in _SMALL:
            values = source.read(tensor.name).astype(np.float32)
            writer.add_tensor(tensor.name, GGMLType.F32, tensor.shape, values.tobytes())
    writer.finish()


def describe(source: TensorSource, path: Path) -> GGUFFile:
    """The model as a GGUF file would describe it, with `path` (of `write_description`) for its metadata.

    Its table has all tensors of the source, but only the small ones have bytes.
    """
    part = MappedFile(path)
    header = read_header(path, part.view)
    tensors = dict(header.tensors)
    for name, shape, kind in source.tensors:
        number = GGMLType[kind]
        tensors.setdefault(name, TensorInfo(name, number, shape, tensor_num_bytes(number, shape), 0, 0))
    return GGUFFile(path, (part,), header, tensors)
