"""What the page shows of the machine: memory against budget, KV blocks, speed, energy, temperature."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from edge.assistant.chat_model import ChatModel
from edge.assistant.records import Figures
from edge.sensors import Energy, battery_watts, hottest, temperatures

__all__ = ["Sensors", "common_blocks", "status_of"]


@dataclass(slots=True)
class Sensors:
    """Power between two looks; what the machine does not tell is None."""

    energy: Energy = field(default_factory=Energy)
    _process: psutil.Process = field(default_factory=psutil.Process)
    _last: tuple[float, tuple[int | None, ...]] | None = None
    _watts: float | None = None

    def joules(self) -> float | None:
        """A counter: the difference of two is what was used between."""
        return self.energy.joules(tuple(0 for _ in self.energy.now()), self.energy.now())

    def watts(self) -> float | None:
        now, reading = time.monotonic(), self.energy.now()
        if self._last is not None and now - self._last[0] >= 0.5:
            joules = self.energy.joules(self._last[1], reading)
            self._watts = None if joules is None else round(joules / (now - self._last[0]), 2)
            self._last = (now, reading)
        elif self._last is None:
            self._last = (now, reading)
        return self._watts if self._watts is not None else battery_watts()

    def resident(self) -> int:
        return int(self._process.memory_info().rss)


def common_blocks(contexts: Iterable[Sequence[int]], size: int) -> tuple[int, int]:
    """(blocks that several contexts begin with, blocks that these would take more if each had its own)."""
    owners: Counter[int] = Counter()
    for tokens in contexts:
        beginning = 0
        for end in range(size, len(tokens) + 1, size):
            beginning = hash((beginning, tuple(tokens[end - size : end])))
            owners[beginning] += 1
    shared = [count for count in owners.values() if count > 1]
    return len(shared), sum(shared) - len(shared)


def status_of(
    model: ChatModel,
    sensors: Sensors,
    last: Figures | None,
    *,
    contexts: Sequence[Sequence[int]] = (),
    running: int,
    uptime: float,
    budget: int | None,
) -> dict[str, Any]:
    """contexts: what each conversation's model read last."""
    stats, hot = model.stats, hottest(temperatures())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    kept = stats.cached_tokens // stats.block_size if stats.block_size else 0
    in_memory = [tokens[: model.num_kept_tokens(tokens)] for tokens in contexts if tokens]
    common, saved = common_blocks(in_memory, stats.block_size or 1)
    figures = Figures() if last is None else last
    return {
        "memory": {"resident": sensors.resident(), "peak": peak, "budget": budget, "planned": model.plan.total_bytes},
        "kv": {"block_tokens": stats.block_size, "total": stats.blocks_free + stats.blocks_used,
               "used": stats.blocks_used, "shared": stats.blocks_shared, "kept": kept,
               "common": common, "saved": saved},
        "speed": {name: getattr(figures, name) for name in
                  ("prefill_tok_s", "decode_tok_s", "first_token_seconds", "action_seconds")},
        "energy": {"watts": sensors.watts(), "joules": figures.joules},
        "temperature": None if hot is None else {"name": hot[0], "celsius": hot[1]},
        "running": running,
        "uptime": round(uptime, 1),
    }  # fmt: skip
