"""How an engine shares its steps and its memory among sequences: decided once, when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from edge.errors import RequestError

ScheduleName = Literal["latency", "throughput"]


@dataclass(frozen=True, slots=True)
class Policy:
    """schedule: "latency" keeps steps short while an answer is read, "throughput" fills every step.

    step_seconds: tokens of a step -> seconds, of any model on this machine: only its shape is used, until this model's
    own steps are measured. disk_bytes_s: how fast the disk of swap_folders reads; None: not known, so nothing is
    swapped. swap_folders: where KV may be written, the best first. fast_forward: tokens that a constraint forces are
    computed in one step; without it one by one, with the same answers. Raises RequestError.
    """

    schedule: str = "latency"
    step_seconds: Mapping[int, float] = field(default_factory=dict[int, float])
    disk_bytes_s: float | None = None
    swap_folders: tuple[Path, ...] = ()
    fast_forward: bool = True

    def __post_init__(self) -> None:
        if self.schedule not in get_args(ScheduleName):
            names = " or ".join(repr(name) for name in get_args(ScheduleName))
            raise RequestError(f"schedule is {self.schedule!r}; it must be {names}")
