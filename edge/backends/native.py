"""edge's own C library as a backend: a GGUF file becomes packed weights, a program and a KV arena."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from edge import device, native
from edge.backends.compiled import Compiled, check_number, compile_model
from edge.backends.file_watch import FileWatch
from edge.backends.protocol import Batch
from edge.backends.weights import LoadedWeights, WeightsInfo, load_weights
from edge.errors import NativeError, RequestError
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram
from edge.packed import CacheOptions

if TYPE_CHECKING:
    from typing_extensions import Buffer

DECODE_TOKENS = 8  # steps of so many tokens are bound by reading memory: the kernels' border too


class NativeBackend:
    """One model on the native engine. Implements `edge.backends.Backend`; close() frees it.

    context: tokens per sequence (None: the model's own, at most default_context). chunk: prompt tokens in a step.
    decode_threads: for steps of few tokens (None: num_threads, which all others take); at most num_threads are used.
    admit is called before anything is allocated, and may raise DoesNotFit.
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
        admit: Callable[[Compiled], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._closed = False
        self._watch: FileWatch | None = None
        self._weights: LoadedWeights | None = None
        self._threads: native.Threads | None = None
        self._decode_pool: native.Threads | None = None  # where it is another one
        self._kv: native.KV | None = None
        self._program: native.Program | None = None
        self.kv_type = kv_type
        self.num_threads = device.cpus().default_threads if num_threads is None else num_threads
        check_number("threads", self.num_threads, 1, native.MAX_THREADS)
        self.decode_threads = self.num_threads if decode_threads is None else decode_threads
        check_number("decode_threads", self.decode_threads, 1, self.num_threads)
        levels = native.isa_supported()
        if isa is not None and isa not in levels:
            raise RequestError(f"isa is {isa!r}; this machine and build have {', '.join(levels)}")
        self.isa = native.isa_select(isa)
        try:
            self._watch = FileWatch(file)
            with self._watch.reading():
                compiled = compile_model(
                    file,
                    context=context,
                    default_context=default_context,
                    chunk=chunk,
                    num_sequences=num_sequences,
                    kv_type=kv_type,
                )
                self.config, self.limits = compiled.config, compiled.limits
                if admit is not None:
                    admit(compiled)
                self._load(
                    file,
                    compiled.program,
                    kv_type,
                    self._watch,
                    CacheOptions() if cache is None else cache,
                    on_progress,
                )
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
    def source_hashes(self) -> tuple[str, ...] | None:
        """SHA-256 of each part of the model file, where a packed file says it."""
        return None if self._weights is None else self._weights.source_hashes

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

    def read_block(self, block: int) -> bytearray:
        return self._open()[2].read_block(block)

    def write_block(self, block: int, content: Buffer) -> None:
        self._open()[2].write_block(block, content)

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
