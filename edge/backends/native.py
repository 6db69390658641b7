"""edge's own C library as a backend: a GGUF file becomes packed weights, a program and a KV arena."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from edge import device, native
from edge.backends.adapters import LoadedAdapter, load_adapters
from edge.backends.compiled import KV_TYPES, Compiled, check_number, compile_model
from edge.backends.file_watch import FileWatch
from edge.backends.protocol import Batch, Capabilities
from edge.backends.weights import LoadedWeights, WeightsInfo, load_weights
from edge.errors import ModelFileError, NativeError, RequestError
from edge.formats.adapter import Adapter
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram
from edge.packed import CacheOptions

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.backends.handover import Heads

CAPABILITIES = Capabilities(
    name="native",
    kv_layout="blocks",
    kv_types=KV_TYPES,
    reuses=True,
    saves=True,
    options=frozenset({"adapters", "isa", "kv_tokens", "no_cache", "residency", "verify"}),
)
DECODE_TOKENS = 8  # steps of so many tokens are bound by reading memory: the kernels' border too


class NativeBackend:
    """One model on the native engine. Implements `edge.backends.LoadedBackend`; close() frees it.

    context: tokens per sequence (None: the model's own, at most default_context). chunk: prompt tokens in a step.
    kv_tokens: kept at a time, of all sequences (None: as many as they may have).
    decode_threads: for steps of few tokens (None: num_threads, which all others take); at most num_threads are used.
    admit is called before anything is allocated, says how many groups of matrices (`streaming.streamable_groups`) are
    to be streamed from the packed file because they do not fit (0: none), and may raise DoesNotFit.
    on_progress gets (bytes of weights done, bytes of all weights). The file must stay open as long as this.
    adapters: by name, which rows of a step may use by their number; their files are only read here.
    Raises BadModelFile, UnsupportedModel, RequestError (an option out of range), NativeError.
    """

    capabilities = CAPABILITIES

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
        kv_tokens: int | None = None,
        cache: CacheOptions | None = None,
        admit: Callable[[Compiled], int] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        adapters: Mapping[str, Adapter] | None = None,
    ) -> None:
        self._closed = False
        self.file = file
        self.adapters: tuple[LoadedAdapter, ...] = ()
        self._low_rank: list[native.Weights] = []  # the adapters' matrices
        self._watch: FileWatch | None = None
        self._weights: LoadedWeights | None = None
        self._threads: native.Threads | None = None
        self._decode_pool: native.Threads | None = None  # where it is another one
        self._kv: native.KV | None = None  # of layers that see everything
        self._window_kv: native.KV | None = None
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
                    kv_tokens=kv_tokens,
                    adapters=tuple((adapters or {}).values()),
                )
                self.config, self.limits, self.kv_type = compiled.config, compiled.limits, compiled.kv_type
                streamed_groups = 0 if admit is None else admit(compiled)
                self._load(
                    file,
                    compiled,
                    self.kv_type,
                    self._watch,
                    CacheOptions() if cache is None else cache,
                    on_progress,
                    streamed_groups,
                    adapters or {},
                )
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return f"native/{self.isa}"

    @property
    def placement(self) -> None:
        """There are no execution providers."""

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
        self._open()
        arenas = (self._kv, self._window_kv)
        return sum(kv.block_bytes for kv in arenas if kv is not None) // native.BLOCK_SIZE

    def weights_of(self, program: NativeProgram) -> list[native.Weights]:
        """The loaded weights that another program of the same model reads, all of which this one's reads too."""
        self._open()
        assert self._weights is not None
        loaded = dict(zip(self._refs, self._weights.items, strict=True))
        return [loaded[ref] for ref in program.weights]

    def reading(self) -> AbstractContextManager[None]:
        """Around reading the model file: ModelFileError if it became shorter since it was opened."""
        return nullcontext() if self._watch is None else self._watch.reading()

    def step(self, batch: Batch) -> memoryview[float]:
        """As the protocol says; ModelFileError when a file that the weights are in became shorter or cannot be read."""
        program, _ = self._open()
        return self.run(program, self._kv, self._window_kv, batch)

    def run(
        self, program: native.Program, kv: native.KV | None, window_kv: native.KV | None, batch: Batch
    ) -> memoryview[float]:
        """A step of a program over this model's weights, on its threads. As `step`."""
        _, threads = self._open()
        assert self._weights is not None
        if self._decode_pool is not None and len(batch.token_ids) <= DECODE_TOKENS:
            threads = self._decode_pool
        try:
            program.step(
                threads,
                kv,
                token_ids=self._weights.token_rows(batch.token_ids),
                positions=batch.positions,
                sequences=batch.sequences,
                block_tables=batch.block_tables,
                table_stride=batch.table_stride,
                logit_rows=batch.logit_rows,
                window_kv=window_kv,
                window_tables=array("i") if batch.window_tables is None else batch.window_tables,
                adapters=array("i") if batch.adapters is None else batch.adapters,
            )
        except (NativeError, ModelFileError) as error:
            if self._watch is not None:
                self._watch.check(error)
            self._weights.check(error)
            raise
        return program.logits.cast("B").cast("f")

    def copy_block(self, source: int, target: int) -> None:
        kv, first = self._arena_of(source)
        if kv is not None:
            kv.copy_block(source - first, target - first)

    def read_block(self, block: int) -> bytearray:
        kv, first = self._arena_of(block)
        return bytearray() if kv is None else kv.read_block(block - first)

    def write_block(self, block: int, content: Buffer) -> None:
        kv, first = self._arena_of(block)
        if kv is not None:
            kv.write_block(block - first, content)

    def store_kv(
        self, blocks: Sequence[int], places: Sequence[int] | None, layers: Iterable[tuple[Heads, Heads]]
    ) -> None:
        """As `KVTarget` says."""
        self._open()
        size, full = self.limits.block_size, self._num_layers
        for layer, (keys, values) in enumerate(layers):
            number = self._kv_layers.index(layer)
            kv, table = (self._kv, blocks) if number < full else (self._window_kv, places or ())
            assert kv is not None
            stride, row = keys.strides[0] // 4, keys.strides[1]
            for index, block in enumerate(table):
                at = index * size * row
                if block >= 0:
                    number_there = number if number < full else number - full
                    kv.store(block, number_there, keys.ctypes.data + at, values.ctypes.data + at, stride)

    def cancel(self) -> None:
        program = self._program
        if program is not None:
            program.cancel()

    def close(self) -> None:
        """Frees program, KV arena, weights, threads and watch, in the order in which they depend on each other."""
        for item in (
            self._program,
            self._kv,
            self._window_kv,
            self._weights,
            *self._low_rank,
            self._decode_pool,
            self._threads,
            self._watch,
        ):
            if item is not None:
                item.close()
        self._program = self._kv = self._window_kv = None
        self._weights = self._decode_pool = self._threads = self._watch = None
        self._low_rank = []

    def _open(self) -> tuple[native.Program, native.Threads]:
        if self._program is None or self._threads is None:
            raise RequestError("the model is closed; load it again")
        return self._program, self._threads

    def _arena_of(self, block: int) -> tuple[native.KV | None, int]:
        """The arena that a block is in, and the number of the first one there. None: all layers have a window, and the
        blocks of the others hold nothing."""
        self._open()
        num_blocks = self.limits.num_blocks
        return (self._kv, 0) if block < num_blocks else (self._window_kv, num_blocks)

    def _load(
        self,
        file: GGUFFile,
        compiled: Compiled,
        kv_type: str,
        watch: FileWatch,
        cache: CacheOptions,
        on_progress: Callable[[int, int], None] | None,
        streamed_groups: int,
        adapters: Mapping[str, Adapter],
    ) -> None:
        lowered = compiled.program
        self._threads = native.Threads(self.num_threads)
        if self.decode_threads != self.num_threads:
            self._decode_pool = native.Threads(self.decode_threads)
        self._weights = load_weights(
            file, lowered, self._threads, watch, cache, on_progress, streamed_groups, self.limits.max_tokens
        )
        self._refs = lowered.weights
        self._kv_layers, self._num_layers = lowered.kv_layers, lowered.num_layers
        self.adapters, self._low_rank = load_adapters(adapters, compiled.adapters, self._threads)
        limits = self.limits
        shape = native.KVShape(kv_type, lowered.num_layers, lowered.num_kv_heads, lowered.head_dim)
        if lowered.num_layers:
            self._kv = native.KV(*shape, num_blocks=limits.num_blocks)
        if lowered.num_window_layers:
            windows = shape._replace(num_layers=lowered.num_window_layers)
            self._window_kv = native.KV(*windows, num_blocks=limits.num_window_blocks)
        arena = lowered.arena(limits.max_tokens, limits.num_logits)
        self._program = native.Program(
            ops=lowered.ops,
            buffers=arena.buffers,
            arena_bytes=arena.num_bytes,
            ropes=lowered.ropes,
            weights=[*self._weights.items, *self._low_rank],
            logits_buffer=lowered.logits_buffer,
            isa=self.isa,
            max_tokens=limits.max_tokens,
            max_logits=limits.num_logits,
            max_sequences=limits.max_sequences,
            kv=shape,
            max_threads=self.num_threads,
            max_positions=limits.context,
            num_window_layers=lowered.num_window_layers,
            loras=compiled.adapters.loras,
            num_adapters=compiled.adapters.num_adapters,
        )
