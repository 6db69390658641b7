"""All models that have a name on this machine: found by name, and where pulled ones go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from edge.errors import RequestError
from edge.formats.split import part_of
from edge.library.found import Found, gguf_files, whole_models
from edge.library.names import HubName, UrlName
from edge.library.others import found_elsewhere, names_in_repository
from edge.library.record import PART, RECORD, Record
from edge.user_folders import user_data_folder

__all__ = ["Library", "Unfinished"]

OWN = "edge"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file whose download has not come to its end: `num_bytes` of `size` are there."""

    name: str
    path: Path  # of the .part file
    num_bytes: int
    size: int


@dataclass(frozen=True, slots=True)
class Library:
    """`folder` holds what was pulled: hub/OWNER/REPO/FILE and url/HOST/FILE. None: there is no home to have it in."""

    folder: Path | None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Library:
        """The folder that EDGE_MODELS_DIR names, or else the one in the user's data folder. EDGE_OTHER_MODELS=off: what
        other tools have is not looked for."""
        named = environment.get("EDGE_MODELS_DIR", "")
        if named:
            folder: Path | None = Path(named).expanduser()
        else:
            data = user_data_folder(environment)
            folder = None if data is None else data / "models"
        others = {} if environment.get("EDGE_OTHER_MODELS", "").lower() in ("off", "0", "no") else dict(environment)
        return cls(folder, others)

    def place(self, source: HubName | UrlName) -> Path:
        """The folder for the files of a source. RequestError: there is no home."""
        if self.folder is None:
            raise RequestError("there is no home folder for models: set EDGE_MODELS_DIR, or HOME")
        if isinstance(source, UrlName):
            return self.folder / "url" / source.host
        return self.folder / "hub" / source.owner / source.repo

    def target(self, source: HubName | UrlName, path: PurePosixPath) -> Path:
        """The file for a file of a source; `path` was made by safe_path."""
        return self.place(source) / path

    def models(self) -> Iterator[Found]:
        """All models, pulled ones first, then by tool."""
        yield from self.pulled()
        if self.environment:
            yield from found_elsewhere(self.environment)

    def pulled(self) -> Iterator[Found]:
        for repository in self._places("hub", 2):
            name = "/".join(repository.parts[-2:])
            models = list(whole_models(gguf_files(repository)))
            for path, num_bytes, num_parts in models:
                inside = path.relative_to(repository)
                names = names_in_repository(name, inside, [other for other, _, _ in models])
                yield Found(names[0], names[1:], OWN, path, num_bytes, num_parts)
        for host in self._places("url", 1):
            for path, num_bytes, num_parts in whole_models(gguf_files(host)):
                stem = path.name.removesuffix(".gguf")
                yield Found(stem, (f"{host.name}/{stem}",), OWN, path, num_bytes, num_parts)

    def unfinished(self) -> Iterator[Unfinished]:
        if self.folder is None:
            return
        for place, folders, files in os.walk(self.folder):
            folders.sort()
            for name in sorted(files):
                target = Path(place, name.removesuffix(PART))
                record = Record.read(target.with_name(target.name + RECORD)) if name.endswith(PART) else None
                if record is not None:
                    path = Path(place, name)
                    yield Unfinished(record.model, path, path.stat().st_size, record.size)

    def find(self, text: str) -> Found | None:
        """The model of this name, of the first tool that has one. RequestError: that tool has several."""
        found = [model for model in self.models() if model.is_called(text)]
        exact = [model for model in found if model.name.casefold() == text.casefold()] or found
        alike = [model for model in exact if model.tool == exact[0].tool]
        if len(alike) > 1:
            names = ", ".join(model.name for model in alike[:8])
            raise RequestError(f"{text!r} could be {len(alike)} models: {names}; name one of them")
        return alike[0] if alike else None

    def remove(self, model: Found) -> list[Path]:
        """Removes a pulled model, its records, and folders that are empty then; what was removed."""
        part = part_of(model.path.name)
        paths = [model.path]
        if part is not None:
            prefix, _, count = part
            paths = [model.path.with_name(f"{prefix}-{n:05d}-of-{count:05d}.gguf") for n in range(1, count + 1)]
        return self._remove([*paths, *(path.with_name(path.name + RECORD) for path in paths)])

    def remove_unfinished(self, unfinished: Unfinished) -> list[Path]:
        record = unfinished.path.with_name(unfinished.path.name.removesuffix(PART) + RECORD)
        return self._remove([unfinished.path, record])

    def _remove(self, paths: list[Path]) -> list[Path]:
        removed: list[Path] = []
        for path in paths:
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            removed.append(path)
        folder = paths[0].parent
        while self.folder is not None and folder != self.folder and self.folder in folder.parents:
            try:
                folder.rmdir()
            except OSError:  # not empty
                break
            folder = folder.parent
        return removed

    def _places(self, kind: str, depth: int) -> Iterator[Path]:
        if self.folder is not None:
            yield from sorted(path for path in (self.folder / kind).glob("/".join("*" * depth)) if path.is_dir())
