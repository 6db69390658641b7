"""Writes a source as a GGUF file: one tensor in memory at a time, under its final name only when it is whole."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, DoesNotFit, ModelFileError, NumericalError
from edge.export.gguf_writer import GGUFWriter
from edge.export.source import SourceTensor, TensorSource
from edge.formats.atomic import remove_orphans
from edge.formats.cursor import quoted
from edge.formats.types import GGMLType, ValueType

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ITEM_TYPES", "Encode", "export"]

# (tensor, its values, type name) -> the bytes of all its rows
Encode = Callable[[SourceTensor, NDArray[np.float32], str], "Buffer"]

# Arrays whose element type loaders take for granted.
ITEM_TYPES = {"tokenizer.ggml.token_type": ValueType.INT32, "tokenizer.ggml.scores": ValueType.FLOAT32}
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def export(
    source: TensorSource,
    target: Path,
    *,
    types: Mapping[str, str],
    encode: Encode,
    extra_metadata: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes `target` and returns it; until it is whole, the name means what it meant before, or nothing.

    types: the type of each tensor, by name; all must be there. extra_metadata: replaces keys of the source. progress
    gets (bytes of tensors done, bytes of all). Peak memory is that of reading and encoding the largest tensor.
    Raises DoesNotFit when there is no space for the file, if it can be known before anything is written; NumericalError
    naming the tensor for values that its type cannot hold; ModelFileError when the file cannot be written; and what
    reading the source raises.
    """
    writer = GGUFWriter(target)
    try:
        for key, value in {**source.metadata, **(extra_metadata or {})}.items():
            if value != []:  # an empty array says nothing
                writer.add(key, value, ITEM_TYPES.get(key))
        for tensor in source.tensors:
            chosen = types[tensor.name]
            writer.add_tensor(tensor.name, GGMLType[chosen], tensor.shape, _Lazily(source, tensor, chosen, encode))
    except ValueError as error:  # a source that holds what no GGUF file may: names, shapes
        raise BadModelFile(target, f"cannot be written: {error}") from error
    remove_orphans(target)
    try:
        writer.finish(progress)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _NO_SPACE:
            raise DoesNotFit(f"{target}: {reason}; nothing of it was kept") from error
        raise ModelFileError(target, f"cannot be written: {reason}") from error
    return target


class _Lazily:
    """The bytes of one tensor, made when they are asked for."""

    def __init__(self, source: TensorSource, tensor: SourceTensor, type_name: str, encode: Encode) -> None:
        self._source, self._tensor, self._type_name, self._encode = source, tensor, type_name, encode

    def __call__(self) -> Buffer:
        values = self._source.read(self._tensor.name)
        try:
            return self._encode(self._tensor, values, self._type_name)
        except NumericalError as error:
            raise NumericalError(f"tensor {quoted(self._tensor.name)}: {error}") from error
