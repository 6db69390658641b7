"""Weights that do not fit in memory: the last layers are read from the packed file for every step.

The first layers and the head stay in memory of this process. Of the embedding, of which a step needs one row for each
token, no more than these rows do (`token_rows`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from edge import native
from edge.backends.token_rows import TokenRows, row_bytes
from edge.errors import ModelFileError
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram, WeightRef
from edge.packed import PackedFile, PackedMatrix
from edge.packed.layout import place
from edge.packed.resident import Resident, resident

__all__ = [
    "Split",
    "StreamSizes",
    "StreamedFile",
    "groups_of_layers",
    "packed_matrices",
    "stream_sizes",
    "streamable_groups",
]

SLOTS = 2  # buffers: one is computed with while the other is filled
_LAYER = re.compile(r"blk\.(\d+)\.")


def packed_matrices(file: GGUFFile, refs: Sequence[WeightRef]) -> list[PackedMatrix]:
    """In the order of the packed file, which is the one in which a step uses them."""
    return [
        PackedMatrix.of(ref.name, file.tensors[ref.tensor].type, ref.shape[0], ref.shape[1])
        for ref in refs
        if ref.kind == "matrix"
    ]


def streamable_groups(program: NativeProgram) -> list[range]:
    """The layers' matrices by the operation that multiplies with them, which needs all of its own at a time, in order;
    none where a layer's matrices are used by another one too."""
    refs = [ref for ref in program.weights if ref.kind == "matrix"]
    layers = [(layer, run) for layer, run in _runs([ref.name for ref in refs]) if layer is not None]
    if [layer for layer, _ in layers] != list(range(len(layers))):
        return []
    op_of = {(place.tensor, place.first_row): place.op for place in program.linears}
    ops = [op_of.get((ref.tensor, ref.first_row)) for ref in refs]
    groups: list[range] = []
    for _, run in layers:
        for _, members in groupby(run, key=lambda index: ops[index]):
            together = list(members)
            groups.append(range(together[0], together[-1] + 1))
    return groups


def groups_of_layers(program: NativeProgram, num_layers: int) -> int:
    """How many groups the last layers have."""
    names = [ref.name for ref in program.weights if ref.kind == "matrix"]
    layers = [_layer_of(names[group[0]]) for group in streamable_groups(program)]
    first = len(set(layers)) - num_layers
    return sum(layer is not None and layer >= first for layer in layers)


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


def _pieces(groups: Sequence[range], sizes: Sequence[int]) -> tuple[range, ...]:
    """Groups joined with their neighbours as long as none gets larger than the largest alone, for which a buffer must
    have room: large reads are fast ones."""
    most = max((sum(sizes[index] for index in group) for group in groups), default=0)
    pieces: list[range] = []
    for group in groups:
        if pieces and pieces[-1].stop == group.start:
            joined = range(pieces[-1].start, group.stop)
            if sum(sizes[index] for index in joined) <= most:
                pieces[-1] = joined
                continue
        pieces.append(group)
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Split:
    """Which matrices are where, by their numbers in the packed file. by_token: of which a step needs the rows of its
    tokens, at most max_tokens, and nothing else. resident: stretches of neighbours. streamed: what is read at a time,
    in order, and from how many layers. All others are mapped."""

    by_token: frozenset[int]
    resident: tuple[range, ...]
    streamed: tuple[range, ...]
    streamed_layers: int
    max_tokens: int

    @classmethod
    def of(
        cls, program: NativeProgram, matrices: Sequence[PackedMatrix], streamed_groups: int, max_tokens: int
    ) -> Split:
        """streamed_groups: how many, the last ones, of `streamable_groups`; at least one."""
        groups = streamable_groups(program)[-streamed_groups:]
        looked_up = frozenset(i for i, matrix in enumerate(matrices) if matrix.name in program.lookups)
        by_token = frozenset(
            i
            for i in looked_up
            if matrices[i].name in program.token_lookups and row_bytes(matrices[i], max_tokens) < matrices[i].num_bytes
        )
        elsewhere = looked_up.union(*groups)
        resident = (
            list(group)
            for here, group in groupby(range(len(matrices)), key=lambda index: index not in elsewhere)
            if here
        )  # fmt: skip
        return cls(
            by_token,
            tuple(range(run[0], run[-1] + 1) for run in resident),
            _pieces(groups, [matrix.num_bytes for matrix in matrices]),
            len({_layer_of(matrices[group[0]].name) for group in groups}),
            max_tokens,
        )


def _stretch(run: range, offsets: Sequence[int], matrices: Sequence[PackedMatrix]) -> tuple[int, int]:
    """(offset, bytes) of neighbours in the packed file."""
    return offsets[run[0]], offsets[run[-1]] + matrices[run[-1]].num_bytes - offsets[run[0]]


@dataclass(frozen=True, slots=True)
class StreamSizes:
    """Bytes. streamed: what every step reads from the file. ring: the buffers that it is read into. by_token: of the
    matrices that have no more than the rows of a step in memory, and rows: these. layers: how many are streamed, the
    first of them perhaps in part."""

    streamed: int
    ring: int
    by_token: int
    rows: int
    layers: int


def stream_sizes(file: GGUFFile, program: NativeProgram, streamed_groups: int, max_tokens: int) -> StreamSizes:
    """Of a packed file that may not be there yet: what depends on its header is where its data begins, and that is at a
    boundary of all blocks. max_tokens: of a step."""
    matrices = packed_matrices(file, program.weights)
    offsets, _ = place(matrices, 0)
    split = Split.of(program, matrices, streamed_groups, max_tokens)
    spans = [_stretch(run, offsets, matrices) for run in split.streamed]
    return StreamSizes(
        sum(size for _, size in spans),
        native.ring_bytes(spans, SLOTS),
        sum(matrices[index].num_bytes for index in split.by_token),
        sum(row_bytes(matrices[index], max_tokens) for index in split.by_token),
        split.streamed_layers,
    )


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
        self.streamed_layers = split.streamed_layers
        self._token_rows = TokenRows(packed, split.by_token, split.max_tokens)
        self._stream = packed.stream(spans, SLOTS)

    def matrix(self, index: int) -> native.Weights:
        """Matrix `index` of the layout, wherever it is held."""
        layout = self._packed.layout
        of, offset = layout.matrices[index], layout.offsets[index]
        if index in self._spans:
            return native.Weights.streamed(of.type, of.rows, of.cols, self._stream, self._spans[index], offset)
        if index in self._token_rows:
            return self._token_rows.matrix(index)
        if index not in self._loaded:
            return self._packed.matrix(index)
        region, start = self._loaded[index]
        return native.Weights.mapped(of.type, of.rows, of.cols, region, offset - start)

    def token_rows(self, token_ids: array[int]) -> array[int]:
        """Before every step: what its tokens are called in it. Errors as `TokenRows.fetch`."""
        return self._token_rows.fetch(token_ids)

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
        self._token_rows.close()
        for region in self._regions:
            region.close()
