"""Weights larger than the budget: how many layers must be streamed for the rest to fit."""

from __future__ import annotations

from edge.backends.compiled import Compiled
from edge.backends.streaming import num_layers
from edge.formats.gguf import GGUFFile
from edge.memory.budget import Budget
from edge.memory.plan import MemoryPlan, with_streaming
from edge.packed.options import SMALLEST_BYTES

__all__ = ["stream_to_fit", "streamable_layers"]


def streamable_layers(compiled: Compiled, plan: MemoryPlan) -> int:
    """How many layers could be streamed: none of a model that gets no packed file, since it is small."""
    large = plan.weights_bytes + plan.streamed_bytes >= SMALLEST_BYTES
    return num_layers(compiled.program) if large else 0


def stream_to_fit(file: GGUFFile, compiled: Compiled, plan: MemoryPlan, budget: Budget) -> MemoryPlan:
    """The plan with the fewest streamed layers that keeps the budget; `plan` itself when that does, or none does."""
    if plan.total_bytes <= budget.num_bytes:
        return plan
    for count in range(1, streamable_layers(compiled, plan) + 1):
        streamed = with_streaming(file, compiled, plan, count)
        if streamed.total_bytes <= budget.num_bytes:
            return streamed
    return plan
