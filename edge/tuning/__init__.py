"""Decides threads, chunk, residency and instruction set by what was measured; what the caller says always wins."""

from __future__ import annotations

from edge.tuning.choice import Asked, Choice, Workload, choose
from edge.tuning.tune import tune, tune_by_profile

__all__ = ["Asked", "Choice", "Workload", "choose", "tune", "tune_by_profile"]
