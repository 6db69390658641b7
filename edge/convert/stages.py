"""What a conversion is told about its surroundings: threads, who sees progress, and what Ctrl-C stops."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge import device

__all__ = ["Guard", "Progress", "Running", "Stage", "Stages", "silent"]

Stage: TypeAlias = Literal[
    "reading",
    "calibrating",
    "calibrating operations",
    "probing",
    "choosing",
    "smoothing",
    "writing",
    "loading",
    "measuring",
]
Progress: TypeAlias = Callable[[int, int], None]  # (done, total): bytes, tokens, matrices, probes, candidates
Stages: TypeAlias = Callable[[Stage], AbstractContextManager[Progress | None]]
Guard: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[object]]


def silent(stage: Stage) -> AbstractContextManager[Progress | None]:
    """Shows nothing."""
    del stage
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Running:
    """threads: None: as many as are best. guard: entered with a function that cancels the steps that run inside it."""

    threads: int | None = None
    stages: Stages = silent
    guard: Guard = nullcontext

    @property
    def num_threads(self) -> int:
        return self.threads if self.threads is not None else device.cpus().default_threads
