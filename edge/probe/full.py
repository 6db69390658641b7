"""The whole profile of this machine, in under a minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge import device
from edge.probe.disk import disk_part
from edge.probe.kernels import kernels_part, peaks_part, shapes_of, streamed_types, streams_part
from edge.probe.proof import proof
from edge.probe.reads import FULL_SIZE, caches_part, quick_size, reads_part, residency_part, size_for
from edge.probe.sample import Sample
from edge.probe.steps import Steps
from edge.probe.tasks import Clock, Part, Progress, run_parts
from edge.profiles import Machine, Profile
from edge.profiles.records import Cache, Compute, Disk, Memory, Read, Record, Step, StepModel


@dataclass(frozen=True, slots=True)
class Finding:
    """A profile, and a sentence for each figure that is not in it."""

    profile: Profile
    missing: tuple[str, ...]


def full_probe(
    machine: Machine,
    folder: Path,
    *,
    sample: Sample | None = None,
    file: Path | None = None,
    on_progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> Finding:
    """Measures reads, residencies, caches, kernels, steps and disk.

    folder: where files may be written for it. sample, file: a model whose shapes, and whose file, are measured with.
    """
    samples = [Sample.typical() if sample is None else sample, Sample.narrow()]
    steps, narrow = (Steps(machine, item, clock) for item in samples)
    shapes = shapes_of(sample)
    try:
        parts = [
            reads_part(machine, size_for(FULL_SIZE), 8.0),
            residency_part(machine, folder, quick_size(), 4.0),
            caches_part(machine, 3.0),
            peaks_part(machine, 1.0),
            steps.part(14.0),
            narrow.comparison(5.0),
            streams_part(machine, streamed_types(sample), quick_size(), 8.0),
            kernels_part(machine, shapes, 10.0),
            disk_part(folder, file, 5.0, clock),
        ]
        return measure(machine, parts, clock, on_progress, models=[item.record for item in samples])
    finally:
        steps.close()
        narrow.close()


def measure(
    machine: Machine,
    parts: Sequence[Part],
    clock: Clock,
    on_progress: Progress | None,
    *,
    models: Sequence[StepModel] = (),
) -> Finding:
    """models: those that steps may have been measured with."""
    found: list[Record] = []
    missing: list[str] = []
    for task, record, reason in run_parts(parts, clock, on_progress):
        if record is not None:
            found.append(record)
        else:
            missing.append(f"not measured: {task.what}: {reason}")
    steps = tuple(record for record in found if isinstance(record, Step))
    used = {step.model for step in steps}
    profile = Profile(
        device=machine.device,
        cores=machine.cores,
        memory=_memory(),
        reads=tuple(record for record in found if isinstance(record, Read)),
        caches=tuple(record for record in found if isinstance(record, Cache)),
        compute=tuple(record for record in found if isinstance(record, Compute)),
        disks=tuple(record for record in found if isinstance(record, Disk)),
        models=tuple(model for model in models if model.name in used),
        steps=steps,
    )
    return Finding(profile, tuple(missing))


def _memory() -> Memory:
    return Memory(type="not known", size_bytes=device.memory().total_bytes, evidence=proof("what the system says"))
