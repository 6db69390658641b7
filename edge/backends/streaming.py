"""Weights that do not fit in memory: the last layers are read from the packed file for every step.

The first layers and the head stay in memory of this process. The embedding, of which a step reads one row for each
token, is mapped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from edge import native
from edge.errors import ModelFileError
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram, WeightRef
from edge.packed import PackedFile, PackedMatrix
from edge.packed.layout import place
from edge.packed.resident import Resident, resident

__all__ = ["Split", "StreamSizes", "StreamedFile", "num_layers", "packed_matrices", "stream_sizes"]

SLOTS = 2  # buffers: one is computed with while the other is filled
_LAYER = re.compile(r"blk\.(\d+)\.")


def packed_matrices(file: GGUFFile, refs: Sequence[WeightRef]) -> list[PackedMatrix]:
    """In the order of the packed file, which is the one in which a step uses them."""
    return [
        PackedMatrix.of(ref.name, file.tensors[ref.tensor].type, ref.shape[0], ref.shape[1])
        for ref in refs
        if ref.kind == "matrix"
    ]


def num_layers(program: NativeProgram) -> int:
    """Layers that can be streamed: all, or none where a layer's matrices are used by another one too."""
    runs = [run for run in _runs([ref.name for ref in program.weights if ref.kind == "matrix"]) if run[0] is not None]
    return len(runs) if [layer for layer, _ in runs] == list(range(len(runs))) else 0


def _runs(names: Sequence[str]) -> list[tuple[int | None, range]]:
    """(layer, matrices) of neighbours that belong to one layer, None: to no layer."""
    runs: list[tuple[int | None, range]] = []
    for layer, group in groupby(range(len(names)), key=lambda index: _layer_of(names[index])):
        members = list(group)
        runs.append((layer, range(members[0], members[-1] + 1)))
    return runs


def _layer_of(name: str) -> int | None:
    match = _LAYER.match(name)
    return None if match is None else int(match[1])


@dataclass(frozen=True, slots=True)
class Split:
    """Which matrices are where, by their numbers in the packed file. resident: stretches of neighbours. streamed: a
    stretch for each layer, in order."""

    looked_up: frozenset[int]
    resident: tuple[range, ...]
    streamed: tuple[range, ...]

    @classmethod
    def of(cls, program: NativeProgram, streamed_layers: int) -> Split:
        """streamed_layers: how many, the last ones; at most `num_layers`."""
        names = [ref.name for ref in program.weights if ref.kind == "matrix"]
        first = num_layers(program) - streamed_layers
        looked_up = frozenset(i for i, name in enumerate(names) if name in program.lookups)
        streamed = tuple(run for layer, run in _runs(names) if layer is not None and layer >= first)
        elsewhere = looked_up.union(*streamed)
        resident = (
            list(group)
            for here, group in groupby(range(len(names)), key=lambda index: index not in elsewhere)
            if here
        )  # fmt: skip
        return cls(looked_up, tuple(range(run[0], run[-1] + 1) for run in resident), streamed)


def _stretch(run: range, offsets: Sequence[int], matrices: Sequence[PackedMatrix]) -> tuple[int, int]:
    """(offset, bytes) of neighbours in the packed file."""
    return offsets[run[0]], offsets[run[-1]] + matrices[run[-1]].num_bytes - offsets[run[0]]


@dataclass(frozen=True, slots=True)
class StreamSizes:
    """Bytes. streamed: what every step reads from the file. ring: the buffers that it is read into."""

    streamed: int
    ring: int


def stream_sizes(file: GGUFFile, program: NativeProgram, streamed_layers: int) -> StreamSizes:
    """Of a packed file that may not be there yet: what depends on its header is where its data begins, and that is at a
    boundary of all blocks."""
    matrices = packed_matrices(file, program.weights)
    offsets, _ = place(matrices, 0)
    spans = [_stretch(run, offsets, matrices) for run in Split.of(program, streamed_layers).streamed]
    return StreamSizes(sum(size for _, size in spans), native.ring_bytes(spans, SLOTS))


class StreamedFile:
    """An open packed file whose last layers are streamed; the file must stay open longer.

    Raises ModelFileError when it is too short by now or cannot be read, DoesNotFit when there is no memory.
    """

    def __init__(self, packed: PackedFile, split: Split, threads: native.Threads) -> None:
        self._packed = packed
        offsets, matrices = packed.layout.offsets, packed.layout.matrices
        self._spans = {index: number for number, run in enumerate(split.streamed) for index in run}
        self._loaded: dict[int, tuple[native.Region, int]] = {}  # matrix -> region, and where that begins in the file
        self._regions: list[native.Region] = []
        for run in split.resident:
            start, size = _stretch(run, offsets, matrices)
            region = packed.load(start, size + native.OVERREAD_BYTES, threads)
            self._regions.append(region)
            self._loaded |= dict.fromkeys(run, (region, start))
        spans = [_stretch(run, offsets, matrices) for run in split.streamed]
        self.streamed_bytes = sum(size for _, size in spans)
        self.streamed_layers = len(spans)
        self._stream = packed.stream(spans, SLOTS)

    def matrix(self, index: int) -> native.Weights:
        """Matrix `index` of the layout, wherever it is held."""
        layout = self._packed.layout
        of, offset = layout.matrices[index], layout.offsets[index]
        if index in self._spans:
            return native.Weights.streamed(of.type, of.rows, of.cols, self._stream, self._spans[index], offset)
        if index not in self._loaded:
            return self._packed.matrix(index)
        region, start = self._loaded[index]
        return native.Weights.mapped(of.type, of.rows, of.cols, region, offset - start)

    @property
    def is_direct(self) -> bool:
        """Whether layers are read past the page cache."""
        return self._stream.is_direct

    def check(self, cause: BaseException | None = None) -> None:
        """Raises ModelFileError when the file could not be read; from `cause`, if given."""
        failure = self._stream.failure
        if failure is not None:
            raise ModelFileError(
                self._packed.path, f"{failure}, while the model was in use; load the model again"
            ) from cause

    def resident(self) -> Resident | None:
        """What is in memory of the weights that stay there; None where the system does not say."""
        here = [resident(region.address, region.num_bytes) for region in (*self._regions, self._packed.region)]
        found = [part for part in here if part is not None]
        if not found:
            return None
        return Resident(sum(part.num_bytes for part in found), sum(part.huge_bytes for part in found))

    def close(self) -> None:
        """Lets go of memory and stream, once no weights need them."""
        self._stream.close()
        for region in self._regions:
            region.close()
