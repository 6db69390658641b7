"""The files of a loaded model, watched for as long as it lives: one that becomes shorter is an error and no crash."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge import native
from edge.errors import ModelFileError
from edge.formats.gguf import GGUFFile

__all__ = ["FileWatch"]


class FileWatch:
    """Watches the parts of a model file, and regions that are added. Lost pages read as zeros: ask after reading.

    Raises DoesNotFit when too many files are watched.
    """

    def __init__(self, file: GGUFFile) -> None:
        self._own: list[native.Region] = []
        self._watched: list[tuple[Path, native.Region]] = []
        for part in file.mapped_parts:
            region = native.Region.watch(part.view[:])  # a view of its own: the part may be closed first
            self._own.append(region)
            self.add(part.path, region)

    def add(self, path: Path, region: native.Region) -> None:
        """A region that maps `path`; it stays open longer than this."""
        self._watched.append((path, region))

    def check(self, cause: BaseException | None = None) -> None:
        """Raises ModelFileError naming the file that became shorter since it was opened; from `cause`, if given."""
        for path, region in self._watched:
            if region.readable_bytes < region.num_bytes:
                raise ModelFileError(
                    path,
                    f"became shorter while the model was in use, or its disk fails: it had {region.num_bytes} bytes "
                    "when it was opened; load the model again",
                ) from cause

    @contextmanager
    def reading(self) -> Generator[None]:
        """Around everything that reads the files: what came of it, an error too, counts only if they are whole."""
        try:
            yield
        except Exception as error:
            self.check(error)
            raise
        self.check()

    def close(self) -> None:
        """Ends the watch; allowed twice."""
        self._watched.clear()
        for region in self._own:
            region.close()
        self._own.clear()
