"""The memory plan of a model on ONNX Runtime, from its checked files alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from edge.backends.compiled import MAX_CHUNK, MAX_SEQUENCES, check_number
from edge.backends.onnx.decoder import Decoder
from edge.backends.onnx.sizes import chunk_of
from edge.formats.onnx import CheckedModel
from edge.memory.budget import Budget
from edge.memory.fit import nearest_plans
from edge.memory.plan import (
    PROCESS_BYTES,
    THREAD_BYTES,
    TOKENIZER_BYTES,
    TOKENIZER_BYTES_PER_TOKEN,
    MemoryPlan,
    Settings,
)

__all__ = ["beside", "fitting_onnx", "plan_onnx"]

# Measured on x86-64 Linux with onnxruntime 1.31: the package with NumPy, and what is copied of the weights while they
# are put into the kernels' order, beside the file's own pages.
PACKAGE_BYTES = 64 * 2**20
WEIGHTS_FACTOR = 1.5
ROWS_AT_A_TIME = 6  # of activations that are alive together: two of the widest, and those between them


def plan_onnx(model: CheckedModel, decoder: Decoder, settings: Settings) -> MemoryPlan:
    """RequestError for settings out of range."""
    check_number("chunk", settings.chunk, 1, MAX_CHUNK)
    check_number("sequences", settings.num_sequences, 1, MAX_SEQUENCES)
    longest = decoder.longest
    context = min(longest, settings.default_context) if settings.context is None else settings.context
    check_number("context", context, 2, longest)
    chunk = chunk_of(decoder, settings.chunk)
    logits = 4 * decoder.vocab_size * (1 + (chunk if decoder.head == "all" else 1))
    activations = 4 * ROWS_AT_A_TIME * decoder.widest * chunk
    return MemoryPlan(
        weights_bytes=int(WEIGHTS_FACTOR * model.num_bytes),
        kv_bytes=decoder.kv_bytes_per_position * context * settings.num_sequences,
        program_bytes=activations + logits,
        tokenizer_bytes=TOKENIZER_BYTES + TOKENIZER_BYTES_PER_TOKEN * decoder.vocab_size,
        process_bytes=PROCESS_BYTES + PACKAGE_BYTES + THREAD_BYTES * settings.num_threads,
        packing_bytes=0,
        context=context,
        num_sequences=settings.num_sequences,
        kv_type=decoder.kv_type,
        chunk=chunk,
        num_threads=settings.num_threads,
    )


def beside(plan: MemoryPlan) -> int:
    """Bytes that a model of this plan takes in a process which has another one with the same tokenizer."""
    return plan.running_bytes - plan.tokenizer_bytes - PROCESS_BYTES


def fitting_onnx(
    model: CheckedModel, decoder: Decoder, settings: Settings, budget: Budget, wanted: MemoryPlan
) -> tuple[MemoryPlan, ...]:
    """The plans nearest to these settings, whose own is `wanted`, that keep the budget."""
    return nearest_plans(partial(plan_onnx, model, decoder), _nearby(settings), wanted.context, budget)


def _nearby(settings: Settings) -> Iterator[Settings]:
    yield settings
    if settings.chunk > 32:
        yield replace(settings, chunk=32)
    if settings.num_sequences > 1:
        yield replace(settings, num_sequences=1)
