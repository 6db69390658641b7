"""What a loaded model says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.backends.native import NativeBackend
from edge.backends.weights import WeightsInfo
from edge.engine import Engine, EngineStats
from edge.formats.gguf import GGUFFile

if TYPE_CHECKING:
    from edge.formats.config import ModelConfig


class ModelFacts:
    """The part of `Model` that only tells."""

    def __init__(self, file: GGUFFile, backend: NativeBackend, engine: Engine) -> None:
        self._file = file
        self._backend = backend
        self._engine = engine

    @property
    def path(self) -> str:
        return str(self._file.path)

    @property
    def config(self) -> ModelConfig:
        return self._backend.config

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that one sequence may hold."""
        return self._backend.limits.context

    @property
    def backend(self) -> str:
        """What computes, for example "native/avx2"."""
        return self._backend.name

    @property
    def native_backend(self) -> NativeBackend:
        """What runs the steps, for programs that time them one by one; only while no answer is made."""
        return self._backend

    @property
    def weights(self) -> WeightsInfo:
        """How the weights are held (packed at load, mapped or owned) and how much of them is in RAM now."""
        return self._backend.weights

    @property
    def stats(self) -> EngineStats:
        """What the engine is doing at this moment: answers that run, wait and are set aside, and its KV blocks."""
        return self._engine.stats()

    @property
    def isa(self) -> str:
        return self._backend.isa

    @property
    def kv_type(self) -> str:
        """What K and V are kept as: "f16", "q8", "q4" or "f32"."""
        return self._backend.kv_type

    @property
    def num_threads(self) -> int:
        """Threads that read a prompt."""
        return self._backend.num_threads

    @property
    def decode_threads(self) -> int:
        """Threads that compute the tokens of the answer; at most num_threads."""
        return self._backend.decode_threads
