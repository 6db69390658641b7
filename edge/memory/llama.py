"""The memory plan of a model on llama.cpp, from its header alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from edge.backends.llama_sizes import llama_sizes
from edge.errors import UnsupportedModel
from edge.formats.gguf import GGUFFile
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

__all__ = ["fitting_llama", "plan_llama"]

# llama-cpp-python with NumPy and what else it imports, and llama.cpp's own vocabulary; measured on x86-64 Linux.
PACKAGE_BYTES, VOCABULARY_BYTES_PER_TOKEN = 36 * 2**20, 330


def plan_llama(file: GGUFFile, settings: Settings) -> MemoryPlan:
    """Weights count as large as in the file, also where llama.cpp changes their layout. Errors as `llama_sizes`."""
    sizes = llama_sizes(
        file,
        context=settings.context,
        default_context=settings.default_context,
        num_sequences=settings.num_sequences,
        chunk=settings.chunk,
        kv_type=settings.kv_type,
    )
    per_token = TOKENIZER_BYTES_PER_TOKEN + VOCABULARY_BYTES_PER_TOKEN
    return MemoryPlan(
        weights_bytes=sizes.weights,
        kv_bytes=sizes.kv,
        program_bytes=sizes.compute,
        tokenizer_bytes=TOKENIZER_BYTES + per_token * sizes.vocab_size,
        process_bytes=PROCESS_BYTES + PACKAGE_BYTES + THREAD_BYTES * settings.num_threads,
        packing_bytes=0,
        context=sizes.context,
        num_sequences=settings.num_sequences,
        kv_type=settings.kv_type,
        chunk=settings.chunk,
        num_threads=settings.num_threads,
    )


def fitting_llama(file: GGUFFile, settings: Settings, budget: Budget, wanted: MemoryPlan) -> tuple[MemoryPlan, ...]:
    """The plans nearest to these settings, whose own is `wanted`, that keep the budget."""
    return nearest_plans(partial(plan_llama, file), _nearby(file, settings), wanted.context, budget)


def _nearby(file: GGUFFile, settings: Settings) -> Iterator[Settings]:
    yield settings
    with suppress(UnsupportedModel):  # heads that q8 does not fit
        q8 = replace(settings, kv_type="q8")
        plan_llama(file, q8)
        yield q8
    if settings.num_sequences > 1:
        yield replace(settings, num_sequences=1)
