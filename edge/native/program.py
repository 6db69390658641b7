"""A validated op list with its buffers, and the step that runs it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple, Protocol

from edge.errors import NativeError
from edge.native import structs
from edge.native.buffers import Pinned, pin_int32
from edge.native.handle import Closable, Handle, checked_int
from edge.native.isa import isa_number
from edge.native.kv import KV, kv_type_number
from edge.native.library import check, float_array, library
from edge.native.threads import MAX_THREADS, Threads
from edge.native.weights import Weights

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.native.buffers import Int32s

_MAX_ROWS = 65536  # EDGE_MAX_ROWS: tokens, logit rows, sequences
_MAX_POSITION = 1 << 25  # EDGE_MAX_POSITION
_MAX_ADAPTERS = 256  # EDGE_MAX_ADAPTERS
_MAX_INT32 = 2**31 - 1


class RopeLike(Protocol):
    """edge_rope: frequency of pair i is theta^(-2i/dims) * frequency_scale[i], dims / 2 of them."""

    @property
    def theta(self) -> float: ...
    @property
    def dims(self) -> int: ...
    @property
    def neox(self) -> bool: ...
    @property
    def magnitude(self) -> float: ...
    @property
    def frequency_scale(self) -> Sequence[float]: ...


class Rope(NamedTuple):
    """The plain form of a rotary embedding."""

    theta: float
    dims: int
    neox: bool
    magnitude: float
    frequency_scale: tuple[float, ...]


class KVShape(NamedTuple):
    """The KV arena that a program will run on, for making a program before its arena."""

    type: str
    num_layers: int
    num_kv_heads: int
    head_dim: int


class Program(Closable):
    """ops, buffers: packed edge_op and edge_buffer structs. logits_buffer: the buffer of logit rows. max_positions: of
    one sequence, which the scratch of attention grows with. loras: packed edge_lora structs of num_adapters adapters.

    NativeError: a rule is broken (the message says which). DoesNotFit: not enough memory. After this a step allocates
    nothing. The weights may be closed at any time: the program keeps what it needs.
    """

    def __init__(
        self,
        *,
        ops: Buffer,
        buffers: Buffer,
        arena_bytes: int,
        ropes: Sequence[RopeLike],
        weights: Sequence[Weights],
        logits_buffer: int,
        isa: str | None,
        max_tokens: int,
        max_logits: int,
        max_sequences: int,
        kv: KV | KVShape,
        max_threads: int,
        max_positions: int,
        num_window_layers: int = 0,
        loras: Buffer = b"",
        num_adapters: int = 0,
    ) -> None:
        lib, out, error = library(), ctypes.c_void_p(), structs.Error()
        config = structs.ProgramConfig()
        config.max_tokens = checked_int(max_tokens, "max_tokens", 1, _MAX_ROWS)
        config.max_logits = checked_int(max_logits, "max_logits", 1, _MAX_ROWS)
        config.max_sequences = checked_int(max_sequences, "max_sequences", 1, _MAX_ROWS)
        config.max_threads = checked_int(max_threads, "max_threads", 1, MAX_THREADS)
        config.max_positions = checked_int(max_positions, "max_positions", 1, _MAX_POSITION)
        config.arena_bytes = checked_int(arena_bytes, "arena_bytes", 0, 2**63)
        config.isa = isa_number(isa)
        config.kv_type = kv_type_number(kv.type)
        config.num_layers = checked_int(kv.num_layers, "num_layers", 0, _MAX_INT32)
        config.num_window_layers = checked_int(num_window_layers, "num_window_layers", 0, _MAX_INT32)
        config.num_kv_heads = checked_int(kv.num_kv_heads, "num_kv_heads", 1, _MAX_INT32)
        config.head_dim = checked_int(kv.head_dim, "head_dim", 1, _MAX_INT32)
        handles = [w.handle for w in weights]
        config.num_weights, config.num_ropes = len(handles), len(ropes)
        config.weights = (ctypes.c_void_p * len(handles))(*(h.address.value for h in handles))
        config.ropes = (structs.Rope * len(ropes))(*(_rope(rope) for rope in ropes))
        config.num_adapters = checked_int(num_adapters, "num_adapters", 0, _MAX_ADAPTERS)
        with (
            Pinned(ops, "ops") as op_list,
            Pinned(buffers, "buffers") as buffer_list,
            Pinned(loras, "loras") as lora_list,
        ):
            if lora_list.num_bytes:
                config.loras, config.num_loras = lora_list.address, _whole(lora_list, structs.LORA_BYTES, "loras")
            config.ops, config.num_ops = op_list.address, _whole(op_list, structs.OP_BYTES, "ops")
            config.buffers = buffer_list.address
            config.num_buffers = num_buffers = _whole(buffer_list, structs.BUFFER_BYTES, "buffers")
            config.logits_buffer = checked_int(logits_buffer, "logits_buffer", 0, num_buffers - 1)
            raw = ctypes.string_at(buffer_list.address, buffer_list.num_bytes)
            status = lib.edge_program_create(ctypes.byref(out), ctypes.byref(config), ctypes.byref(error))
        check(status, "program", error)
        self._handle = Handle(out, lib.edge_program_destroy, keep=handles)
        self._shapes = _buffer_shapes(raw)
        self._logits_buffer = int(logits_buffer)
        self._num_tokens = self._num_logits = 0

    @property
    def vocab_size(self) -> int:
        """Width of a row of logits."""
        return self._shapes[self._logits_buffer][0]

    @property
    def num_bytes(self) -> int:
        """Bytes that the program allocated: arena and scratch, not the weights."""
        return int(library().edge_program_bytes(self.handle.address))

    def step(
        self,
        threads: Threads,
        kv: KV | None,
        token_ids: Int32s,
        positions: Int32s,
        sequences: Int32s,
        block_tables: Int32s,
        table_stride: int,
        logit_rows: Int32s,
        window_kv: KV | None = None,
        window_tables: Int32s = (),
        adapters: Int32s = (),
    ) -> None:
        """Runs one step; the logits of `logit_rows` are then at `logits`.

        token_ids, positions, sequences: (num_tokens,). block_tables: (num_sequences, table_stride), -1 where none.
        logit_rows: (num_logits,), token indices, ascending. window_kv, window_tables: of the layers with a window, like
        kv and block_tables, which may be None and anything where all layers have one. adapters: (num_tokens,), the one
        that each row uses, -1 for none; empty: no row uses one. All int32.
        NativeError: the batch breaks a rule and nothing ran. Cancelled, NumericalError: the KV positions of this batch
        are undefined, everything else is intact.
        """
        handle, pool, error = self.handle, threads.handle, structs.Error()
        arena, windows = (None if item is None else item.handle for item in (kv, window_kv))
        stride = checked_int(table_stride, "table_stride", 1, _MAX_INT32)
        with ExitStack() as stack:
            ids = stack.enter_context(pin_int32(token_ids, "token_ids"))
            places = stack.enter_context(pin_int32(positions, "positions"))
            owners = stack.enter_context(pin_int32(sequences, "sequences"))
            tables = stack.enter_context(pin_int32(block_tables, "block_tables"))
            rows = stack.enter_context(pin_int32(logit_rows, "logit_rows"))
            seen = stack.enter_context(pin_int32(window_tables, "window_tables"))
            used = stack.enter_context(pin_int32(adapters, "adapters"))
            if used.count not in (0, ids.count):
                raise NativeError(f"{used.count} adapters and {ids.count} token_ids: they must be equal")
            if not ids.count == places.count == owners.count:
                raise NativeError(
                    f"{ids.count} token_ids, {places.count} positions and {owners.count} sequences: they must be equal"
                )
            if tables.count % stride != 0:
                raise NativeError(f"{tables.count} block_tables are no rows of table_stride {stride}")
            if windows is not None and seen.count != tables.count:
                raise NativeError(f"{seen.count} window_tables and {tables.count} block_tables: they must be equal")
            if max(ids.count, rows.count, tables.count // stride) > _MAX_ROWS:
                raise NativeError(f"a batch may have at most {_MAX_ROWS} tokens, logit rows and sequences")
            batch = structs.Batch(
                ids.count,
                tables.count // stride,
                stride,
                rows.count,
                ids.address,
                places.address,
                owners.address,
                tables.address,
                rows.address,
                None if windows is None else seen.address,
                None if windows is None else windows.address,
                used.address if used.count else None,
            )
            stack.enter_context(threads.lock)
            self._num_tokens = self._num_logits = 0
            status = library().edge_program_step(
                handle.address,
                pool.address,
                None if arena is None else arena.address,
                ctypes.byref(batch),
                ctypes.byref(error),
            )
            check(status, "step", error)
            self._num_tokens, self._num_logits = ids.count, rows.count

    @property
    def logits(self) -> memoryview[float]:
        """Logits of the last step, float32 (num_logits, vocab_size): the memory itself, overwritten by the next."""
        return self._view(self._logits_buffer)

    def buffer(self, index: int) -> memoryview[float]:
        """The rows of any buffer after a step, float32 (rows, width), for tests: a place may have been reused."""
        return self._view(checked_int(index, "buffer", 0, len(self._shapes) - 1))

    def cancel(self) -> None:
        """From any thread: the running step (or the next one) raises Cancelled at its next operation."""
        library().edge_program_cancel(self.handle.address)

    def _view(self, index: int) -> memoryview[float]:
        handle = self.handle
        width, of_logits = self._shapes[index]
        rows = self._num_logits if of_logits else self._num_tokens
        if rows == 0:
            return memoryview(b"").cast("f")
        address = library().edge_program_buffer(handle.address, index)
        return float_array(address, rows * width, handle).cast("B").cast("f", (rows, width))


def _whole(data: Pinned, size: int, what: str) -> int:
    if data.num_bytes == 0 or data.num_bytes % size != 0 or data.num_bytes // size > _MAX_INT32:
        raise NativeError(f"{what}: {data.num_bytes} bytes are no whole number of structs of {size}")
    return data.num_bytes // size


def _buffer_shapes(raw: bytes) -> list[tuple[int, bool]]:
    """(width, whether its rows are logit rows) of each buffer."""
    fields = memoryview(raw).cast("i")
    return [(fields[i + 2], fields[i + 3] == 1) for i in range(0, len(fields), 4)]


def _rope(rope: RopeLike) -> structs.Rope:
    dims = checked_int(rope.dims, "rope dims", 2, 1024)
    if len(rope.frequency_scale) != dims // 2:
        raise NativeError(f"rope: {len(rope.frequency_scale)} frequency scales for {dims} dims, wanted {dims // 2}")
    scale = (ctypes.c_double * (dims // 2))(*rope.frequency_scale)
    return structs.Rope(rope.theta, dims, int(rope.neox), rope.magnitude, 0, scale)
