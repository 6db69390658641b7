"""Where sessions and prepared prompts lie, and what they may be called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import RequestError
from edge.user_folders import user_data_folder

__all__ = ["SavedPlaces", "user_data_folder"]

SUFFIX = ".edge-session"
PREPARED_SUFFIX = ".edge-prepared"
PREPARED_MARK = "@"  # begins what lists call a prepared prompt: no session's name has it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAME_RULE = "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
_PREPARED_NAME = re.compile(r"@([0-9a-f]{4,32})")


@dataclass(frozen=True, slots=True)
class SavedPlaces:
    """`folder` holds NAME.edge-session, and prepared/MODEL/KEY.edge-prepared. None: there is no home to have it in."""

    folder: Path | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> SavedPlaces:
        """The folder that EDGE_SESSIONS_DIR names, or else the one in the user's data folder."""
        named = environment.get("EDGE_SESSIONS_DIR", "")
        if named:
            return cls(Path(named).expanduser())
        data = user_data_folder(environment)
        return cls(None if data is None else data / "sessions")

    def session(self, name: str | os.PathLike[str]) -> Path:
        """The file of a session: a text is a name in the folder, never a path; a Path is taken as it is.

        RequestError: not a name, or no folder to look in.
        """
        if not isinstance(name, str):
            return Path(name)
        if not _NAME.fullmatch(name):
            raise RequestError(f"session name {name!r}: it must be {_NAME_RULE}")
        return self._existing_home() / f"{name}{SUFFIX}"

    def sessions(self) -> Iterator[Path]:
        """The files of all sessions, by name."""
        if self.folder is not None and self.folder.is_dir():
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                if _NAME.fullmatch(path.name.removesuffix(SUFFIX)):
                    yield path

    def prepared_for(self, model: str) -> Path | None:
        """The folder of the prompts prepared for a model, whose fingerprint has the digest `model`."""
        return None if self.folder is None else self.folder / "prepared" / model

    @property
    def has_prepared(self) -> bool:
        """Whether any prompt was prepared, for whatever model."""
        return self.folder is not None and (self.folder / "prepared").is_dir()

    def prepared(self) -> Iterator[Path]:
        """The files of all prepared prompts, of all models."""
        if self.folder is not None:
            yield from sorted((self.folder / "prepared").glob(f"*/*{PREPARED_SUFFIX}"))

    def find(self, name: str) -> Path:
        """The file that `edge sessions` lists under this name. RequestError: there is none, or several."""
        match = _PREPARED_NAME.fullmatch(name)
        if match is None:
            path = self.session(name)
            if os.path.lexists(path):
                return path
            raise RequestError(f"no session {name!r} in {path.parent}; `edge sessions` lists them")
        found = [path for path in self.prepared() if path.name.startswith(match[1])]
        if len(found) != 1:
            raise RequestError(f"{len(found)} prepared prompts begin with {name}; `edge sessions` lists them")
        return found[0]

    def _existing_home(self) -> Path:
        if self.folder is None:
            raise RequestError("there is no home folder for sessions: set EDGE_SESSIONS_DIR, or HOME")
        return self.folder


def listed_name(path: Path) -> str:
    """What lists call a file: the name of a session, or @ and the beginning of a prepared prompt's key."""
    if path.name.endswith(PREPARED_SUFFIX):
        return PREPARED_MARK + path.name.removesuffix(PREPARED_SUFFIX)[:12]
    return path.name.removesuffix(SUFFIX)
