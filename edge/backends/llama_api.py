"""llama.cpp through llama-cpp-python's ctypes interface: one model, one context, its sequences."""

from __future__ import annotations

import ctypes
import importlib
from array import array
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import Cancelled, NativeError

__all__ = ["KV_GGML_TYPES", "Llama", "LlamaSettings"]

KV_GGML_TYPES = {"f16": 1, "q8": 8, "f32": 0}  # GGML_TYPE_F16, Q8_0, F32
_ERROR = 4  # GGML_LOG_LEVEL_ERROR; 3 are warnings
_ABORTED = 2  # of llama_decode


class LlamaSettings(NamedTuple):
    """context: tokens of each of num_sequences. max_tokens: of a step; num_logits: rows of it whose logits are wanted.
    mapped: compute on the weights as the mapped file has them; otherwise on a copy, in llama.cpp's own layout where it
    has one for this CPU, which is faster."""

    context: int
    num_sequences: int
    max_tokens: int
    num_logits: int
    kv_type: str
    num_threads: int
    mapped: bool


class Llama:
    """A loaded model with its KV cache. close() frees both.

    Raises NativeError with what llama.cpp logged: it does not load the file, or has no memory for the context.
    """

    def __init__(self, path: Path, settings: LlamaSettings, on_progress: Callable[[float], None] | None = None) -> None:
        self._lib: Any = importlib.import_module("llama_cpp")  # its stubs lag behind it
        self._model: Any = None
        self._context: Any = None
        self._log = _process_log()
        self._lib.llama_log_set(self._log.callback, None)
        self._lib.llama_backend_init()
        try:
            self._load(path, settings, on_progress)
        except BaseException:
            self.close()
            raise
        # llama.cpp asks between two operations whether to stop. strlen reads the answer without Python's lock, which
        # another thread may hold: an empty text means no.
        self._stop = ctypes.create_string_buffer(2)
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, self._lib.ggml_abort_callback)
        self._lib.llama_set_abort_callback(self._context, strlen, ctypes.cast(self._stop, ctypes.c_void_p))
        self._new_batch(settings.max_tokens)

    @property
    def version(self) -> str:
        version: str = self._lib.__version__
        return version

    @property
    def vocab_size(self) -> int:
        size: int = self._lib.llama_vocab_n_tokens(self._lib.llama_model_get_vocab(self._model))
        return size

    @property
    def weights_bytes(self) -> int:
        """Of all tensors, as the file has them."""
        size: int = self._lib.llama_model_size(self._model)
        return size

    @property
    def context(self) -> int:
        """Positions of each sequence; rounded up by llama.cpp."""
        size: int = self._lib.llama_n_ctx_seq(self._context)
        return size

    @property
    def goes_back(self) -> bool:
        """Whether positions can be taken from the end of a sequence: not where layers keep one state instead of K and V
        of every position."""
        return not (self._lib.llama_model_is_recurrent(self._model) or self._lib.llama_model_is_hybrid(self._model))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """As llama.cpp reads a text. NativeError: it cannot."""
        vocab, data = self._lib.llama_model_get_vocab(self._model), text.encode()
        room = len(data) + 16
        tokens = (ctypes.c_int32 * room)()
        count: int = self._lib.llama_tokenize(vocab, data, len(data), tokens, room, add_special, parse_special)
        if count < 0:
            raise NativeError(f"llama_tokenize({text[:40]!r}) returned {count}")
        return tokens[:count]

    def decode(
        self, token_ids: array[int], positions: array[int], sequences: array[int], wanted: array[int]
    ) -> memoryview[float]:
        """Runs one step: row i is token_ids[i] at positions[i] of sequences[i]. Logits of the rows `wanted`, one after
        another, float32, valid until the next step.

        Raises Cancelled (after cancel) and NativeError; sequences may then have some of the positions.
        """
        count = len(token_ids)
        ctypes.memmove(self._token_ids, token_ids.buffer_info()[0], 4 * count)
        ctypes.memmove(self._positions, positions.buffer_info()[0], 4 * count)
        ctypes.memmove(self._sequences, sequences.buffer_info()[0], 4 * count)
        ctypes.memset(self._logits, 0, count)
        for row in wanted:
            self._logits[row] = 1
        self._batch.n_tokens = count
        self._log.errors.clear()
        status: int = self._lib.llama_decode(self._context, self._batch)
        if self._stop[0] != b"\0":
            self._stop[0] = b"\0"
            if status == _ABORTED:
                raise Cancelled("the run was cancelled")
        if status != 0:
            raise NativeError(f"llama_decode of {count} tokens returned {status}{self._because()}")
        if not len(wanted):
            return memoryview(b"").cast("f")
        found = self._lib.llama_get_logits(self._context)
        values = (ctypes.c_float * (len(wanted) * self.vocab_size)).from_address(ctypes.addressof(found.contents))
        return memoryview(values).cast("B").cast("f")

    def cancel(self) -> None:
        """From any thread: the running step, or the next one, stops at its next operation."""
        self._stop[0] = b"\1"

    def cut(self, sequence: int, position: int) -> bool:
        """Takes this position of a sequence and all behind it out of the cache. False: it cannot go back so far."""
        done: bool = self._lib.llama_memory_seq_rm(self._lib.llama_get_memory(self._context), sequence, position, -1)
        return done

    def copy(self, source: int, target: int) -> None:
        """Replaces a sequence by a copy of another."""
        memory = self._lib.llama_get_memory(self._context)
        self._lib.llama_memory_seq_rm(memory, target, -1, -1)
        self._lib.llama_memory_seq_cp(memory, source, target, -1, -1)

    def close(self) -> None:
        """Allowed twice."""
        if self._context is not None:
            self._lib.llama_free(self._context)
        if self._model is not None:
            self._lib.llama_model_free(self._model)
        self._context = self._model = None

    def _load(self, path: Path, settings: LlamaSettings, on_progress: Callable[[float], None] | None) -> None:
        lib = self._lib
        params = lib.llama_model_default_params()
        self._set(params, n_gpu_layers=0, use_extra_bufts=not settings.mapped)
        if hasattr(params, "load_mode"):
            params.load_mode = lib.LLAMA_LOAD_MODE_MMAP if settings.mapped else lib.LLAMA_LOAD_MODE_NONE
        else:
            self._set(params, use_mmap=settings.mapped)

        def progress(share: float, _: object) -> bool:
            if on_progress is not None:
                on_progress(share)
            return True  # go on

        params.progress_callback = lib.llama_progress_callback(progress)
        self._model = lib.llama_model_load_from_file(bytes(path), params)
        if not self._model:
            raise NativeError(f"llama.cpp does not load {path}{self._because()}")
        context = lib.llama_context_default_params()
        kv_type = KV_GGML_TYPES[settings.kv_type]
        self._set(
            context,
            n_ctx=(settings.context + 255) // 256 * 256 * settings.num_sequences,
            n_batch=settings.max_tokens,
            n_ubatch=settings.max_tokens,
            n_seq_max=settings.num_sequences,
            n_threads=settings.num_threads,
            n_threads_batch=settings.num_threads,
            type_k=kv_type,
            type_v=kv_type,
            flash_attn_type=lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if kv_type == 8 else lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
            offload_kqv=False,
            op_offload=False,
            no_perf=True,
            swa_full=True,  # a sequence can then be cut and copied at any position
            kv_unified=False,  # a sequence costs nothing while another is computed
        )
        if hasattr(context, "n_outputs_max"):
            context.n_outputs_max = settings.num_logits
        self._context = lib.llama_init_from_model(self._model, context)
        if not self._context:
            raise NativeError(f"llama.cpp has no context of {settings.context} tokens for {path}{self._because()}")

    def _new_batch(self, max_tokens: int) -> None:
        """Arrays for the longest batch, made once."""
        self._token_ids = (ctypes.c_int32 * max_tokens)()
        self._positions = (ctypes.c_int32 * max_tokens)()
        self._sequences = (ctypes.c_int32 * max_tokens)()
        self._logits = (ctypes.c_int8 * max_tokens)()
        self._ones = (ctypes.c_int32 * max_tokens)(*[1] * max_tokens)
        pointer = ctypes.POINTER(ctypes.c_int32)
        start = ctypes.addressof(self._sequences)
        self._pointers = (pointer * max_tokens)(
            *(ctypes.cast(start + 4 * row, pointer) for row in range(max_tokens))
        )  # each row is of one sequence
        batch = self._lib.llama_batch()
        batch.token = ctypes.cast(self._token_ids, pointer)
        batch.pos = ctypes.cast(self._positions, pointer)
        batch.n_seq_id = ctypes.cast(self._ones, pointer)
        batch.seq_id = ctypes.cast(self._pointers, ctypes.POINTER(pointer))
        batch.logits = ctypes.cast(self._logits, ctypes.POINTER(ctypes.c_int8))
        self._batch = batch

    def _set(self, params: Any, **values: Any) -> None:
        """ctypes would take a field that is not there without a word."""
        for name, value in values.items():
            if not hasattr(params, name):
                raise NativeError(f"llama-cpp-python {self.version} has no {type(params).__name__}.{name}: upgrade it")
            setattr(params, name, value)

    def _because(self) -> str:
        return f": {'; '.join(self._log.errors)}" if self._log.errors else ""


class _Log:
    """What llama.cpp says: errors are kept for a message of ours, nothing is printed."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=3)
        self.callback = importlib.import_module("llama_cpp").llama_log_callback(self._logged)

    def _logged(self, level: int, text: bytes, _: object) -> None:
        line = text.decode(errors="replace").strip()
        if level == _ERROR and line:
            self.errors.append(line)


@cache
def _process_log() -> _Log:
    """One for the process, as llama.cpp has it; it may log after the last model is gone."""
    return _Log()
