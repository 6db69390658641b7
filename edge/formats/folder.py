"""A model's folder: names inside files are names of files beside them, and nothing else.

A symbolic link may lead to a file of the same folder, or, in the cache of Hugging Face's hub, from snapshots/REVISION
to blobs/ of the same repository. Whatever leads elsewhere is refused before it is opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields, parse_object
from edge.formats.mapping import MappedFile, kind_of

__all__ = ["ModelFolder"]

MAX_NAME_BYTES = 255  # what file systems hold
MAX_JSON_BYTES = 64 * 2**20
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5")


class ModelFolder:
    """Opens the files of one folder. Every method raises BadModelFile for names and files that may not be read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """ModelFileError: no such folder, or not one."""
        self.path = Path(path)
        try:
            self._status = os.stat(self.path)
            self._real = Path(os.path.realpath(self.path, strict=True))
        except (OSError, ValueError) as error:
            raise ModelFileError(self.path, getattr(error, "strerror", None) or str(error)) from None
        if not stat.S_ISDIR(self._status.st_mode):
            raise ModelFileError(self.path, "is not a folder; give the folder that holds config.json")

    @property
    def model_name(self) -> str:
        """What the model is called: the folder's name, or the repository's in the hub's cache."""
        parts = self._real.parts
        if len(parts) > 2 and parts[-2] == "snapshots" and parts[-3].startswith("models--"):
            return parts[-3].rsplit("--", 1)[-1]
        return self._real.name

    def has(self, name: str) -> bool:
        """Whether there is an entry of that name, of whatever kind."""
        return os.path.lexists(self.path / name)

    def listing(self) -> list[str]:
        """Names of all entries, sorted."""
        try:
            return sorted(os.listdir(self.path))
        except OSError as error:
            raise ModelFileError(self.path, f"cannot be listed: {error.strerror}") from None

    def map(self, name: str, named_by: Path | None = None) -> MappedFile:
        """The file `name`, mapped. named_by: the file that names it, for errors."""
        return MappedFile(self._checked(name, named_by))

    def read(self, name: str, max_bytes: int, inside: str | None = None) -> bytes:
        """The bytes of a small file. inside: a folder of this one that it lies in."""
        path = self._checked(name, None, inside)
        try:
            with open(path, "rb", opener=_open_regular) as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise ModelFileError(self.path / name, f"cannot be read: {error.strerror}") from None
        if len(data) > max_bytes:
            raise BadModelFile(self.path / name, f"is larger than {max_bytes} bytes, the limit for such a file")
        return data

    def read_json(self, name: str, max_bytes: int = MAX_JSON_BYTES, inside: str | None = None) -> Fields:
        """The object in a JSON file."""
        path = self.path / (inside or "") / name
        return Fields(path, parse_object(path, self.read(name, max_bytes, inside)))

    def read_text(self, name: str, max_bytes: int) -> str:
        data = self.read(name, max_bytes)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadModelFile(self.path / name, f"not UTF-8 at byte {error.start}") from None

    def refuse_pickles(self) -> None:
        """UnsupportedModel when there are weights, but only in forms that run code when they are read."""
        found = [name for name in self.listing() if name.endswith(_PICKLES)]
        if found:
            raise UnsupportedModel(
                self.path,
                f"the weights are in {found[0]}, a format that can run any program when it is read (Python's pickle "
                "and its kin), which edge never opens; save the model as safetensors where you trust it",
            )

    def check_name(self, name: str, named_by: Path | None = None) -> None:
        """BadModelFile unless `name` is a plain name of a file in this folder. named_by: the file that names it."""
        where = self.path if named_by is None else named_by

        def refuse(reason: str) -> BadModelFile:
            return BadModelFile(where, f"names the file {quoted(name)}, {reason}")

        if not name or name in (".", ".."):
            raise refuse("which is no file name")
        if "\0" in name:
            raise refuse("with a zero byte in it")
        try:
            size = len(os.fsencode(name))
        except UnicodeEncodeError:
            raise refuse("which is no Unicode text") from None
        if size > MAX_NAME_BYTES:
            raise refuse(f"of {size} bytes, the limit is {MAX_NAME_BYTES}")
        if name.startswith(("/", "~")) or name[1:2] == ":":
            raise refuse("an absolute path; it must be a name in the same folder")
        if "/" in name or "\\" in name:
            raise refuse("a path; it must be a name in the same folder")

    def _checked(self, name: str, named_by: Path | None, inside: str | None = None) -> Path:
        """The path of an entry that may be read."""
        self.check_name(name, named_by)
        if inside is not None:
            self.check_name(inside, named_by)
        path = self.path / (inside or "") / name
        try:
            target = Path(os.path.realpath(path, strict=True))
            status = os.stat(target, follow_symlinks=False)
        except OSError as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
            if path.is_symlink():
                reason = f"is a link that leads nowhere: {error.strerror}"
            by = f", which {named_by.name} names" if named_by is not None else ""
            raise ModelFileError(path, f"{reason}{by}") from None
        if not self._may_hold(target):
            raise BadModelFile(path, f"is a link that leads out of the folder, to {quoted(str(target))}")
        if not stat.S_ISREG(status.st_mode):
            raise BadModelFile(path, f"is {kind_of(status.st_mode)}, wanted a regular file")
        if status.st_nlink > 1 and status.st_uid not in (self._status.st_uid, os.geteuid()):
            raise BadModelFile(path, f"is a hard link to a file of another user ({status.st_uid})")
        return target

    def _may_hold(self, target: Path) -> bool:
        if target.is_relative_to(self._real):
            return True
        in_cache = self._real.parent.name == "snapshots"
        return in_cache and target.is_relative_to(self._real.parent.parent / "blobs")


def _open_regular(path: str, flags: int) -> int:
    """Never waits for the writer of a FIFO, never follows a link that was put there since the check."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
