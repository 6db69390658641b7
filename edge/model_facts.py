"""What a loaded model says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.backends.handover import KVSource
from edge.backends.native import NativeBackend
from edge.backends.protocol import LoadedBackend
from edge.backends.weights import WeightsInfo
from edge.engine import Engine, EngineStats
from edge.errors import RequestError, UnsupportedModel
from edge.sources import ModelSource

if TYPE_CHECKING:
    from edge.formats.config import ModelConfig


@dataclass(frozen=True, slots=True)
class PrefillFacts:
    """Of another engine that reads prompts. kld: nats by which the next token's probabilities differ when it has read a
    text, measured when it was loaded. because: why it was chosen when nobody named it. placement, fallback: of its
    operators, as of a model of its own."""

    backend: str
    path: str
    kld: float
    placement: Mapping[str, Any] | None
    fallback: str | None
    because: str | None = None


class OtherPrefill(NamedTuple):
    """Another engine that reads prompts, open, and what is known of it."""

    reader: KVSource
    facts: PrefillFacts


class ModelFacts:
    """The part of `Model` that only tells."""

    def __init__(
        self, source: ModelSource, backend: LoadedBackend, engine: Engine, prefill: OtherPrefill | None = None
    ) -> None:
        self._source = source
        self._backend = backend
        self._engine = engine
        self._prefill = prefill

    @property
    def prefill(self) -> PrefillFacts | None:
        """The other engine that reads prompts; None: there is none."""
        return None if self._prefill is None else self._prefill.facts

    @property
    def prefill_source(self) -> KVSource | None:
        """The same, for programs that time it, as `step_backend`."""
        return None if self._prefill is None else self._prefill.reader

    @property
    def path(self) -> str:
        return str(self._source.path)

    @property
    def config(self) -> ModelConfig:
        """UnsupportedModel when edge does not know the architecture, though the backend runs it."""
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
    def writes_text(self) -> bool:
        """Whether it answers; an embedding model does not."""
        try:
            return self.config.writes_text
        except UnsupportedModel:
            return True  # edge knows all the embedding models that it runs

    @property
    def step_backend(self) -> LoadedBackend:
        """What runs the steps, for programs that run or time them one by one; only while no answer is made."""
        return self._backend

    @property
    def native_backend(self) -> NativeBackend:
        """The same, where it is edge's own engine. RequestError: it is another."""
        if not isinstance(self._backend, NativeBackend):
            raise RequestError(f"{self.backend} runs this model; what was asked for needs the native backend")
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
    def isa(self) -> str | None:
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
