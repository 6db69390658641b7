"""The weights of a program in native memory: from a packed file, or packed here."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from edge import native
from edge.backends.file_watch import FileWatch
from edge.backends.streaming import Split, StreamedFile, packed_matrices
from edge.errors import DoesNotFit
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram, WeightRef
from edge.packed import CacheOptions, PackedCache, PackedFile, PackedMatrix
from edge.packed.resident import resident

__all__ = ["LoadedWeights", "WeightsInfo", "load_weights"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WeightsInfo:
    """How the weights are held. memory: packed at load. mapped, owned: from the packed file `path`. streamed: from it,
    and `streamed_layers` of `streamed_bytes` are read for every step, direct: past the page cache.

    resident_bytes, huge_bytes: of the packed file's bytes, how many are in RAM and mapped here, and how many of those
    in huge pages, read back from the system; None where it does not say. note: a sentence that the user should read.
    """

    residency: Literal["memory", "mapped", "owned", "streamed"]
    path: str | None
    packed_bytes: int  # of all matrices
    resident_bytes: int | None
    huge_bytes: int | None
    note: str | None
    streamed_bytes: int = 0
    streamed_layers: int = 0
    direct: bool | None = None  # None: nothing is streamed
    streaming_note: str | None = None  # what the user should know of that


class LoadedWeights:
    """`items`: one per WeightRef. close() lets go of them and of the packed file."""

    def __init__(
        self,
        items: list[native.Weights],
        packed: PackedFile | None,
        streamed: StreamedFile | None,
        options: CacheOptions,
        note: str | None,
    ) -> None:
        self.items = items
        self._packed = packed
        self._streamed = streamed
        self._residency = options.residency
        self._note = note

    @property
    def info(self) -> WeightsInfo:
        """Asks the system: takes milliseconds."""
        if self._packed is None:
            num_bytes = sum(item.packed_bytes for item in self.items if not item.is_vector)
            return WeightsInfo("memory", None, num_bytes, None, None, self._note)
        num_bytes = sum(matrix.num_bytes for matrix in self._packed.layout.matrices)
        if self._streamed is not None:
            return self._streamed_info(self._packed, self._streamed, num_bytes)
        region = self._packed.region
        here = resident(region.address, region.num_bytes)
        return WeightsInfo(
            "owned" if self._residency == "owned" else "mapped",
            str(self._packed.path),
            num_bytes,
            None if here is None else here.num_bytes,
            None if here is None else here.huge_bytes,
            self._note,
        )

    @property
    def source_hashes(self) -> tuple[str, ...] | None:
        """SHA-256 of each part of the model, as the packed file has them; None without one."""
        return None if self._packed is None else self._packed.contents.source_hashes

    def token_rows(self, token_ids: array[int]) -> array[int]:
        """Before every step: what its tokens are called in it, which differs from their ids where weights are streamed.
        NativeError: no such token; ModelFileError as `check`."""
        return token_ids if self._streamed is None else self._streamed.token_rows(token_ids)

    def check(self, cause: BaseException | None = None) -> None:
        """Raises ModelFileError when weights that are streamed could not be read; from `cause`, if given."""
        if self._streamed is not None:
            self._streamed.check(cause)

    def close(self) -> None:
        for item in self.items:
            item.close()
        self.items.clear()
        for held in (self._streamed, self._packed):
            if held is not None:
                held.close()
        self._streamed = self._packed = None

    def _streamed_info(self, packed: PackedFile, streamed: StreamedFile, num_bytes: int) -> WeightsInfo:
        here = streamed.resident()
        note = (
            f"the weights do not fit in memory: the last {streamed.streamed_layers} layers, "
            f"{streamed.streamed_bytes / 2**20:.0f} MiB of them, are read from the disk for every step, which sets its "
            "speed"
        )
        if not streamed.is_direct:
            note += "; the file system refuses direct reads, so they go through the page cache, which is emptied again"
        return WeightsInfo(
            "streamed",
            str(packed.path),
            num_bytes,
            None if here is None else here.num_bytes,
            None if here is None else here.huge_bytes,
            self._note,
            streamed.streamed_bytes,
            streamed.streamed_layers,
            streamed.is_direct,
            note,
        )


def load_weights(
    file: GGUFFile,
    program: NativeProgram,
    threads: native.Threads,
    watch: FileWatch,
    options: CacheOptions,
    on_progress: Progress | None,
    streamed_groups: int = 0,
    max_tokens: int = 1,
) -> LoadedWeights:
    """Finds the packed file of a model or builds it, unless the model is small or the user wants none; adds it to
    `watch`. on_progress gets (bytes of weights done, bytes of all weights), as the model file has them.
    streamed_groups: so many are not kept in memory (`streaming.streamable_groups`). max_tokens: of a step.

    Raises ModelFileError, DoesNotFit (layers are to be streamed, and there can be no packed file, too), NativeError.
    """
    loader = _Loader(file, program, threads, watch, on_progress)
    matrices = packed_matrices(file, program.weights)
    packed, streamed, note = None, None, None
    try:
        if sum(matrix.num_bytes for matrix in matrices) < options.smallest_bytes and not streamed_groups:
            pass  # packed quicker than looked up
        elif options.enabled:
            cache = PackedCache(file, matrices, options, threads.num_threads, streamed=streamed_groups > 0)
            packed = cache.find() or cache.build(loader.pack)
            note = cache.note
            if packed is None and streamed_groups:
                raise DoesNotFit(f"{file.path}: layers are streamed from a packed file: {'; '.join(cache.problems)}")
        elif streamed_groups:
            raise DoesNotFit(f"{file.path}: layers are streamed from a packed file, which no_cache forbids")
        else:
            note = "the weights are packed in memory, at every load, as no_cache asks"
        if packed is not None:
            watch.add(packed.path, packed.region)
            if streamed_groups:
                split = Split.of(program, matrices, streamed_groups, max_tokens)
                streamed = StreamedFile(packed, split, threads)
            elif options.residency != "owned":
                # A step reads all others. Of these every new token would add some pages, for weeks.
                for index, matrix in enumerate(matrices):
                    if matrix.name in program.lookups:
                        packed.touch(index)
        return LoadedWeights(loader.items(streamed or packed), packed, streamed, options, note)
    except BaseException:
        for item in (streamed, packed):
            if item is not None:
                item.close()
        raise


class _Loader:
    """Makes native weights of tensors, and counts them."""

    def __init__(
        self,
        file: GGUFFile,
        program: NativeProgram,
        threads: native.Threads,
        watch: FileWatch,
        on_progress: Progress | None,
    ) -> None:
        refs = program.weights
        self._file = file
        self._refs = refs
        self._threads = threads
        self._watch = watch
        self._on_progress = on_progress
        self._by_name = {ref.name: ref for ref in refs}
        self._left = {ref.name: len(self._data(ref)) for ref in refs}
        self._total = sum(self._left.values())

    @contextmanager
    def pack(self, matrix: PackedMatrix) -> Generator[memoryview]:
        """The packed bytes of one matrix, for the writer of a packed file: never made of lost pages."""
        with self._matrix(self._by_name[matrix.name]) as weights, weights.packed as packed:
            self._watch.check()
            yield packed
        self._count(matrix.name)

    def items(self, packed: PackedFile | StreamedFile | None) -> list[native.Weights]:
        """All weights, matrices from the packed file if there is one. Else the largest are packed first: what a matrix
        is packed from is in memory beside all that are packed already."""
        order = list(range(len(self._refs)))
        if packed is None:
            order.sort(key=lambda index: -len(self._data(self._refs[index])))
        items: dict[int, native.Weights] = {}
        num_matrices = 0
        for index in order:
            ref = self._refs[index]
            if ref.kind == "vector":
                items[index] = native.Weights.vector(self._type(ref), ref.shape[0], self._data(ref))
            elif packed is None:
                items[index] = self._matrix(ref)
            else:
                items[index] = packed.matrix(num_matrices)
            num_matrices += ref.kind == "matrix"
            self._count(ref.name)
        return [items[index] for index in range(len(self._refs))]

    def _matrix(self, ref: WeightRef) -> native.Weights:
        """Packs a matrix, whose source is not needed in memory afterwards."""
        weights = native.Weights.matrix(self._type(ref), ref.shape[0], ref.shape[1], self._data(ref), self._threads)
        self._file.let_go(ref.tensor)
        return weights

    def _type(self, ref: WeightRef) -> int:
        return self._file.tensors[ref.tensor].type

    def _data(self, ref: WeightRef) -> memoryview:
        """The bytes of a tensor, or of the rows of it that are meant: rows are whole blocks."""
        data = self._file.tensor_data(ref.tensor)
        if not ref.is_part:
            return data
        row = len(data) // self._file.tensors[ref.tensor].shape[0]
        return data[ref.first_row * row : (ref.first_row + ref.shape[0]) * row]

    def _count(self, name: str) -> None:
        self._left.pop(name, None)  # a matrix is packed again when a second place is tried
        if self._on_progress is not None:
            self._on_progress(self._total - sum(self._left.values()), self._total)
