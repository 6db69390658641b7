"""Finds the packed file of a model, or builds it; says in a sentence what the user should know."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

from edge.errors import DoesNotFit, ModelFileError
from edge.formats.atomic import atomic_file, remove_orphans
from edge.formats.gguf import GGUFFile
from edge.packed.layout import PackedLayout, PackedMatrix
from edge.packed.options import CacheOptions
from edge.packed.places import packed_places
from edge.packed.reader import PackedFile
from edge.packed.source import SourceHash, SourceStamp, check_unchanged
from edge.packed.writer import PackedWriter

__all__ = ["Pack", "PackedCache"]

# Packs a matrix; its bytes are read before the block ends.
Pack: TypeAlias = Callable[[PackedMatrix], AbstractContextManager[memoryview]]


class PackedCache:
    """Packed files of one model. `note`: what happened, when it was more than opening a good file; None otherwise."""

    def __init__(
        self,
        file: GGUFFile,
        matrices: Sequence[PackedMatrix],
        options: CacheOptions,
        num_threads: int,
        *,
        streamed: bool = False,
    ) -> None:
        """streamed: parts of the file will be read again and again, and none of them now."""
        self.note: str | None = None
        self.problems: tuple[str, ...] = ()  # why `build` wrote none
        self.places = packed_places(file.path, options.folder, options.user_folder)
        self._file = file
        self._options = options
        self._num_threads = num_threads
        self._streamed = streamed
        self._layout = PackedLayout.of(matrices, SourceStamp.of(file))
        self._owners = {os.geteuid(), 0, *(part.status.st_uid for part in file.mapped_parts)}
        self._refused: list[str] = []

    def find(self) -> PackedFile | None:
        """The first good one; None when there is none. Raises DoesNotFit when there is no memory to own it."""
        for place in self.places:
            if os.path.lexists(place):
                try:
                    return self._open(place)
                except ModelFileError as error:
                    self._refused.append(str(error))
        return None

    def build(self, pack: Pack) -> PackedFile | None:
        """Writes one to the first place that takes it; None when none does.

        Raises ModelFileError when the model changes meanwhile, and what `pack` raises.
        """
        problems: list[str] = []
        for place in self.places:
            problem = self._write(place, pack)
            if problem is None:
                try:
                    packed = self._open(place)
                except ModelFileError as error:
                    problem = str(error)
                else:
                    instead = "".join(f"; {refused}" for refused in self._refused[:1])
                    self.note = f"the weights are packed into {place}, from where later loads map them{instead}"
                    return packed
            problems.append(problem)
        self.problems = tuple(problems)
        self.note = f"the weights are packed in memory, at every load: {'; '.join(problems)}"
        return None

    def _open(self, place: Path) -> PackedFile:
        packed = PackedFile(place, self._layout, owners=self._owners)
        try:
            if self._options.verify:
                with SourceHash(self._file) as hashes:
                    packed.verify(hashes.result())
            if self._streamed:
                pass
            elif self._options.residency == "owned":
                packed.own(self._num_threads)
            else:
                packed.expect_all()
        except BaseException:
            packed.close()
            raise
        return packed

    def _write(self, place: Path, pack: Pack) -> str | None:
        """Why it cannot be written; None when it was."""
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_orphans(place)
            with (
                atomic_file(place, self._layout.total_bytes, through_links=False) as out,
                SourceHash(self._file) as hashes,
            ):
                owner = os.fstat(out.fileno()).st_uid
                if owner not in self._owners:  # a network file system may say so: nobody would read it
                    raise PermissionError(0, f"files written there belong to user {owner}")
                writer = PackedWriter(out, self._layout)
                for matrix in self._layout.matrices:
                    with pack(matrix) as packed:
                        writer.add(packed)
                source_hashes = hashes.result()
                check_unchanged(self._file)
                writer.finish(source_hashes)
        except OSError as error:
            return f"{place}: {error.strerror or error}"
        except DoesNotFit as error:
            return str(error)
        return None
