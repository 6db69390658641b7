"""The questions that matter most, in under a second: how many threads read best, and from where."""

from __future__ import annotations

import time
from pathlib import Path

from edge.probe.full import measure
from edge.probe.reads import quick_size, read_record, residency_part
from edge.probe.tasks import Clock, Part, Task
from edge.profiles import Machine, Profile

_SECONDS = 0.45  # of reads, then half of it for residencies; a task that has begun ends
_EACH = 0.03


def quick_probe(machine: Machine, folder: Path, *, clock: Clock = time.perf_counter) -> Profile:
    """Reads by thread count (all cores, half, a quarter) and by residency. folder: where a file may be written."""
    counts = dict.fromkeys((machine.num_cores, -(-machine.num_cores // 2), -(-machine.num_cores // 4)))
    size = quick_size()

    def task(threads: int) -> Task:
        what = f"reads with {threads} threads"
        return Task(what, lambda: read_record(threads, size, huge_pages=True, seconds=_EACH))

    parts = [
        Part([task(threads) for threads in counts], _SECONDS),
        residency_part(machine, folder, size, _SECONDS / 2, each=_EACH),
    ]
    return measure(machine, parts, clock, None).profile
