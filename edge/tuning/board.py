"""A machine that one need not have: what a shipped profile, or a file of one, says of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from edge.errors import RequestError
from edge.profiles import Profile, levels_of, load_profile, load_shipped, shipped
from edge.tuning.choice import Asked, Choice, Workload, choose

__all__ = ["Board"]


@dataclass(frozen=True, slots=True)
class Board:
    """name: as its profile has it. source: the shipped name, or the file."""

    profile: Profile
    source: str

    @classmethod
    def of(cls, reference: str) -> Board:
        """A shipped name ("raspberry-pi-5"), or a file. RequestError: neither; BadProfile: a file that is none."""
        if reference in shipped():
            return cls(load_shipped(reference), f"the shipped profile {reference}: figures that others published")
        if not os.path.lexists(os.path.expanduser(reference)):
            raise RequestError(
                f"device is {reference!r}, which is neither a profile's file nor a shipped profile: "
                f"there are {', '.join(shipped())}"
            )
        return cls(load_profile(os.path.expanduser(reference)), reference)

    @property
    def name(self) -> str:
        return self.profile.device.name

    @property
    def levels(self) -> tuple[str, ...]:
        return levels_of(self.profile)

    @property
    def num_cores(self) -> int | None:
        """Physical cores of all kinds; None: it does not say."""
        return sum(cores.count for cores in self.profile.cores) or None

    @property
    def memory_bytes(self) -> int | None:
        return None if self.profile.memory is None else self.profile.memory.size_bytes

    def choose(self, asked: Asked, workload: Workload, available_bytes: int) -> Choice:
        """As a load there would. RequestError: threads neither asked for nor to be found out."""
        threads = self.num_cores if asked.threads is None else asked.threads
        if threads is None:
            raise RequestError(f"the profile of {self.name} has no [[cores]]: say how many threads")
        return choose(
            asked,
            self.profile,
            self.source,
            default_threads=threads,
            available_bytes=available_bytes,
            levels=self.levels,
            workload=workload,
        )
