"""Which machine a profile describes, and whether it is this one."""

from __future__ import annotations

from dataclasses import dataclass

from edge import device
from edge.profiles.profile import Profile
from edge.profiles.records import Cores, Device, Evidence

_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on: the processor, and how many of its cores this process may compute on."""

    processor: str
    machine: str  # as `uname -m` says
    num_cores: int

    @classmethod
    def here(cls) -> Machine:
        cpus = device.cpus()
        return cls(_line(cpus.model), _line(cpus.machine), cpus.default_threads)

    @property
    def device(self) -> Device:
        return Device(name=self.processor, kind="other", machine=self.machine, processor=self.processor)

    @property
    def cores(self) -> tuple[Cores, ...]:
        proof = Evidence(measured=True, method="physical cores that the affinity mask and the cgroup quota allow")
        return (Cores(name="allowed", count=self.num_cores, evidence=proof),)

    def difference(self, profile: Profile) -> str | None:
        """Why a profile is not of this machine; None when it is."""
        count = sum(cores.count for cores in profile.cores)
        found = (profile.device.processor, profile.device.machine, count)
        if found == (self.processor, self.machine, self.num_cores):
            return None
        name = profile.device.processor or profile.device.name
        return (
            f"it describes {name} ({profile.device.machine}) with {count} cores, "
            f"this is {self.processor} ({self.machine}) with {self.num_cores}"
        )

    @property
    def thread_counts(self) -> tuple[int, ...]:
        """What is worth measuring: powers of two, and all cores."""
        counts = {1 << i for i in range(self.num_cores.bit_length()) if 1 << i <= self.num_cores}
        return tuple(sorted(counts | {self.num_cores}))


def _line(text: str) -> str:
    """As a profile can hold it: one printable line."""
    line = "".join(c if c.isprintable() else " " for c in text)[:_MAX_NAME].strip()
    return line or "unknown"
