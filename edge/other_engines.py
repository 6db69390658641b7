"""Loads a model on a backend that is not edge's own: what is asked becomes an open backend, its files and its plan."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from edge import device
from edge.backends.protocol import LoadedBackend
from edge.backends.registry import BACKENDS, BackendInfo, backend_for
from edge.errors import UnsupportedModel
from edge.formats.gguf import open_gguf
from edge.memory import MemoryPlan, Settings, compiled_for, parse_bytes
from edge.sources import ModelSource
from edge.tuning import Choice

__all__ = ["Asked", "Opened", "Opening", "choose_backend", "open_other"]

DEFAULT_CHUNK = 512  # tokens: what the other engines were made for

_OPENERS = {"llama": "edge.llama_model", "onnx": "edge.onnx_model"}  # each has open_model, an `Opener`


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller of edge.load said; None: nothing. because: why this backend was chosen, when nobody named it."""

    context: int | None
    default_context: int
    threads: int | None
    kv_type: str | None
    chunk: int | None
    sequences: int
    memory: str | int | None
    residency: str | None
    because: str | None = None


class Opening(NamedTuple):
    """What an opener is asked for. allowed: bytes of the process, as the user said. on_progress: of weights. options:
    those of edge.load that few backends have, and this one does."""

    path: Path
    settings: Settings
    allowed: int | None
    residency: str | None
    on_progress: Callable[[int, int], None] | None
    options: Mapping[str, object]


class Opener(Protocol):
    """Plans, refuses what does not fit, and loads. `edge.load` says what it raises."""

    def __call__(self, opening: Opening) -> tuple[ModelSource, LoadedBackend, MemoryPlan]: ...


class Opened(NamedTuple):
    """A model that is loaded, and what a `Model` of it is made from."""

    source: ModelSource
    backend: LoadedBackend
    plan: MemoryPlan
    tuning: Choice
    allowed: int | None


def choose_backend(name: str | None, path: Path) -> tuple[BackendInfo, str | None]:
    """The backend of this name, None: for this kind of file, "auto": the first that can run it; and why, when that is
    not the native one and was not asked for. RequestError; ModelFileError."""
    if name != "auto":
        return backend_for(name, path), None
    info = backend_for(None, path)
    if info.name != "native":
        return info, None
    try:
        with open_gguf(path) as file:
            compiled_for(file, Settings())
    except UnsupportedModel as error:
        for other in BACKENDS.values():
            if other.name != "native" and other.reads == info.reads and other.missing is None:
                return other, f"the native backend cannot run this model: {str(error).removeprefix(f'{path}: ')}"
        raise
    return info, None


def open_other(
    info: BackendInfo,
    path: Path,
    asked: Asked,
    on_progress: Callable[[int, int], None] | None,
    **not_common: object,
) -> Opened:
    """not_common: options of edge.load that few backends have. Errors as `edge.load`."""
    info.capabilities.check_options(residency=asked.residency, **not_common)
    kv_type = info.capabilities.kv_types[0] if asked.kv_type is None else asked.kv_type
    info.capabilities.check_kv_type(kv_type)
    threads = device.cpus().default_threads if asked.threads is None else asked.threads
    settings = Settings(
        context=asked.context,
        default_context=asked.default_context,
        num_sequences=asked.sequences,
        kv_type=kv_type,
        chunk=DEFAULT_CHUNK if asked.chunk is None else asked.chunk,
        num_threads=threads,
    )
    allowed = None if asked.memory is None else parse_bytes(asked.memory)
    opener: Opener = importlib.import_module(_OPENERS[info.name]).open_model
    source, backend, plan = opener(Opening(path, settings, allowed, asked.residency, on_progress, not_common))
    tuning = Choice(
        decode_threads=backend.decode_threads,
        prefill_threads=backend.num_threads,
        chunk=settings.chunk,
        residency=backend.weights.residency,
        isa=None,
        source=f"the {info.name} backend goes by no profile",
        reasons={"decode_threads": "as asked" if asked.threads is not None else "one per physical core allowed"},
        note=asked.because,
    )
    return Opened(source, backend, plan, tuning, allowed)
