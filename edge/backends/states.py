"""A loaded model without its head, for embeddings: its output is the last hidden state of every token.

An encoder's own program is that. A decoder gets a second one over the weights that are in memory already, with KV
blocks of its own, so that answers that are being made are not disturbed.
"""

from __future__ import annotations

from typing import NamedTuple

from edge import native
from edge.backends.compiled import states_limits
from edge.backends.native import NativeBackend
from edge.backends.protocol import Batch, Limits
from edge.errors import RequestError
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram, lower_native, without_head
from edge.models import build

__all__ = ["States", "StatesPlan", "plan_states"]


class StatesPlan(NamedTuple):
    """A decoder's second program. num_bytes: of its KV blocks; those of the program are known when it is made."""

    program: NativeProgram
    limits: Limits
    kv_shape: native.KVShape
    num_bytes: int


def plan_states(file: GGUFFile, backend: NativeBackend) -> StatesPlan:
    config, main = backend.config, backend.limits
    with backend.reading():
        graph = build(config, {name: info.shape for name, info in file.tensors.items()})
    program = lower_native(without_head(graph))
    limits = states_limits(config.vocab_size, main.context, main.max_tokens, window=main.window)
    shape = native.KVShape(backend.kv_type, program.num_layers, program.num_kv_heads, program.head_dim)
    layers = [number for number in (program.num_layers, program.num_window_layers) if number]
    block_bytes = sum(
        native.kv_block_bytes(shape.type, number, shape.num_kv_heads, shape.head_dim) for number in layers
    )
    return StatesPlan(program, limits, shape, block_bytes * limits.num_blocks)


class States:
    """Steps whose rows are states, float32 (num_rows, width). close() frees what is not the backend's.

    is_whole: a sequence stands in a step whole; otherwise its tokens may come in several, one after the other.
    """

    def __init__(self, backend: NativeBackend, plan: StatesPlan | None) -> None:
        """plan: of a decoder; None: the backend is an encoder's. RequestError: its weights are streamed."""
        self._backend = backend
        self.is_whole = plan is None
        self._program: native.Program | None = None
        self._kv: native.KV | None = None
        self._window_kv: native.KV | None = None
        self.limits = backend.limits
        self.width = backend.config.hidden_size
        if plan is not None:
            self.limits = plan.limits
            self._make(plan)

    @property
    def num_bytes(self) -> int:
        """Of the program, where it is not the backend's."""
        return 0 if self._program is None else self._program.num_bytes

    def step(self, batch: Batch) -> memoryview[float]:
        """Flat (num_rows * width), valid until the next step. window_tables are not read: layers with a window have as
        many blocks as the others. Errors as `Backend.step`."""
        if self._program is None:
            return self._backend.step(batch)
        return self._backend.run(
            self._program, self._kv, self._window_kv, batch._replace(window_tables=batch.block_tables)
        )

    def close(self) -> None:
        for item in (self._program, self._kv, self._window_kv):
            if item is not None:
                item.close()
        self._program = self._kv = self._window_kv = None

    def _make(self, plan: StatesPlan) -> None:
        program, limits, shape = plan.program, plan.limits, plan.kv_shape
        if self._backend.weights.residency == "streamed":
            raise RequestError("weights of this model are streamed; embeddings of it need all of them in memory")
        try:
            if program.num_layers:
                self._kv = native.KV(*shape, num_blocks=limits.num_blocks)
            if program.num_window_layers:
                windows = shape._replace(num_layers=program.num_window_layers)
                self._window_kv = native.KV(*windows, num_blocks=limits.num_window_blocks)
            arena = program.arena(limits.max_tokens, limits.num_rows)
            self._program = native.Program(
                ops=program.ops,
                buffers=arena.buffers,
                arena_bytes=arena.num_bytes,
                ropes=program.ropes,
                weights=self._backend.weights_of(program),
                logits_buffer=program.logits_buffer,
                isa=self._backend.isa,
                max_tokens=limits.max_tokens,
                max_logits=limits.num_rows,
                max_sequences=limits.max_sequences,
                kv=shape,
                max_threads=self._backend.num_threads,
                max_positions=limits.context,
                num_window_layers=program.num_window_layers,
            )
        except BaseException:
            self.close()
            raise
