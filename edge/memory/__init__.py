"""What a model will take, before it is loaded: the plan, the budget it must keep, and what would fit."""

from __future__ import annotations

from edge.memory.budget import Budget, parse_bytes
from edge.memory.fit import fitting, nearest_plans, require_budget, require_fit, with_embeddings, with_grammar
from edge.memory.llama import fitting_llama, plan_llama
from edge.memory.onnx import beside, fitting_onnx, plan_onnx
from edge.memory.plan import MemoryPlan, Settings, compiled_for, plan_compiled, plan_memory
from edge.memory.streaming import stream_to_fit

__all__ = [
    "Budget",
    "MemoryPlan",
    "Settings",
    "beside",
    "compiled_for",
    "fitting",
    "fitting_llama",
    "fitting_onnx",
    "nearest_plans",
    "parse_bytes",
    "plan_compiled",
    "plan_llama",
    "plan_memory",
    "plan_onnx",
    "require_budget",
    "require_fit",
    "stream_to_fit",
    "with_embeddings",
    "with_grammar",
]
