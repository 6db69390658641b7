"""A model on this machine, and how model files in a folder become models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.formats.split import part_of
from edge.library.names import quant_of

__all__ = ["Found", "gguf_files", "whole_models"]

MAX_FILES, MAX_DEPTH = 20_000, 8  # a folder that holds more is no folder of models


@dataclass(frozen=True, slots=True)
class Found:
    """`name`: what to write for it; `aliases`: what may be written too. tool: who keeps it, "edge" for pulled ones.
    path: of the first part. num_bytes: of all parts."""

    name: str
    aliases: tuple[str, ...]
    tool: str
    path: Path
    num_bytes: int
    num_parts: int = 1

    @property
    def quant(self) -> str | None:
        return quant_of(self.path.name) or quant_of(self.name)

    def is_called(self, text: str) -> bool:
        return any(text.casefold() == name.casefold() for name in (self.name, *self.aliases))


def gguf_files(folder: Path) -> Iterator[Path]:
    """The .gguf files of a folder and those in it, by name; what cannot be read, and what is hidden, is passed over."""
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < MAX_DEPTH else []
        seen += len(files) + len(folders)
        if seen > MAX_FILES:
            return
        for name in sorted(files):
            if name.lower().endswith(".gguf") and not name.startswith(".") and "mmproj" not in name.lower():
                yield Path(place, name)


def whole_models(paths: Iterable[Path]) -> Iterator[tuple[Path, int, int]]:
    """(first part, bytes of all parts, number of parts) of each model that is there whole."""
    for path in paths:
        part = part_of(path.name)
        if part is None:
            parts = [path]
        elif part[1] == 0:
            prefix, _, count = part
            parts = [path.with_name(f"{prefix}-{number:05d}-of-{count:05d}.gguf") for number in range(1, count + 1)]
        else:
            continue
        try:
            num_bytes = sum(file.stat().st_size for file in parts)
        except OSError:  # a part is missing, or a link leads nowhere: its download was interrupted
            continue
        yield path, num_bytes, len(parts)
