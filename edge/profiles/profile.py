"""A whole profile: its tables, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import cast

from edge.errors import BadProfile
from edge.profiles.records import (
    Cache,
    Compute,
    Cores,
    Device,
    Disk,
    Evidence,
    Isa,
    Memory,
    Npu,
    Prefill,
    Read,
    Record,
    Reference,
    Step,
    StepModel,
)

FORMAT = 1

# Key -> record. SINGLE are written [key], ARRAYS are written [[key]]; in a file only `device` must be there.
SINGLE: dict[str, type[Record]] = {"device": Device, "isa": Isa, "memory": Memory, "npu": Npu}
ARRAYS: dict[str, type[Record]] = {
    "cores": Cores,
    "reads": Read,
    "caches": Cache,
    "compute": Compute,
    "prefills": Prefill,
    "disks": Disk,
    "models": StepModel,
    "steps": Step,
    "references": Reference,
}
# What tells two tables of an array apart: the same question must not be answered twice.
_QUESTIONS = {
    "cores": ("name",),
    "reads": ("threads", "cores", "huge_pages", "residency"),
    "caches": ("num_bytes", "threads"),
    "compute": ("isa", "weights", "rows", "columns", "tokens", "threads", "cores"),
    "prefills": ("backend", "provider", "model"),
    "disks": ("name",),
    "models": ("name",),
    "steps": ("model", "tokens", "threads", "depth"),
    "references": ("runtime", "model", "weights", "threads"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Figures that are not known are not there. Making one checks it, as its records do."""

    device: Device
    cores: tuple[Cores, ...] = ()
    isa: Isa | None = None
    memory: Memory | None = None
    npu: Npu | None = None
    reads: tuple[Read, ...] = ()
    caches: tuple[Cache, ...] = ()
    compute: tuple[Compute, ...] = ()
    prefills: tuple[Prefill, ...] = ()
    disks: tuple[Disk, ...] = ()
    models: tuple[StepModel, ...] = ()
    steps: tuple[Step, ...] = ()
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        for key in ARRAYS:
            self._check_distinct(key)
        self._check_threads()
        peak = None if self.memory is None else self.memory.peak_gb_s
        for index, read in enumerate(self.reads):
            if peak is not None and read.gb_s > peak:
                raise BadProfile(f"reads[{index}].gb_s is {read.gb_s:g}, over memory.peak_gb_s, {peak:g}")

    def tables(self) -> Iterator[tuple[str, Record]]:
        """Every table with its place, as in ("reads[2]", ...), in the order of a file."""
        for field in fields(self):
            value: object = getattr(self, field.name)
            if isinstance(value, tuple):
                for index, record in enumerate(cast("tuple[Record, ...]", value)):
                    yield f"{field.name}[{index}]", record
            elif isinstance(value, Record):
                yield field.name, value

    def evidence(self) -> Iterator[tuple[str, Evidence]]:
        """Where each figure comes from, with its place."""
        for place, record in self.tables():
            proof: object = getattr(record, "evidence", None)
            if isinstance(proof, Evidence):
                yield place, proof

    def _check_distinct(self, key: str) -> None:
        seen: dict[tuple[object, ...], int] = {}
        for index, record in enumerate(getattr(self, key)):
            question = tuple(getattr(record, name) for name in _QUESTIONS[key])
            if question in seen:
                what = ", ".join(_QUESTIONS[key])
                raise BadProfile(f"{key}[{index}] has the same {what} as {key}[{seen[question]}]")
            seen[question] = index

    def _check_threads(self) -> None:
        """No figure uses more threads than the cores it names have."""
        if not self.cores:
            return
        threads = {cores.name: cores.threads for cores in self.cores}
        for key in ("reads", "caches", "compute", "steps", "references"):
            for index, record in enumerate(getattr(self, key)):
                name: str | None = getattr(record, "cores", None)
                if name is not None and name not in threads:
                    raise BadProfile(f"{key}[{index}].cores is {name!r}, which is the name of no [[cores]]")
                most = sum(threads.values()) if name is None else threads[name]
                if record.threads is not None and record.threads > most:
                    raise BadProfile(f"{key}[{index}].threads is {record.threads}, these cores have {most}")
