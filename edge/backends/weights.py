"""The weights of a program in native memory: from a packed file, or packed here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from edge import native
from edge.backends.file_watch import FileWatch
from edge.formats.gguf import GGUFFile
from edge.graph import WeightRef
from edge.packed import CacheOptions, PackedCache, PackedFile, PackedMatrix
from edge.packed.resident import resident

__all__ = ["LoadedWeights", "WeightsInfo", "load_weights"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WeightsInfo:
    """How the weights are held. memory: packed at load. mapped, owned: from the packed file `path`.

    resident_bytes, huge_bytes: of the packed file's bytes, how many are in RAM and mapped here, and how many of those
    in huge pages, read back from the system; None where it does not say. note: a sentence that the user should read.
    """

    residency: Literal["memory", "mapped", "owned"]
    path: str | None
    packed_bytes: int  # of all matrices
    resident_bytes: int | None
    huge_bytes: int | None
    note: str | None


class LoadedWeights:
    """`items`: one per WeightRef. close() lets go of them and of the packed file."""

    def __init__(
        self, items: list[native.Weights], packed: PackedFile | None, options: CacheOptions, note: str | None
    ) -> None:
        self.items = items
        self._packed = packed
        self._residency = options.residency
        self._note = note

    @property
    def info(self) -> WeightsInfo:
        """Asks the system: takes milliseconds."""
        num_bytes = sum(item.packed_bytes for item in self.items if not item.is_vector)
        if self._packed is None:
            return WeightsInfo("memory", None, num_bytes, None, None, self._note)
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

    def close(self) -> None:
        for item in self.items:
            item.close()
        self.items.clear()
        packed, self._packed = self._packed, None
        if packed is not None:
            packed.close()


def load_weights(
    file: GGUFFile,
    refs: Sequence[WeightRef],
    threads: native.Threads,
    watch: FileWatch,
    options: CacheOptions,
    on_progress: Progress | None,
) -> LoadedWeights:
    """Finds the packed file of a model or builds it, unless the model is small or the user wants none; adds it to
    `watch`. on_progress gets (bytes of weights done, bytes of all weights), as the model file has them.

    Raises ModelFileError, DoesNotFit, NativeError.
    """
    loader = _Loader(file, refs, threads, watch, on_progress)
    matrices = [_packed_matrix(file, ref) for ref in refs if ref.kind == "matrix"]
    packed, note = None, None
    try:
        if sum(matrix.num_bytes for matrix in matrices) < options.smallest_bytes:
            pass  # packed quicker than looked up
        elif options.enabled:
            cache = PackedCache(file, matrices, options, threads.num_threads)
            packed = cache.find() or cache.build(loader.pack)
            note = cache.note
        else:
            note = "the weights are packed in memory, at every load, as no_cache asks"
        if packed is not None:
            watch.add(packed.path, packed.region)
        return LoadedWeights(loader.items(packed), packed, options, note)
    except BaseException:
        if packed is not None:
            packed.close()
        raise


def _packed_matrix(file: GGUFFile, ref: WeightRef) -> PackedMatrix:
    return PackedMatrix.of(ref.tensor, file.tensors[ref.tensor].type, ref.shape[0], ref.shape[1])


class _Loader:
    """Makes native weights of tensors, and counts them."""

    def __init__(
        self,
        file: GGUFFile,
        refs: Sequence[WeightRef],
        threads: native.Threads,
        watch: FileWatch,
        on_progress: Progress | None,
    ) -> None:
        self._file = file
        self._refs = refs
        self._threads = threads
        self._watch = watch
        self._on_progress = on_progress
        self._left = {ref.tensor: file.tensors[ref.tensor].num_bytes for ref in refs}
        self._total = sum(self._left.values())

    @contextmanager
    def pack(self, matrix: PackedMatrix) -> Generator[memoryview]:
        """The packed bytes of one matrix, for the writer of a packed file: never made of lost pages."""
        with self._matrix(matrix.name, matrix.type, matrix.rows, matrix.cols) as weights, weights.packed as packed:
            self._watch.check()
            yield packed
        self._count(matrix.name)

    def items(self, packed: PackedFile | None) -> list[native.Weights]:
        """All weights, matrices from the packed file if there is one."""
        items: list[native.Weights] = []
        places = {} if packed is None else {m.name: packed.offset(i) for i, m in enumerate(packed.layout.matrices)}
        for ref in self._refs:
            kind = self._file.tensors[ref.tensor].type
            if ref.kind == "vector":
                weights = native.Weights.vector(kind, ref.shape[0], self._file.tensor_data(ref.tensor))
            elif packed is None:
                weights = self._matrix(ref.tensor, kind, ref.shape[0], ref.shape[1])
            else:
                place = places[ref.tensor]
                weights = native.Weights.mapped(kind, ref.shape[0], ref.shape[1], packed.region, place)
            items.append(weights)
            self._count(ref.tensor)
        return items

    def _matrix(self, name: str, kind: int, rows: int, cols: int) -> native.Weights:
        """Packs a matrix, whose source is not needed in memory afterwards."""
        weights = native.Weights.matrix(kind, rows, cols, self._file.tensor_data(name), self._threads)
        self._file.let_go(name)
        return weights

    def _count(self, name: str) -> None:
        self._left.pop(name, None)  # a matrix is packed again when a second place is tried
        if self._on_progress is not None:
            self._on_progress(self._total - sum(self._left.values()), self._total)
