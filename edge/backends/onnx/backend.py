"""ONNX Runtime as a backend: K and V of a sequence in one buffer, which its operators read and write in place."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from edge.backends.onnx import CAPABILITIES
from edge.backends.onnx.base import RuntimeBackend, require_finite
from edge.backends.onnx.decoder import Decoder
from edge.backends.onnx.providers import Provider, runtime
from edge.backends.onnx.session import open_session
from edge.backends.onnx.sizes import chunk_of
from edge.backends.protocol import Batch, Limits
from edge.backends.weights import WeightsInfo
from edge.errors import RequestError
from edge.formats.onnx import CheckedModel

if TYPE_CHECKING:
    from edge.formats.config import ModelConfig

__all__ = ["OnnxBackend"]

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_MASKS = 32  # lengths whose attention masks are made at once, for steps of one token
_KV_DTYPES = {"f32": np.float32, "f16": np.float16}


class OnnxBackend(RuntimeBackend):
    """One model in ONNX Runtime. Implements `edge.backends.LoadedBackend`; close() frees it.

    context: of a sequence, at most decoder.longest. chunk: prompt tokens in one run, of `chunk_of`. config: what edge
    knows of the architecture, None when the folder does not say it. strict: all operators must run on the provider.
    Raises UnsupportedModel for what the runtime refuses, RequestError, ModelFileError for files that changed.
    """

    def __init__(
        self,
        model: CheckedModel,
        decoder: Decoder,
        *,
        provider: Provider,
        context: int,
        num_threads: int,
        chunk: int,
        num_sequences: int,
        config: ModelConfig | None = None,
        strict: bool = False,
    ) -> None:
        ort = runtime()
        super().__init__(ort, model.path, provider, config)
        self._model, self._decoder = model, decoder
        self.capabilities = CAPABILITIES
        self.num_threads = self.decode_threads = num_threads
        self.kv_type = decoder.kv_type
        self.kv_bytes_per_position = decoder.kv_bytes_per_position
        self.chunk = chunk_of(decoder, chunk)
        self.limits = Limits(
            vocab_size=decoder.vocab_size,
            context=context,
            max_tokens=max(chunk, num_sequences),
            max_sequences=num_sequences,
            block_size=context,
            num_blocks=num_sequences,
        )
        self._session: Any  # None when closed
        self._session, self._placement = open_session(ort, model.path, provider, num_threads, strict=strict)
        model.require_unchanged()
        layers = len(decoder.layers)
        shape = (num_sequences, layers, 2, decoder.num_kv_heads, context, decoder.head_dim)
        # pages are taken when positions are stored
        self._kv: np.ndarray[Any, Any] = np.zeros(shape, _KV_DTYPES[decoder.kv_type])
        self._lengths = [0] * num_sequences  # positions that a slot may hold
        self._bindings: list[Any] = [self._bound(slot) for slot in range(num_sequences)]
        self._bound_for = [(0, 0)] * num_sequences  # tokens of the slot's last run, where its logits went
        self._ids = np.zeros(self.chunk, np.int64)
        self._ones = np.ones(context, np.int64)
        self._positions = np.arange(context, dtype=np.int64)
        rows = self.chunk if decoder.head == "all" else 1
        self._scratch = np.empty((rows, decoder.vocab_size), np.float32)
        # of what every run binds: NumPy takes longer to say it than ONNX Runtime to bind it
        self._ones_at, self._scratch_at = self._ones.ctypes.data, self._scratch.ctypes.data
        self._masks: list[tuple[int, list[Any]]] = [(0, [])] * num_sequences  # of each slot: the first length, masks
        self._make_room(num_sequences)

    @property
    def weights(self) -> WeightsInfo:
        return WeightsInfo("memory", None, self._model.num_bytes, None, None, self._placement.fallback)

    @property
    def placement(self) -> dict[str, Any]:
        return {**self._placement.as_json(), "fallback": self._placement.fallback}

    @contextmanager
    def reading(self) -> Generator[None]:
        yield
        self._model.require_unchanged()

    def step(self, batch: Batch) -> memoryview[float]:
        """As the protocol says; one run for each sequence, or each part of it that ends with a wanted row."""
        self._open()
        self._begin_step()
        if len(batch.token_ids) == 1 == len(batch.logit_rows):
            return self._one(batch)
        logits = self._room(len(batch.logit_rows))
        wanted = {row: index for index, row in enumerate(batch.logit_rows)}
        for first, end in batch.spans():
            slot = batch.block_tables[batch.sequences[first] * batch.table_stride]
            while first < end:
                count = self._part(first, end, wanted)
                self._run(batch, slot, first, count, wanted, logits)
                first += count
        require_finite(self._logits_at, logits.size)
        return cast("memoryview[float]", logits.reshape(-1).data)

    def _one(self, batch: Batch) -> memoryview[float]:
        """A step of one token of an answer. What stands between two runs is cold in the caches, and ONNX Runtime's
        threads wait for the next one: so there is little of it."""
        self._ids[0] = batch.token_ids[0]
        self._compute(batch.block_tables[0], batch.positions[0], 1, 1, self._logits_at)
        require_finite(self._logits_at, self._decoder.vocab_size)
        return self._first

    def _room(self, num_rows: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """For logits, until the next step."""
        if num_rows > len(self._logits):
            self._make_room(num_rows)
        return self._logits[:num_rows]

    def _make_room(self, num_rows: int) -> None:
        self._logits = np.empty((num_rows, self._decoder.vocab_size), np.float32)
        self._logits_at = self._logits.ctypes.data
        self._first = cast("memoryview[float]", self._logits[0].data)

    def _part(self, first: int, end: int, wanted: dict[int, int]) -> int:
        """Rows of the next run: a chunk, or up to a wanted row where only the last one has logits."""
        count = min(end - first, self.chunk)
        if self._decoder.head == "last":
            count = next((i + 1 for i in range(count) if first + i in wanted), count)
        return count

    def _run(
        self, batch: Batch, slot: int, first: int, count: int, wanted: dict[int, int], logits: np.ndarray[Any, Any]
    ) -> None:
        self._ids[:count] = batch.token_ids[first : first + count]
        rows = count if self._decoder.head == "all" else 1
        # where the last row alone has logits, and is wanted, they are written to where they are to be
        place = wanted.get(first + count - 1) if rows == 1 else None
        target = self._scratch_at if place is None else self._logits_at + 4 * self._decoder.vocab_size * place
        self._compute(slot, batch.positions[first], count, rows, target)
        if place is not None:
            return
        for row in range(count):
            if first + row in wanted:
                logits[wanted[first + row]] = self._scratch[row if rows == count else 0]

    def _compute(self, slot: int, position: int, count: int, rows: int, target: int) -> None:
        """Runs the first `count` of self._ids at `position`; `rows` of logits go to the address `target`."""
        total = position + count
        binding = self._bindings[slot]
        if self._bound_for[slot] != (count, target):  # else it is bound since the slot's last run
            self._bound_for[slot] = (count, target)
            shape = (1, rows, self._decoder.vocab_size)
            self._bind(binding.bind_input, "input_ids", self._ids, (1, count))
            binding.bind_output(self._decoder.logits, "cpu", 0, np.float32, shape, target)
        if count == 1:
            binding.bind_ortvalue_input("attention_mask", self._mask(slot, total))
        else:
            binding.bind_input("attention_mask", "cpu", 0, np.int64, (1, total), self._ones_at)
        if self._decoder.takes_positions:
            self._bind(binding.bind_input, "position_ids", self._positions[position:], (1, count))
        self._lengths[slot] = min(self._lengths[slot], position)
        try:
            self._session.run_with_iobinding(binding, self._options)
        except Exception as error:
            raise self._failure(error) from error
        self._lengths[slot] = total

    def _mask(self, slot: int, length: int) -> Any:
        """Ones, (1, length), as ONNX Runtime holds them: in the caches, making many takes little longer than one."""
        first, masks = self._masks[slot]
        if not first <= length < first + len(masks):
            make, ones = runtime().OrtValue.ortvalue_from_numpy, self._ones[None]
            lengths = range(length, min(length + _MASKS, len(self._ones) + 1))
            first, masks = self._masks[slot] = length, [make(ones[:, :end]) for end in lengths]
        return masks[length - first]

    def copy_block(self, source: int, target: int) -> None:
        self._open()
        length = self._lengths[source]
        self._kv[target, :, :, :, :length] = self._kv[source, :, :, :, :length]
        self._lengths[target] = length

    def read_kv(self, slot: int, first: int, end: int) -> Iterator[tuple[_Floats, _Floats]]:
        """As `edge.backends.handover.KVSource` says."""
        self._open()
        for layer in self._kv[slot]:
            keys, values = (kind[:, first:end].astype(np.float32, copy=False) for kind in layer)
            yield keys, values

    def close(self) -> None:
        self._bindings, self._session, self._options = [], None, None
        nothing = np.zeros((0, 0), np.float32)
        self._kv, self._logits, self._scratch, self._masks = nothing, nothing, nothing, []
        self._first = cast("memoryview[float]", nothing.data)

    def _open(self) -> None:
        if self._session is None:
            raise RequestError("the model is closed; load it again")

    def _bound(self, slot: int) -> Any:
        """The slot's K and V as past and as present: what is stored stays where it is."""
        binding = self._session.io_binding()
        for index, layer in enumerate(self._decoder.layers):
            for kind in (0, 1):
                buffer = self._kv[slot, index, kind]
                shape = (1, *buffer.shape)
                self._bind(binding.bind_input, layer.past[kind], buffer, shape)
                self._bind(binding.bind_output, layer.present[kind], buffer, shape)
        return binding

    @staticmethod
    def _bind(bind: Any, name: str, buffer: np.ndarray[Any, Any], shape: tuple[int, ...]) -> None:
        bind(name, "cpu", 0, buffer.dtype.type, shape, buffer.ctypes.data)
