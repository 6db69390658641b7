"""A GGUF file as a source: its tensors dequantised, its metadata as it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import UnsupportedModel
from edge.export.source import SourceTensor
from edge.formats.cursor import quoted
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.types import GGMLType, type_name
from edge.quant import DECODABLE, decode

__all__ = ["GGUFSource"]

_PIECE_BYTES = 8 * 2**20
# What a file says about how it was split or quantised, which the new one says anew.
_DROPPED = ("split.", "quantize.", "general.file_type", "general.alignment", "edge.damage.", "edge.quantisation.")


class GGUFSource:
    """Implements `TensorSource`. A context manager: leaving it closes the file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises what `open_gguf` raises, and UnsupportedModel for tensors and values that cannot be carried over."""
        self._file = open_gguf(path)
        try:
            self._metadata = {key: _value(self._file, key) for key in self._file.keys() if not key.startswith(_DROPPED)}
            self._tensors = [
                SourceTensor(name, info.shape, type_name(info.type)) for name, info in self._file.tensors.items()
            ]
            for name, _, kind in self._tensors:
                if GGMLType[kind] not in DECODABLE:
                    raise UnsupportedModel(self._file.path, f"tensor {quoted(name)} is {kind}, which has no decoder")
        except BaseException:
            self._file.close()
            raise

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self._metadata)

    @property
    def tensors(self) -> Sequence[SourceTensor]:
        return self._tensors

    def sha256(self) -> tuple[str, ...]:
        """Of each part of the file, in hexadecimal, as hubs publish it."""
        digests: list[str] = []
        for part in self._file.mapped_parts:
            digest = hashlib.sha256()
            for start in range(0, part.size, _PIECE_BYTES):
                digest.update(part.view[start : start + _PIECE_BYTES])
                part.let_go(start, min(_PIECE_BYTES, part.size - start))
            digests.append(digest.hexdigest())
        return tuple(digests)

    def read(self, name: str) -> NDArray[np.float32]:
        info = self._file.tensors[name]
        data = self._file.tensor_data(name)
        values = decode(info.type, data, info.shape)
        data.release()
        self._file.let_go(name)
        return values

    @contextmanager
    def stored(self, name: str) -> Generator[memoryview]:
        """The bytes of a tensor as they are in the file, while the block lasts."""
        data = self._file.tensor_data(name)
        try:
            yield data
        finally:
            data.release()
            self._file.let_go(name)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> GGUFSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _value(file: GGUFFile, key: str) -> Any:
    """A value as Python says it. The writer gives integers and floats their usual width."""
    said = file.value_type(key)
    item = said.removeprefix("array of ")
    if item == "array":
        raise UnsupportedModel(file.path, f"key {quoted(key)} is an {said}, which edge does not write")
    is_array = item != said
    if item == "string":
        return list(file.get_strings(key)) if is_array else file.get_str(key)
    if item == "bool":
        return file.get_bools(key) if is_array else file.get_bool(key)
    if item.startswith("float"):
        return list(file.get_floats(key)) if is_array else file.get_float(key)
    return list(file.get_ints(key)) if is_array else file.get_int(key)
