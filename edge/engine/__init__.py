"""The runtime: sequences over paged KV, scheduled into steps."""

from __future__ import annotations

from edge.engine.adapter_use import AdapterUse
from edge.engine.block_manager import BlockManager
from edge.engine.constraint import Constraint
from edge.engine.engine import Engine
from edge.engine.policy import Policy
from edge.engine.sampling_params import SamplingParams
from edge.engine.scheduler import Scheduler
from edge.engine.sequence import FinishReason, Priority, Sequence
from edge.engine.stats import EngineStats

__all__ = [
    "AdapterUse",
    "BlockManager",
    "Constraint",
    "Engine",
    "EngineStats",
    "FinishReason",
    "Policy",
    "Priority",
    "SamplingParams",
    "Scheduler",
    "Sequence",
]
