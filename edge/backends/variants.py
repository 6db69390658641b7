"""A loaded model with some of its matrices in another type, as a step by itself: the others are shared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self

from edge import native
from edge.backends.native import NativeBackend
from edge.backends.protocol import Batch, Limits
from edge.errors import RequestError
from edge.graph import WeightRef, lower_native
from edge.models import build

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Stored", "Variant", "Variants"]


class Stored(NamedTuple):
    """A matrix as it is to be instead: a ggml type, and the bytes of all rows."""

    type: int
    data: Buffer


class Variant:
    """What `Variants.variant` gives."""

    def __init__(self, limits: Limits, run: Callable[[Batch], memoryview[float]]) -> None:
        self.limits = limits
        self._run = run

    def step(self, batch: Batch) -> memoryview[float]:
        """As `Backend.step`. window_tables of a batch, where there are any, have the numbers of block_tables."""
        return self._run(batch)


class Variants:
    """KV blocks that all variants of a model use, one after the other. A context manager: leaving it frees them.

    RequestError when the weights are streamed: then they are nowhere between two steps.
    """

    def __init__(self, backend: NativeBackend) -> None:
        if backend.weights.residency == "streamed":
            raise RequestError("weights of this model are streamed; variants of it need all of them in memory")
        self._backend, limits = backend, backend.limits
        with backend.reading():
            tensors = backend.file.tensors
            graph = build(backend.config, {name: info.shape for name, info in tensors.items()})
        self._lowered = lower_native(graph)
        self._kv: native.KV | None = None
        self._window_kv: native.KV | None = None
        lowered = self._lowered
        self._shape = native.KVShape(backend.kv_type, lowered.num_layers, lowered.num_kv_heads, lowered.head_dim)
        try:
            if lowered.num_layers:
                self._kv = native.KV(*self._shape, num_blocks=limits.num_blocks)
            if lowered.num_window_layers:
                windows = self._shape._replace(num_layers=lowered.num_window_layers)
                self._window_kv = native.KV(*windows, num_blocks=limits.num_blocks)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def variant(self, stored: Mapping[str, Stored]) -> Generator[Variant]:
        """The model with these matrices, by tensor name, while the block lasts."""
        backend, lowered, limits = self._backend, self._lowered, self._backend.limits
        arena = lowered.arena(limits.max_tokens, limits.num_logits)
        own: list[native.Weights] = []
        program: native.Program | None = None
        try:
            weights = backend.weights_of(lowered)
            for number, ref in enumerate(lowered.weights):
                if ref.tensor in stored:
                    own.append(_matrix(ref, stored[ref.tensor], backend.file.tensors[ref.tensor].shape[0]))
                    weights[number] = own[-1]
            program = native.Program(
                ops=lowered.ops,
                buffers=arena.buffers,
                arena_bytes=arena.num_bytes,
                ropes=lowered.ropes,
                weights=weights,
                logits_buffer=lowered.logits_buffer,
                isa=backend.isa,
                max_tokens=limits.max_tokens,
                max_logits=limits.num_logits,
                max_sequences=limits.max_sequences,
                kv=self._shape,
                max_threads=backend.num_threads,
                max_positions=limits.context,
                num_window_layers=lowered.num_window_layers,
            )
            yield Variant(limits, partial(backend.run, program, self._kv, self._window_kv))
        finally:
            for item in (program, *own):
                if item is not None:
                    item.close()

    def close(self) -> None:
        for item in (self._kv, self._window_kv):
            if item is not None:
                item.close()
        self._kv = self._window_kv = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _matrix(ref: WeightRef, stored: Stored, num_rows: int) -> native.Weights:
    """Of the rows that are meant: rows are whole blocks."""
    data = memoryview(stored.data).cast("B")
    row = len(data) // num_rows
    part = data[ref.first_row * row : (ref.first_row + ref.shape[0]) * row] if ref.is_part else data
    return native.Weights.matrix(stored.type, ref.shape[0], ref.shape[1], part)
