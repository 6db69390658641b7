"""edge's own C library as a backend: a GGUF file becomes packed weights, a program and a KV arena."""

from __future__ import annotations

from collections.abc import Callable

from edge import device, native
from edge.backends.protocol import Batch, Limits
from edge.errors import RequestError, UnsupportedModel
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.formats.types import GGMLType, type_name
from edge.graph import NativeProgram, WeightRef, lower_native
from edge.models import build

MAX_CHUNK = 4096
MAX_SEQUENCES = 256
KV_TYPES = ("f16", "f32")
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
    on_progress gets (bytes packed, bytes of all weights). The file is only read while this is made.
    Raises BadModelFile, UnsupportedModel, RequestError (an option out of range), NativeError.
    """

    def __init__(
        self,
        file: GGUFFile,
        *,
        context: int | None = None,
        default_context: int = 4096,
        num_threads: int | None = None,
        isa: str | None = None,
        kv_type: str = "f16",
        chunk: int = 128,
        num_sequences: int = 1,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._closed = False
        self._weights: list[native.Weights] = []
        self._threads: native.Threads | None = None
        self._kv: native.KV | None = None
        self._program: native.Program | None = None
        _check("chunk", chunk, 1, MAX_CHUNK)
        _check("sequences", num_sequences, 1, MAX_SEQUENCES)
        if kv_type not in KV_TYPES:
            raise RequestError(f"kv_type is {kv_type!r}; it must be one of {', '.join(KV_TYPES)}")
        self.num_threads = device.cpus().default_threads if num_threads is None else num_threads
        _check("threads", self.num_threads, 1, native.MAX_THREADS)
        levels = native.isa_supported()
        if isa is not None and isa not in levels:
            raise RequestError(f"isa is {isa!r}; this machine and build have {', '.join(levels)}")
        self.isa = native.isa_select(isa)
        self.config = ModelConfig.from_gguf(file)
        longest = self.config.max_position_embeddings
        length = min(longest, default_context) if context is None else context
        _check("context", length, 2, longest)

        graph = build(self.config, {name: info.shape for name, info in file.tensors.items()})
        lowered = lower_native(graph)
        blocks = -(-length // native.BLOCK_SIZE) * num_sequences
        self.limits = Limits(
            vocab_size=lowered.vocab_size,
            context=length,
            max_tokens=max(chunk, num_sequences),
            max_sequences=num_sequences,
            block_size=native.BLOCK_SIZE,
            num_blocks=blocks,
        )
        try:
            self._load(file, lowered, kv_type, on_progress)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return f"native/{self.isa}"

    def step(self, batch: Batch) -> memoryview[float]:
        program, threads, kv = self._open()
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
        return program.logits.cast("B").cast("f")

    def copy_block(self, source: int, target: int) -> None:
        self._open()[2].copy_block(source, target)

    def cancel(self) -> None:
        program = self._program
        if program is not None:
            program.cancel()

    def close(self) -> None:
        """Frees program, KV arena, weights and threads, in the order in which they depend on each other."""
        for item in (self._program, self._kv, *self._weights, self._threads):
            if item is not None:
                item.close()
        self._program = self._kv = self._threads = None
        self._weights.clear()

    def _open(self) -> tuple[native.Program, native.Threads, native.KV]:
        if self._program is None or self._threads is None or self._kv is None:
            raise RequestError("the model is closed; load it again")
        return self._program, self._threads, self._kv

    def _load(
        self,
        file: GGUFFile,
        lowered: NativeProgram,
        kv_type: str,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        for ref in lowered.weights:
            _check_type(file, ref)
        self._threads = native.Threads(self.num_threads)
        total = sum(file.tensors[ref.tensor].num_bytes for ref in lowered.weights)
        done = 0
        for ref in lowered.weights:
            self._weights.append(_pack(file, ref, self._threads))
            done += file.tensors[ref.tensor].num_bytes
            if on_progress is not None:
                on_progress(done, total)
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
            weights=self._weights,
            logits_buffer=lowered.logits_buffer,
            isa=self.isa,
            max_tokens=limits.max_tokens,
            max_logits=limits.max_sequences,
            max_sequences=limits.max_sequences,
            kv=self._kv,
            max_threads=self.num_threads,
        )


def _pack(file: GGUFFile, ref: WeightRef, threads: native.Threads) -> native.Weights:
    kind, data = file.tensors[ref.tensor].type, file.tensor_data(ref.tensor)
    if ref.kind == "matrix":
        return native.Weights.matrix(kind, ref.shape[0], ref.shape[1], data, threads)
    return native.Weights.vector(kind, ref.shape[0], data)


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
