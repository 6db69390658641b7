"""One folder whose files tools may touch. Paths are walked name by name from an open descriptor, so that neither "..",
links, devices nor a folder swapped in the middle of an operation lead out of it.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.assistant.errors import ToolFailure

__all__ = ["Workspace", "names_of"]

MAX_TEXT = 256 << 10  # bytes of a file that is read or written
_MAX_NAMES = 1000  # entries of a folder
_MAX_DEPTH = 16
_MAX_FILES, _MAX_SEARCHED = 5000, 64 << 20  # files and bytes of one search
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Workspace:
    """root: made if it is not there. ToolFailure of its methods are sentences that name the path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._device = os.stat(root).st_dev

    def entries(self, path: str) -> list[tuple[str, int | None]]:
        """(name, bytes of a file or None for a folder), sorted; links and devices are left out."""
        with self._folder(names_of(path), path) as folder:
            return list(_entries(folder, self._device))

    def read(self, path: str) -> str:
        names = names_of(path)
        if not names:
            raise ToolFailure("Which file? The path is empty.")
        with self._folder(names[:-1], path) as folder:
            return self._read_at(folder, names[-1], path)

    def write(self, path: str, text: str, *, replace: bool) -> bool:
        """Old or new, never half of one. Returns whether the file is new. replace: may be there already."""
        names, data = names_of(path), text.encode()
        if not names:
            raise ToolFailure("Which file? The path is empty.")
        if len(data) > MAX_TEXT:
            raise ToolFailure(f"The text has {len(data)} bytes; at most {MAX_TEXT} are written.")
        with self._folder(names[:-1], path, create=True) as folder:
            is_new = self._check_target(folder, names[-1], path, replace)
            temporary = f".{names[-1][:100]}.{secrets.token_hex(6)}"
            try:
                self._write_at(folder, temporary, data)
                os.rename(
                    temporary, names[-1], src_dir_fd=folder, dst_dir_fd=folder
                )  # a link is replaced, not followed
                os.fsync(folder)
            except OSError as error:
                try:
                    os.unlink(temporary, dir_fd=folder)
                except FileNotFoundError:
                    pass
                raise ToolFailure(f"“{path}” could not be written: {error.strerror}.") from None
            return is_new

    def search(self, words: str, path: str = "") -> Iterator[tuple[str, int, str]]:
        """(path, line number, line) of lines that hold all words, in files whose name or text does."""
        folded = [word.casefold() for word in words.split()][:16]
        left_files, left_bytes = _MAX_FILES, _MAX_SEARCHED
        for name, size in self._files(path):
            left_files, left_bytes = left_files - 1, left_bytes - min(size, MAX_TEXT)
            if left_files < 0 or left_bytes < 0:
                return
            if all(word in name.casefold() for word in folded):
                yield name, 0, ""
                continue
            try:
                text = self.read(name)
            except ToolFailure:
                continue  # no text, or too long
            for number, line in enumerate(text.splitlines(), 1):
                if all(word in line.casefold() for word in folded):
                    yield name, number, line

    def _files(self, path: str) -> Iterator[tuple[str, int]]:
        stack = ["/".join(names_of(path))]
        while stack:
            folder = stack.pop()
            try:
                entries = self.entries(folder)
            except ToolFailure:
                continue
            for name, size in entries:
                inside = f"{folder}/{name}" if folder else name
                if size is not None:
                    yield inside, size
                elif inside.count("/") < _MAX_DEPTH:
                    stack.append(inside)

    @contextmanager
    def _folder(self, names: list[str], path: str, *, create: bool = False) -> Generator[int]:
        try:
            folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ToolFailure(f"The workspace {self.root} cannot be opened: {error.strerror}.") from None
        try:
            for name in names:
                if create:
                    try:
                        os.mkdir(name, 0o700, dir_fd=folder)
                    except FileExistsError:
                        pass
                inner = os.open(name, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
                if os.fstat(folder).st_dev != self._device:
                    raise ToolFailure(f"“{path}” leads to another file system.")
            yield folder
        except OSError as error:
            raise ToolFailure(f"“{path}”: {_reason(error)}.") from None
        finally:
            os.close(folder)

    def _read_at(self, folder: int, name: str, path: str) -> str:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder)
        with open(file, "rb") as opened:
            self._check_file(os.fstat(file), path)
            data = opened.read(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            raise ToolFailure(f"“{path}” is longer than {MAX_TEXT} bytes.")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise ToolFailure(f"“{path}” is no text.")
        return text

    def _check_target(self, folder: int, name: str, path: str, replace: bool) -> bool:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        self._check_file(status, path)
        if not replace:
            raise ToolFailure(f"“{path}” is there already; it is only replaced when the call says so.")
        return False

    def _check_file(self, status: os.stat_result, path: str) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ToolFailure(f"“{path}” is no file.")
        if status.st_nlink != 1 or status.st_dev != self._device:
            raise ToolFailure(f"“{path}” is a link to a file elsewhere.")

    @staticmethod
    def _write_at(folder: int, name: str, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def names_of(path: str) -> list[str]:
    """The names that a path goes through, from the workspace on; none for the workspace itself. ToolFailure."""
    text = path.strip()
    if text.startswith(("/", "~", "\\")) or "\\" in text:
        raise ToolFailure(f"“{path}” does not begin in the workspace; name a file as folder/name.")
    names = [name for name in text.split("/") if name not in ("", ".")]
    for name in names:
        if name == ".." or "\0" in name or any(ord(character) < 32 for character in name):
            raise ToolFailure(f"“{path}” leads out of the workspace or is no path.")
        if len(name.encode()) > 200:
            raise ToolFailure(f"“{name[:40]}…” is longer than 200 bytes.")
    if len(names) > _MAX_DEPTH:
        raise ToolFailure(f"“{path}” is deeper than {_MAX_DEPTH} folders.")
    return names


def _entries(folder: int, device: int) -> Iterator[tuple[str, int | None]]:
    with os.scandir(folder) as listed:
        items = sorted((item for _, item in zip(range(_MAX_NAMES), listed, strict=False)), key=lambda item: item.name)
        for item in items:
            status = item.stat(follow_symlinks=False)
            if item.name.startswith(".") or status.st_dev != device:
                continue
            if stat.S_ISDIR(status.st_mode):
                yield item.name, None
            elif stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                yield item.name, status.st_size


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(error, NotADirectoryError) or error.errno == 40:  # ELOOP: a link, by O_NOFOLLOW
        return "that is a link or no folder"
    return str(error.strerror)
