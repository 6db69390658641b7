"""Opens one file of a model read-only and maps it: checks what kind of file it is before a byte is parsed."""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path

from edge.errors import BadModelFile, ModelFileError

__all__ = ["MappedFile"]


class MappedFile:
    """A regular file, mapped read-only. Pages are read when touched; nothing is copied."""

    def __init__(self, path: Path) -> None:
        """Map `path`. Raises ModelFileError when it cannot be opened, BadModelFile when it is not a regular file."""
        self.path = path
        try:
            # O_NONBLOCK: opening a FIFO must not wait for a writer. The checks below use the open descriptor, so the
            # file that was checked is the file that is mapped.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise ModelFileError(path, _open_failure(error)) from error
        except ValueError as error:
            raise ModelFileError(path, f"not a file name: {error}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise BadModelFile(path, f"is {kind_of(status.st_mode)}, a model file must be a regular file")
            self.status = status  # of the file that is mapped, whatever its name means by now
            self.size = status.st_size
            if self.size == 0:
                raise BadModelFile(path, "the file is empty (0 bytes), was the download interrupted?")
            try:
                self._map = mmap.mmap(descriptor, self.size, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                raise ModelFileError(path, f"cannot map {self.size} bytes: {error}") from error
        finally:
            os.close(descriptor)
        self.view = memoryview(self._map)

    def let_go(self, offset: int, num_bytes: int) -> None:
        """Takes the pages between out of this process's memory; what reads them again brings them back."""
        first, last = -(-offset // mmap.PAGESIZE) * mmap.PAGESIZE, (offset + num_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
        if last > first:
            self._map.madvise(mmap.MADV_DONTNEED, first, last - first)

    def close(self) -> None:
        """Unmap, once no view that was handed out is left. Views stay readable: the mapping goes with the last one."""
        self.view.release()
        try:
            self._map.close()
        except BufferError:
            pass


def _open_failure(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, a model file must be a regular file"
    return f"cannot open: {error.strerror}"


def kind_of(mode: int) -> str:
    """What a file is that is no regular one, by its mode."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe (FIFO)",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a character device",
        stat.S_IFBLK: "a block device",
    }
    return kinds.get(stat.S_IFMT(mode), "not a file")
