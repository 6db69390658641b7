"""The matrices of adapters in native memory, as floats: they are small, and their input is not quantised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge import native
from edge.backends.file_watch import FileWatch
from edge.formats.adapter import Adapter
from edge.formats.types import GGMLType
from edge.graph import AdapterMatrix, LoweredAdapters

__all__ = ["LoadedAdapter", "adapter_sizes", "adapter_type", "load_adapters"]

_FLOATS = frozenset({GGMLType.F32, GGMLType.F16, GGMLType.BF16})


def adapter_type(matrix: AdapterMatrix) -> int:
    """The ggml type that it is kept as: its own, or F32 where that is a quantised one."""
    return matrix.tensor.type if matrix.tensor.type in _FLOATS else GGMLType.F32


def adapter_sizes(lowered: LoweredAdapters) -> list[tuple[int, int]]:
    """(bytes as they are packed from, bytes packed) of every matrix."""
    return [native.weights_sizes(adapter_type(m), m.num_rows, m.cols) for m in lowered.matrices]


class LoadedAdapter(NamedTuple):
    """sha256: of the file. invocation: as `edge.formats.adapter.Adapter`. num_bytes: of its matrices."""

    name: str
    path: str
    sha256: str
    invocation: tuple[int, ...]
    rank: int  # the largest
    num_bytes: int


def load_adapters(
    adapters: Mapping[str, Adapter], lowered: LoweredAdapters, threads: native.Threads
) -> tuple[tuple[LoadedAdapter, ...], list[native.Weights]]:
    """Who they are, and a matrix for each of `lowered`, which numbers them in this order. The files are not needed
    afterwards. ModelFileError when one becomes shorter meanwhile, DoesNotFit, NativeError."""
    loaded: list[LoadedAdapter] = []
    items: list[native.Weights] = []
    try:
        for number, (name, adapter) in enumerate(adapters.items()):
            watch = FileWatch(adapter.file)
            try:
                with watch.reading():
                    own = [_matrix(adapter, m, threads, items) for m in lowered.matrices if m.adapter == number]
                    num_bytes = sum(item.packed_bytes for item in own)
                    rank = max(pair.rank for pair in adapter.pairs.values())
                    loaded.append(
                        LoadedAdapter(name, str(adapter.path), adapter.sha256, adapter.invocation, rank, num_bytes)
                    )
            finally:
                watch.close()
    except BaseException:
        for item in items:
            item.close()
        raise
    return tuple(loaded), items


def _matrix(
    adapter: Adapter, matrix: AdapterMatrix, threads: native.Threads, items: list[native.Weights]
) -> native.Weights:
    """Packs one, and adds it to `items`."""
    data, kind = adapter.file.tensor_data(matrix.tensor.name), matrix.tensor.type
    row = len(data) // matrix.tensor.shape[0]
    data = data[matrix.first_row * row : (matrix.first_row + matrix.num_rows) * row]  # rows are whole blocks
    weights = native.Weights.matrix(kind, matrix.num_rows, matrix.cols, data, threads)
    if kind not in _FLOATS:
        with weights:
            rows = b"".join(weights.row(index).tobytes() for index in range(matrix.num_rows))
        weights = native.Weights.matrix(GGMLType.F32, matrix.num_rows, matrix.cols, rows, threads)
    items.append(weights)
    adapter.file.let_go(matrix.tensor.name)
    return weights
