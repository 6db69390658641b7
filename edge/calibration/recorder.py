"""Runs a model on the native engine and shows what each matrix was multiplied with."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import device, native
from edge.backends.compiled import check_number
from edge.backends.file_watch import FileWatch
from edge.backends.weights import LoadedWeights, load_weights
from edge.errors import NativeError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.graph import lower_native
from edge.graph.ops import Graph, GraphError, Linear
from edge.models import build
from edge.packed import CacheOptions

__all__ = ["STEP_TOKENS", "Recorder", "matrix_inputs"]

STEP_TOKENS = 64  # in one step: what is kept of it grows with the inputs of all matrices, about 1 MiB a token at 1B
_KV_TYPE = "f16"


class Recorder:
    """One sequence at a time. The model is compiled so that the float inputs of its matrices, before the engine
    quantises them, lie in buffers that nothing overwrites within a step: the bits that it computes with.

    inputs: matrix -> number of its input, which several matrices share. widths: floats in a row of each input.
    Raises BadModelFile, UnsupportedModel, RequestError (threads or isa out of range), DoesNotFit, NativeError.
    """

    def __init__(
        self,
        file: GGUFFile,
        *,
        window: int,
        step_tokens: int = STEP_TOKENS,
        num_threads: int | None = None,
        isa: str | None = None,
        cache: CacheOptions | None = None,
        on_load: Callable[[int, int], None] | None = None,
    ) -> None:
        self._watch: FileWatch | None = None
        self._weights: LoadedWeights | None = None
        self._threads: native.Threads | None = None
        self._kv: native.KV | None = None
        self._window_kv: native.KV | None = None
        self._program: native.Program | None = None
        num_threads = device.cpus().default_threads if num_threads is None else num_threads
        check_number("threads", num_threads, 1, native.MAX_THREADS)
        self.config = ModelConfig.from_gguf(file)
        check_number("window", window, 2, self.config.max_position_embeddings)
        graph = build(self.config, {name: info.shape for name, info in file.tensors.items()})
        lowered = lower_native(graph, keep_inputs=True)
        numbers = {buffer.value: i for i, buffer in enumerate(lowered.buffers)}
        self.inputs = {name: numbers[value] for name, value in matrix_inputs(graph).items()}
        self.widths = {i: lowered.buffers[i].width for i in self.inputs.values()}
        self._step_tokens = min(step_tokens, window)
        num_blocks = -(-window // native.BLOCK_SIZE)
        self._table = array("i", range(num_blocks))
        try:
            self._threads = native.Threads(num_threads)
            self._watch = FileWatch(file)
            with self._watch.reading():
                options = CacheOptions() if cache is None else cache
                self._weights = load_weights(file, lowered, self._threads, self._watch, options, on_load)
            shape = native.KVShape(_KV_TYPE, lowered.num_layers, lowered.num_kv_heads, lowered.head_dim)
            if lowered.num_layers:
                self._kv = native.KV(*shape, num_blocks=num_blocks)
            if lowered.num_window_layers:  # they keep all positions too: a text is no longer than `window` tokens
                windowed = shape._replace(num_layers=lowered.num_window_layers)
                self._window_kv = native.KV(*windowed, num_blocks=num_blocks)
            arena = lowered.arena(self._step_tokens, self._step_tokens)
            self._program = native.Program(
                ops=lowered.ops,
                buffers=arena.buffers,
                arena_bytes=arena.num_bytes,
                ropes=lowered.ropes,
                weights=self._weights.items,
                logits_buffer=lowered.logits_buffer,
                isa=native.isa_select(isa),
                max_tokens=self._step_tokens,
                max_logits=self._step_tokens,
                max_sequences=1,
                kv=shape,
                max_threads=num_threads,
                max_positions=window,
                num_window_layers=lowered.num_window_layers,
            )
        except BaseException:
            self.close()
            raise

    def read(self, token_ids: Sequence[int], see: Callable[[Mapping[int, NDArray[np.float32]]], None]) -> None:
        """Reads a sequence of at most `window` tokens from its beginning, and calls `see` after each step with the rows
        (tokens, width) of every input, which the next step overwrites.

        Raises NumericalError when a logit is not finite, ModelFileError when the file became shorter.
        """
        for start in range(0, len(token_ids), self._step_tokens):
            tokens = array("i", token_ids[start : start + self._step_tokens])
            see(self._step(tokens, start))

    def close(self) -> None:
        """Frees everything; allowed twice."""
        for item in (self._program, self._kv, self._window_kv, self._weights, self._threads, self._watch):
            if item is not None:
                item.close()
        self._program = self._kv = self._window_kv = self._weights = self._threads = self._watch = None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _step(self, tokens: array[int], start: int) -> dict[int, NDArray[np.float32]]:
        program, threads = self._program, self._threads
        if program is None or threads is None or self._watch is None:
            raise NativeError("the recorder is closed")
        count = len(tokens)
        with self._watch.reading():
            program.step(
                threads,
                self._kv,
                token_ids=tokens,
                positions=array("i", range(start, start + count)),
                sequences=array("i", [0] * count),
                block_tables=self._table,
                table_stride=len(self._table),
                logit_rows=array("i", range(count)),  # the head is a matrix too
                window_kv=self._window_kv,
                window_tables=self._table if self._window_kv is not None else array("i"),
            )
        return {i: np.asarray(program.buffer(i)) for i in self.widths}


def matrix_inputs(graph: Graph) -> dict[str, str]:
    """The value that each matrix is multiplied with, in the order of the graph."""
    inputs: dict[str, str] = {}
    for node in graph.nodes:
        if isinstance(node.op, Linear):
            value = graph.nodes[node.inputs[0]].name
            if inputs.setdefault(node.op.weight, value) != value:
                raise GraphError(f"{node.op.weight} is multiplied with {inputs[node.op.weight]} and with {value}")
    return inputs
