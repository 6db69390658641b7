"""How much of a stretch of this process's memory is in RAM, read back from the system."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["Resident", "resident"]

_HUGE = ("AnonHugePages", "FilePmdMapped", "ShmemPmdMapped")


class Resident(NamedTuple):
    """Bytes in RAM that this process has mapped, and how many of them are mapped in huge pages."""

    num_bytes: int
    huge_bytes: int


def resident(address: int, num_bytes: int, smaps: Path = Path("/proc/self/smaps")) -> Resident | None:
    """Sums the mappings that lie in [address, address + num_bytes), or begin or end there. None without /proc."""
    try:
        text = smaps.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    end = address + num_bytes
    inside = False
    total = huge = 0
    for line in text.splitlines():
        head, _, rest = line.partition(" ")
        if head.endswith(":"):
            if inside and head == "Rss:":
                total += _kib(rest)
            elif inside and head[:-1] in _HUGE:
                huge += _kib(rest)
        elif "-" in head:  # "7f00-7f10 r--s ...": a mapping begins
            start, _, stop = head.partition("-")
            inside = int(start, 16) < end and int(stop, 16) > address
    return Resident(min(total, num_bytes), min(huge, num_bytes))


def _kib(text: str) -> int:
    return int(text.split()[0]) * 1024
