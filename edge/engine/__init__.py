"""The runtime: sequences over paged KV, scheduled into steps."""

from __future__ import annotations

from edge.engine.block_manager import BlockManager
from edge.engine.engine import Engine
from edge.engine.sampling_params import SamplingParams
from edge.engine.scheduler import Scheduler
from edge.engine.sequence import FinishReason, Sequence

__all__ = ["BlockManager", "Engine", "FinishReason", "SamplingParams", "Scheduler", "Sequence"]
