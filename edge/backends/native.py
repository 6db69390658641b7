"""edge's own C library as a backend: a GGUF file becomes packed weights, a program and a KV arena."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from edge import device, native
from edge.backends.file_watch import FileWatch
from edge.backends.protocol import Batch, Limits
from edge.backends.weights import LoadedWeights, WeightsInfo, load_weights
from edge.errors import NativeError, RequestError, UnsupportedModel
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.formats.types import GGMLType, type_name
from edge.graph import NativeProgram, WeightRef, lower_native
from edge.models import build
from edge.packed import CacheOptions

MAX_CHUNK = 4096
DECODE_TOKENS = 8  # steps of so many tokens are bound by reading memory: the kernels' border too
MAX_SEQUENCES = 256
KV_TYPES = ("f16", "q8", "f32")
VECTOR_TYPES = frozenset({GGMLType.F32, GGMLType.F16, GGMLType.BF16})
# Everything but what only activations have, integers, and doubles.
MATRIX_TYPES = frozenset(GGMLType) - {
    GGMLType.Q8_1,
    GGMLType.Q8_K,
    GGMLType.I8,
    GGMLType.I16,
    GGMLType.I32,
    GGMLType.I64,
    GGMLType.F64,
}


class NativeBackend:
    """One model on the native engine. Implements `edge.backends.Backend`; close() frees it.

    context: tokens per sequence (None: the model's own, at most default_context). chunk: prompt tokens in a step.
    decode_threads: for steps of few tokens (None: num_threads, which all others take); at most num_threads are used.
    on_progress gets (bytes of weights done, bytes of all weights). The file must stay open as long as this.
    Raises BadModelFile, UnsupportedModel, RequestError (an option out of range), NativeError.
    """

    def __init__(
        self,
        file: GGUFFile,
        *,
        context: int | None = None,
        default_context: int = 4096,
        num_threads: int | None = None,
        decode_threads: int | None = None,
        isa: str | None = None,
        kv_type: str = "f16",
        chunk: int = 128,
        num_sequences: int = 1,
        cache: CacheOptions | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._closed = False
        self._watch: FileWatch | None = None
        self._weights: LoadedWeights | None = None
        self._threads: native.Threads | None = None
        self._decode_pool: native.Threads | None = None  # where it is another one
        self._kv: native.KV | None = None
        self._program: native.Program | None = None
        _check("chunk", chunk, 1, MAX_CHUNK)
        _check("sequences", num_sequences, 1, MAX_SEQUENCES)
        if kv_type not in KV_TYPES:
            raise RequestError(f"kv_type is {kv_type!r}; it must be one of {', '.join(KV_TYPES)}")
        self.kv_type = kv_type
        self.num_threads = device.cpus().default_threads if num_threads is None else num_threads
        _check("threads", self.num_threads, 1, native.MAX_THREADS)
        self.decode_threads = self.num_threads if decode_threads is None else decode_threads
        _check("decode_threads", self.decode_threads, 1, self.num_threads)
        levels = native.isa_supported()
        if isa is not None and isa not in levels:
            raise RequestError(f"isa is {isa!r}; this machine and build have {', '.join(levels)}")
        self.isa = native.isa_select(isa)
        try:
            self._watch = FileWatch(file)
            with self._watch.reading():
                self.config = ModelConfig.from_gguf(file)
                longest = self.config.max_position_embeddings
                length = min(longest, default_context) if context is None else context
                _check("context", length, 2, longest)
                graph = build(self.config, {name: info.shape for name, info in file.tensors.items()})
                lowered = lower_native(graph)
                self.limits = Limits(
                    vocab_size=lowered.vocab_size,
                    context=length,
                    max_tokens=max(chunk, num_sequences),
                    max_sequences=num_sequences,
                    block_size=native.BLOCK_SIZE,
                    num_blocks=-(-length // native.BLOCK_SIZE) * num_sequences,
                )
                self._load(file, lowered, kv_type, self._watch, CacheOptions() if cache is None else cache, on_progress)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return f"native/{self.isa}"

    @property
    def weights(self) -> WeightsInfo:
        """How the weights are held, and how much of them is in RAM now."""
        if self._weights is None:
            raise RequestError("the model is closed; load it again")
        return self._weights.info

    @property
    def kv_bytes_per_position(self) -> int:
        """K and V of one position, all layers."""
        return self._open()[2].block_bytes // native.BLOCK_SIZE

    def reading(self) -> AbstractContextManager[None]:
        """Around reading the model file: ModelFileError if it became shorter since it was opened."""
        return nullcontext() if self._watch is None else self._watch.reading()

    def step(self, batch: Batch) -> memoryview[float]:
        """As the protocol says; ModelFileError when a file that the weights are mapped from became shorter."""
        program, threads, kv = self._open()
        if self._decode_pool is not None and len(batch.token_ids) <= DECODE_TOKENS:
            threads = self._decode_pool
        try:
            program.step(
                threads,
                kv,
                token_ids=batch.token_ids,
                positions=batch.positions,
                sequences=batch.sequences,
                block_tables=batch.block_tables,
                table_stride=batch.table_stride,
                logit_rows=batch.logit_rows,
            )
        except NativeError as error:
            if self._watch is not None:
                self._watch.check(error)
            raise
        return program.logits.cast("B").cast("f")

    def copy_block(self, source: int, target: int) -> None:
        self._open()[2].copy_block(source, target)

    def cancel(self) -> None:
        program = self._program
        if program is not None:
            program.cancel()

    def close(self) -> None:
        """Frees program, KV arena, weights, threads and watch, in the order in which they depend on each other."""
        for item in (self._program, self._kv, self._weights, self._decode_pool, self._threads, self._watch):
            if item is not None:
                item.close()
        self._program = self._kv = self._weights = self._decode_pool = self._threads = self._watch = None

    def _open(self) -> tuple[native.Program, native.Threads, native.KV]:
        if self._program is None or self._threads is None or self._kv is None:
            raise RequestError("the model is closed; load it again")
        return self._program, self._threads, self._kv

    def _load(
        self,
        file: GGUFFile,
        lowered: NativeProgram,
        kv_type: str,
        watch: FileWatch,
        cache: CacheOptions,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        for ref in lowered.weights:
            _check_type(file, ref)
        self._threads = native.Threads(self.num_threads)
        if self.decode_threads != self.num_threads:
            self._decode_pool = native.Threads(self.decode_threads)
        self._weights = load_weights(file, lowered.weights, self._threads, watch, cache, on_progress)
        limits = self.limits
        self._kv = native.KV(
            kv_type,
            num_layers=lowered.num_layers,
            num_kv_heads=lowered.num_kv_heads,
            head_dim=lowered.head_dim,
            num_blocks=limits.num_blocks,
        )
        arena = lowered.arena(limits.max_tokens, limits.max_sequences)
        self._program = native.Program(
            ops=lowered.ops,
            buffers=arena.buffers,
            arena_bytes=arena.num_bytes,
            ropes=lowered.ropes,
            weights=self._weights.items,
            logits_buffer=lowered.logits_buffer,
            isa=self.isa,
            max_tokens=limits.max_tokens,
            max_logits=limits.max_sequences,
            max_sequences=limits.max_sequences,
            kv=self._kv,
            max_threads=self.num_threads,
            max_positions=limits.context,
        )


def _check_type(file: GGUFFile, ref: WeightRef) -> None:
    allowed = MATRIX_TYPES if ref.kind == "matrix" else VECTOR_TYPES
    kind = file.tensors[ref.tensor].type
    if kind not in allowed:
        names = ", ".join(sorted(item.name for item in allowed))
        raise UnsupportedModel(
            file.path, f"tensor {ref.tensor} is {type_name(kind)}; this version runs a {ref.kind} of {names}"
        )


def _check(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")
