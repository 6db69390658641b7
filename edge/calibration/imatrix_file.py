"""Importance matrices in files: llama.cpp's GGUF format, so that files of its tool work here and ours work there.

`general.type` is "imatrix". Each matrix NAME has two F32 tensors: NAME.in_sum2, the sums of squared inputs (columns,),
and NAME.counts, how many rows were summed (1,). Keys: imatrix.datasets (names), imatrix.chunk_count and
imatrix.chunk_size; ours add edge.calibration.text_sha256. Source: llama.cpp's tools/imatrix.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from edge.calibration.calibration import Calibration
from edge.errors import BadModelFile, UnsupportedModel
from edge.export.gguf_writer import GGUFWriter
from edge.formats.gguf import GGUFFile, TensorInfo, open_gguf
from edge.formats.types import GGMLType, ValueType, type_name

__all__ = ["read_imatrix", "write_imatrix"]

_SUMS, _COUNTS = ".in_sum2", ".counts"
_HASH_KEY = "edge.calibration.text_sha256"
_MOST = 1e30  # of a sum of squares; counts lie below too


def write_imatrix(calibration: Calibration, path: str | os.PathLike[str], *, dataset: str) -> None:
    """Writes the mean squares of a calibration; an existing file is replaced in one step. dataset: the text's name.

    Raises ValueError for a tensor name that no file may hold, edge.DoesNotFit when there is no space, OSError.
    """
    writer = GGUFWriter(path)
    writer.add("general.type", "imatrix")
    writer.add("imatrix.datasets", [dataset], ValueType.STRING)
    writer.add("imatrix.chunk_count", -(-calibration.num_tokens // calibration.window), ValueType.UINT32)
    writer.add("imatrix.chunk_size", calibration.window, ValueType.UINT32)
    if calibration.text_hash:
        writer.add(_HASH_KEY, calibration.text_hash)
    count = np.float32(calibration.num_tokens)
    for name, squares in calibration.squares.items():
        sums = squares * count
        writer.add_tensor(name + _SUMS, GGMLType.F32, sums.shape, sums)
        writer.add_tensor(name + _COUNTS, GGMLType.F32, (1,), np.array([count], np.float32))
    writer.finish()


def read_imatrix(path: str | os.PathLike[str]) -> Calibration:
    """Reads a file of `write_imatrix` or of llama.cpp's tool. A matrix that no row reached is left out.

    num_tokens is the largest count of the file. Raises BadModelFile naming the tensor or key, the value and the limit,
    UnsupportedModel for statistics of experts, ModelFileError when it cannot be opened.
    """
    with open_gguf(path) as file:
        kind = file.get_str("general.type", "")
        if kind != "imatrix":
            raise BadModelFile(file.path, f"key 'general.type' is {kind!r}, an importance matrix has 'imatrix'")
        squares: dict[str, NDArray[np.float32]] = {}
        num_tokens = 0.0
        for tensor in file.tensors.values():
            name = tensor.name.removesuffix(_SUMS)
            if name == tensor.name:
                _require_sums(file, tensor)
                continue
            sums, count = _values(file, tensor), _count(file, name)
            num_tokens = max(num_tokens, count)
            if count > 0:
                squares[name] = sums / np.float32(count)
        if not squares:
            raise BadModelFile(file.path, f"holds no statistics: none of its {len(file.tensors)} tensors counts a row")
        return Calibration(
            squares=squares,
            num_tokens=round(num_tokens),
            text_hash=file.get_str(_HASH_KEY, ""),
            window=file.get_int("imatrix.chunk_size", 0, minimum=0, maximum=2**31 - 1),
        )


def _require_sums(file: GGUFFile, tensor: TensorInfo) -> None:
    """Every other tensor is the counts of one."""
    name = tensor.name.removesuffix(_COUNTS)
    if name == tensor.name:
        raise BadModelFile(file.path, f"tensor {tensor.name!r} ends neither in {_SUMS} nor in {_COUNTS}")
    if name + _SUMS not in file.tensors:
        raise BadModelFile(file.path, f"tensor {tensor.name!r} has no {name + _SUMS!r} beside it")


def _count(file: GGUFFile, name: str) -> float:
    counts = file.tensors.get(name + _COUNTS)
    if counts is None:
        raise BadModelFile(file.path, f"tensor {name + _SUMS!r} has no {name + _COUNTS!r} beside it")
    values = _values(file, counts)
    if values.size != 1:
        raise BadModelFile(file.path, f"tensor {counts.name!r} has {values.size} values, wanted 1")
    return float(values[0])


def _values(file: GGUFFile, tensor: TensorInfo) -> NDArray[np.float32]:
    """One row of finite numbers from 0 on."""
    if tensor.type != GGMLType.F32:
        raise BadModelFile(file.path, f"tensor {tensor.name!r} is {type_name(tensor.type)}, it must be F32")
    *more, _ = tensor.shape
    if any(size != 1 for size in more):
        raise UnsupportedModel(
            file.path,
            f"tensor {tensor.name!r} has shape {tensor.shape}: statistics of experts, which edge does not run",
        )
    values = np.frombuffer(file.tensor_data(tensor.name), "<f4").astype(np.float32)
    good = (values >= 0) & (values <= _MOST)
    if not good.all():
        at = int(good.argmin())
        raise BadModelFile(
            file.path, f"tensor {tensor.name!r}: value {at} is {float(values[at])!r}, it must be from 0 to {_MOST:g}"
        )
    return values
