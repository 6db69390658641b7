"""What a conversion reads: a Hugging Face folder or a GGUF file."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edge.export import TensorSource
from edge.export.gguf_source import GGUFSource
from edge.export.hugging_face import HuggingFaceSource
from edge.references import resolve

__all__ = ["Opened", "open_source"]

_FLOATS = ("F32", "F16", "BF16")


class Opened(NamedTuple):
    """path: the GGUF file, None for a folder. name: what to call files of it; never one that a file states. notes: what
    the user should know."""

    source: TensorSource
    path: Path | None
    name: str
    notes: tuple[str, ...]


@contextmanager
def open_source(reference: str | os.PathLike[str]) -> Generator[Opened]:
    """A folder, or whatever else names a model. Raises what reading the folder or the file raises."""
    if Path(reference).is_dir():
        with HuggingFaceSource(reference) as folder:
            yield Opened(folder, None, folder.name, folder.notes)
    else:
        path = resolve(reference)
        with GGUFSource(path) as file:
            stored = sorted({tensor.type_name for tensor in file.tensors} - set(_FLOATS))
            note = f"the source is quantised already ({', '.join(stored)}): its errors stay, and new ones are added"
            yield Opened(file, path, path.stem, (note,) if stored else ())
