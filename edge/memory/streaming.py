"""Weights larger than the budget: how much of the layers must be streamed for the rest to fit."""

from __future__ import annotations

from edge.backends.compiled import Compiled
from edge.backends.streaming import streamable_groups
from edge.formats.gguf import GGUFFile
from edge.memory.budget import Budget
from edge.memory.plan import MemoryPlan, with_streaming
from edge.packed.options import SMALLEST_BYTES

__all__ = ["num_streamable", "stream_to_fit"]


def num_streamable(compiled: Compiled, plan: MemoryPlan) -> int:
    """How many groups could be streamed: none of a model that gets no packed file, since it is small."""
    large = plan.weights_bytes + plan.streamed_bytes >= SMALLEST_BYTES
    return len(streamable_groups(compiled.program)) if large else 0


def stream_to_fit(file: GGUFFile, compiled: Compiled, plan: MemoryPlan, budget: Budget) -> MemoryPlan:
    """The plan that keeps the budget with the fewest streamed groups; `plan` itself when that does, or none does."""
    if plan.total_bytes <= budget.num_bytes:
        return plan
    low, high = 0, num_streamable(compiled, plan)  # so many are too few; so many do, if any do
    best = plan if high == 0 else with_streaming(file, compiled, plan, high)
    if best.total_bytes > budget.num_bytes:
        return plan
    while high - low > 1:
        middle = (low + high) // 2
        streamed = with_streaming(file, compiled, plan, middle)
        if streamed.total_bytes <= budget.num_bytes:
            best, high = streamed, middle
        else:
            low = middle
    return best
