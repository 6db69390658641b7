"""What a model will take, before it is loaded: the plan, the budget it must keep, and what would fit."""

from __future__ import annotations

from edge.memory.budget import Budget, parse_bytes
from edge.memory.fit import fitting, require_fit, with_embeddings, with_grammar
from edge.memory.plan import MemoryPlan, Settings, compiled_for, plan_compiled, plan_memory
from edge.memory.streaming import stream_to_fit

__all__ = [
    "Budget",
    "MemoryPlan",
    "Settings",
    "compiled_for",
    "fitting",
    "parse_bytes",
    "plan_compiled",
    "plan_memory",
    "require_fit",
    "stream_to_fit",
    "with_embeddings",
    "with_grammar",
]
