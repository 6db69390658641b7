"""The next token from a row of logits."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING

from edge.errors import NativeError, NumericalError
from edge.native import structs
from edge.native.buffers import Pinned, PinnedItems, int32_array, pin_float, pin_int32
from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import check, library

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.native.buffers import Int32s

_MAX_INT32, _MAX_UINT64 = 2**31 - 1, 2**64 - 1


class Sampler(Closable):
    """Scratch for one vocabulary. The same arguments give the same token on every machine."""

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = checked_int(vocab_size, "vocab_size", 1, _MAX_INT32)
        self._lock = Lock()  # the scratch serves one call at a time
        lib, out = library(), ctypes.c_void_p()
        check(lib.edge_sampler_create(ctypes.byref(out), self.vocab_size), f"sampler for {vocab_size} tokens")
        self._handle = Handle(out, lib.edge_sampler_destroy)
        self._best = lib.edge_sample_best

    def sample(
        self,
        logits: Buffer,
        *,
        allowed: Buffer | None = None,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        presence_penalty: float = 0.0,
        seed: int = 0,
        sequence: int = 0,
        position: int = 0,
        history: Int32s | None = None,
        bias: Mapping[int, float] | None = None,
    ) -> int:
        """One token id from float32 logits (vocab_size,).

        Applied in this order: `allowed` (at least vocab_size bits, that of token i is bit i % 8 of byte i // 8),
        repetition and presence penalty over `history` (ids of prompt and answer), bias (-inf forbids a token),
        temperature (0: greedy), softmax, top_k (0: off), top_p, min_p. Ties go to the lower id. The random number
        depends on (seed, sequence, position) only (Philox4x32-10, Salmon et al. 2011).
        NativeError: a value out of range, or every token forbidden. NumericalError: a logit is not finite.
        """
        lib, error, token = library(), structs.Error(), ctypes.c_int32()
        try:
            params = structs.Sampling(
                temperature,
                top_p,
                min_p,
                repetition_penalty,
                presence_penalty,
                checked_int(top_k, "top_k", 0, _MAX_INT32),
                checked_int(seed, "seed", 0, _MAX_UINT64),
                checked_int(sequence, "sequence", 0, _MAX_UINT64),
                checked_int(position, "position", 0, _MAX_UINT64),
            )
            bias_ids = int32_array(list(bias), "bias") if bias else None
            bias_values = array("f", bias.values()) if bias else None
        except TypeError as reason:
            raise NativeError(f"sampling parameters: {reason}") from reason
        with ExitStack() as stack:
            row = stack.enter_context(self._row(logits))
            mask = None if allowed is None else stack.enter_context(Pinned(allowed, "allowed"))
            if mask is not None and 8 * mask.num_bytes < self.vocab_size:
                raise NativeError(f"allowed has {8 * mask.num_bytes} bits, wanted {self.vocab_size}")
            past = _optional(stack, None if history is None else pin_int32(history, "history"))
            ids = _optional(stack, None if bias_ids is None else pin_int32(bias_ids, "bias"))
            values = _optional(stack, None if bias_values is None else pin_float(bias_values, "bias"))
            stack.enter_context(self._lock)
            status = lib.edge_sample(
                self.handle.address,
                row.address,
                None if mask is None else mask.address,
                ctypes.byref(params),
                past[0],
                checked_int(past[1], "length of history", 0, _MAX_INT32),
                ids[0],
                values[0],
                ids[1],
                ctypes.byref(token),
                ctypes.byref(error),
            )
        check(status, "sampling", error)
        return token.value

    def best(self, logits: Buffer) -> int:
        """What `sample` gives when nothing but the logits is given, in fewer steps: it stands between two runs of the
        model, whose weights have emptied the caches. NumericalError: a logit is not finite."""
        if self._handle is None:
            raise NativeError("this Sampler is closed")
        view = memoryview(logits)
        if view.readonly or view.format != "f" or view.nbytes != 4 * self.vocab_size or not view.c_contiguous:
            with self._row(logits) as row:
                token: int = self._best(row.address, self.vocab_size)
        else:
            token = self._best(ctypes.byref(ctypes.c_float.from_buffer(view)), self.vocab_size)
        if token < 0:
            raise NumericalError("sampling: a logit is not finite")
        return token

    def _row(self, logits: Buffer) -> PinnedItems:
        row = pin_float(logits, "logits")
        if row.count != self.vocab_size:
            raise NativeError(f"logits has {row.count} values, wanted {self.vocab_size}")
        return row


def all_finite(address: int, count: int) -> bool:
    """Whether of `count` floats at the address, 1 .. 2^31 - 1, none is NaN or infinite."""
    return bool(library().edge_sample_is_finite(address, count))


def _optional(stack: ExitStack, items: PinnedItems | None) -> tuple[int | None, int]:
    """(address, count), held until the stack ends."""
    if items is None:
        return None, 0
    stack.enter_context(items)
    return items.address, items.count
