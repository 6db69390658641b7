"""The machine as this process may use it: CPUs after affinity and cgroup quota, memory after cgroup limits."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_NO_LIMIT_V1 = 2**62  # cgroup v1 writes about 2^63 for "no limit"


class Cpus(NamedTuple):
    """Counts of logical CPUs and physical cores, and the cgroup's quota in CPUs (None: no quota)."""

    model: str
    machine: str  # "x86_64", "aarch64"
    num_logical: int
    num_allowed: int  # logical CPUs in the affinity mask
    num_allowed_cores: int  # physical cores behind them
    quota: float | None

    @property
    def default_threads(self) -> int:
        """One thread per physical core allowed; never more than the quota pays for, or the pool would be throttled."""
        limit = self.num_allowed_cores if self.quota is None else math.floor(self.quota)
        return max(1, min(self.num_allowed_cores, limit))


class Memory(NamedTuple):
    """Bytes. `limit_bytes`: the smallest cgroup limit around this process, None without one; `limit_used_bytes`: what
    is used of it, but for files that the system merely keeps in memory."""

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None
    limit_used_bytes: int | None


def cpus(root: Path = Path("/")) -> Cpus:
    """What this process may compute on. `root` holds proc and sys, for tests."""
    allowed = _affinity()
    return Cpus(
        model=_cpu_model(root),
        machine=platform.machine(),
        num_logical=os.cpu_count() or len(allowed),
        num_allowed=len(allowed),
        num_allowed_cores=_num_cores(root, allowed),
        quota=_cpu_quota(root),
    )


def memory(root: Path = Path("/")) -> Memory:
    """What this process may hold. `root` holds proc and sys, for tests."""
    total, available = _memory(root)
    limits = list(_memory_limits(root))
    if not limits:
        return Memory(total, available, None, None)
    limit, used = min(limits, key=lambda pair: pair[0])
    return Memory(total, min(available, max(0, limit - used)), limit, used)


def last_cache_bytes(root: Path = Path("/")) -> int:
    """Size of the largest cache of the first CPU that says so; 0 when none does."""
    largest = 0
    for size in sorted(root.glob("sys/devices/system/cpu/cpu0/cache/index*/size")):
        text = _read(size).strip()
        number, unit = text[:-1], {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1:])
        if number.isdigit() and unit is not None:
            largest = max(largest, int(number) * unit)
    return largest


def peak_memory_bytes() -> int:
    """Largest resident set of this process so far, measured by the system."""
    # VmHWM first: ru_maxrss survives exec, so a small process started by a large one would report its parent's.
    for line in _read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def resident_memory_bytes() -> int | None:
    """Memory of this process that is in RAM now, shared pages included; None where the system does not say."""
    for line in _read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def reset_peak_memory() -> bool:
    """Lets `peak_memory_bytes` begin again from what is resident now. False where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _num_cores(root: Path, allowed: set[int]) -> int:
    cores: set[tuple[str, str]] = set()
    for cpu in allowed:
        topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        core = _read(topology / "core_id").strip()
        # A CPU without topology counts as a core of its own.
        cores.add((_read(topology / "physical_package_id").strip(), core) if core else ("cpu", str(cpu)))
    return len(cores)


def _cpu_model(root: Path) -> str:
    for line in _read(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware") and value.strip():
            return value.strip()
    board = _read(root / "proc/device-tree/model").strip("\0 \n")
    return board or platform.processor() or platform.machine()


def _cgroup_folders(root: Path, controller: str) -> Iterator[tuple[int, Path]]:
    """(version, folder) of this process's cgroup and those around it, innermost first."""
    base = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            version, top = 2, base
        elif controller in controllers.split(","):
            version, top = 1, base / controller
        else:
            continue
        folder = top / path.lstrip("/")
        while True:
            # Inside a container the path may not exist below the mount: its root is then our own group.
            if folder.is_dir() and ".." not in folder.parts:
                yield version, folder
            if folder == top or top not in folder.parents:
                break
            folder = folder.parent


def _cpu_quota(root: Path) -> float | None:
    quotas: list[float] = []
    for version, folder in _cgroup_folders(root, "cpu"):
        if version == 2:
            fields = _read(folder / "cpu.max").split()
        else:
            fields = (_read(folder / "cpu.cfs_quota_us") + " " + _read(folder / "cpu.cfs_period_us")).split()
        if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit() and int(fields[1]) > 0:
            quotas.append(int(fields[0]) / int(fields[1]))
    return min(quotas, default=None)


def _memory_limits(root: Path) -> Iterator[tuple[int, int]]:
    for version, folder in _cgroup_folders(root, "memory"):
        names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
        limit, used = (_read(folder / name).strip() for name in names)
        if limit.isdigit() and int(limit) < _NO_LIMIT_V1:
            yield int(limit), max(0, int(used) - _file_cache(version, folder)) if used.isdigit() else 0


def _file_cache(version: int, folder: Path) -> int:
    """Bytes that count as used, but that the system takes back when a program needs memory."""
    names = ("inactive_file", "active_file") if version == 2 else ("total_inactive_file", "total_active_file")
    fields = (line.split() for line in _read(folder / "memory.stat").splitlines())
    return sum(int(parts[1]) for parts in fields if len(parts) == 2 and parts[0] in names and parts[1].isdigit())


def _memory(root: Path) -> tuple[int, int]:
    fields: dict[str, int] = {}
    for line in _read(root / "proc/meminfo").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            fields[key] = int(words[0]) * 1024
    if "MemTotal" in fields and "MemAvailable" in fields:
        return fields["MemTotal"], fields["MemAvailable"]
    import psutil

    report = psutil.virtual_memory()
    return report.total, report.available
