"""How much memory a model may take: the least of what the user says, the cgroup's limit, and what is available."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from edge.device import Memory, resident_memory_bytes
from edge.errors import RequestError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "k": 2**10, "m": 2**20, "g": 2**30,
          "kib": 2**10, "mib": 2**20, "gib": 2**30}  # fmt: skip
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
MARGIN = 0.03  # of what is available: left to the rest of the machine
SYSTEM_SHARE = 0.15  # of all memory: what the system of a machine that one does not have takes, and what it must leave


def parse_bytes(amount: str | int, name: str = "memory") -> int:
    """Bytes of "1.5GiB", "900MB", "2g" or a number. RequestError names the field and what it may be."""
    if isinstance(amount, int) and not isinstance(amount, bool):
        value = amount
    else:
        match = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
        unit = None if match is None else _UNITS.get(match[2].lower())
        if match is None or unit is None:
            raise RequestError(
                f"{name} is {amount!r}; it must be a number of bytes, or one with KiB, MiB, GiB, MB or GB"
            )
        value = math.floor(float(match[1]) * unit)
    if not 0 < value < 2**60:
        raise RequestError(f"{name} is {amount!r}; it must be more than 0 bytes and less than 1024 PiB")
    return value


@dataclass(frozen=True, slots=True)
class Budget:
    """num_bytes of the whole process, and what sets it: "memory", "the cgroup limit" or "available memory"."""

    num_bytes: int
    source: str

    @classmethod
    def of(cls, asked: int | None, memory: Memory) -> Budget:
        """asked: bytes that the user allows. What this process holds already counts as available to it."""
        own = resident_memory_bytes() or 0
        limits = [(math.floor((1 - MARGIN) * (memory.available_bytes + own)), "available memory")]
        if memory.limit_bytes is not None:
            limits.append((memory.limit_bytes, "the cgroup limit"))
        if asked is not None:
            limits.append((asked, "memory"))
        return cls(*min(limits))

    @classmethod
    def of_device(cls, asked: int | None, size_bytes: int | None, name: str) -> Budget | None:
        """Of a machine that is only described: what is asked for, or its memory less SYSTEM_SHARE. None: neither."""
        if asked is not None:
            return cls(asked, "memory")
        if size_bytes is None:
            return None
        return cls(math.floor((1 - SYSTEM_SHARE) * size_bytes), f"{1 - SYSTEM_SHARE:.0%} of the memory of {name}")
