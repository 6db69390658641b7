"""Cores and memory from made-up proc and sys trees: affinity, cgroup v1 and v2, limits of groups further out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge import device


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def topology(*cores: int) -> dict[str, str]:
    """Logical CPU i belongs to core cores[i] of package 0."""
    files: dict[str, str] = {}
    for cpu, core in enumerate(cores):
        folder = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files |= {f"{folder}/core_id": f"{core}\n", f"{folder}/physical_package_id": "0\n"}
    return files


def _four(_process: int) -> set[int]:
    return {0, 1, 2, 3}


def _two(_process: int) -> set[int]:
    return {0, 2}


@pytest.fixture(autouse=True)
def four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", _four, raising=False)


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    cpus = device.cpus(write(tmp_path, topology(0, 1, 0, 1)))
    assert (cpus.num_allowed, cpus.num_allowed_cores, cpus.default_threads) == (4, 2, 2)


def test_affinity_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", _two, raising=False)
    assert device.cpus(write(tmp_path, topology(0, 1, 0, 1))).default_threads == 1


def test_unknown_topology_counts_logical_cpus(tmp_path: Path) -> None:
    assert device.cpus(tmp_path).default_threads == 4


@pytest.mark.parametrize(
    ("quota", "threads"), [("max 100000", 4), ("250000 100000", 2), ("50000 100000", 1), ("900000 100000", 4)]
)
def test_cgroup_v2_quota(tmp_path: Path, quota: str, threads: int) -> None:
    files = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": quota}
    assert device.cpus(write(tmp_path, topology(0, 1, 2, 3) | files)).default_threads == threads


def test_quota_of_an_outer_group_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000",
        "sys/fs/cgroup/a/cpu.max": "150000 100000",
    }
    cpus = device.cpus(write(tmp_path, topology(0, 1, 2, 3) | files))
    assert cpus.quota == 1.5
    assert cpus.default_threads == 1


def test_cgroup_v1_quota(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:cpu,cpuacct:/job\n3:memory:/job\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "300000",
        "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
    }
    assert device.cpus(write(tmp_path, topology(0, 1, 2, 3) | files)).default_threads == 3


def test_cgroup_v1_without_quota(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:cpu,cpuacct:/\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    }
    assert device.cpus(write(tmp_path, topology(0, 1, 2, 3) | files)).quota is None


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/../../outside\n", "sys/fs/cgroup/cpu.max": "100000 100000"}
    assert device.cpus(write(tmp_path, topology(0, 1, 2, 3) | files)).default_threads == 1


def test_a_folder_in_memory_is_told_from_one_on_a_disk(tmp_path: Path) -> None:
    number = os.stat(tmp_path).st_dev
    device_number = f"{os.major(number)}:{os.minor(number)}"
    for kind, in_memory in (("tmpfs", True), ("ext4", False)):
        line = f"30 1 {device_number} / / rw,relatime shared:1 - {kind} /dev/root rw\n"
        root = write(tmp_path / kind, {"proc/self/mountinfo": f"29 1 0:999 / /x rw - proc proc rw\n{line}"})
        assert device.is_in_memory(tmp_path / "not" / "there", root) is in_memory
    assert not device.is_in_memory(tmp_path, tmp_path / "no root")


MEMINFO = "MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 6000 kB\n"


def test_memory_without_limit(tmp_path: Path) -> None:
    memory = device.memory(write(tmp_path, {"proc/meminfo": MEMINFO}))
    assert (memory.total_bytes, memory.available_bytes, memory.limit_bytes) == (8000 * 1024, 6000 * 1024, None)


def test_smallest_limit_wins_and_bounds_what_is_available(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/b/memory.current": "1024\n",
        "sys/fs/cgroup/a/memory.max": "1048576\n",
        "sys/fs/cgroup/a/memory.current": "48576\n",
    }
    memory = device.memory(write(tmp_path, files))
    assert memory.limit_bytes == 1048576
    assert memory.available_bytes == 1000000


@pytest.mark.parametrize(("version", "prefix"), [(2, ""), (1, "total_")])
def test_files_that_are_merely_kept_in_memory_are_not_used(tmp_path: Path, version: int, prefix: str) -> None:
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    folder = "sys/fs/cgroup/a" if version == 2 else "sys/fs/cgroup/memory/a"
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/a\n" if version == 2 else "3:memory:/a\n",
        f"{folder}/{names[0]}": "1000000",
        f"{folder}/{names[1]}": "900000",
        f"{folder}/memory.stat": f"anon 1\n{prefix}inactive_file 500000\n{prefix}active_file 300000\nfile 9\n",
    }
    memory = device.memory(write(tmp_path, files))
    assert (memory.limit_used_bytes, memory.available_bytes) == (100000, 900000)


def test_cgroup_v1_memory(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "3:memory:/job\n",
        "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "2000000",
        "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "500000",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    }
    memory = device.memory(write(tmp_path, files))
    assert (memory.limit_bytes, memory.limit_used_bytes, memory.available_bytes) == (2000000, 500000, 1500000)


def test_this_machine() -> None:
    assert device.cpus().default_threads >= 1
    assert 0 < device.memory().available_bytes <= device.memory().total_bytes
    assert 2**20 < device.peak_memory_bytes() < 2**40


def test_the_peak_of_memory_begins_again() -> None:
    size = 64 << 20
    large = bytearray(size)
    large[::4096] = b"x" * len(large[::4096])  # pages are there once they are written
    del large
    before, resident = device.peak_memory_bytes(), device.resident_memory_bytes()
    if resident is None:
        pytest.skip("this system does not say what is resident")
    assert before > resident
    assert device.reset_peak_memory()
    assert device.peak_memory_bytes() < before - size // 2


def test_the_largest_cache_counts(tmp_path: Path) -> None:
    sizes = {0: "32K\n", 1: "32K\n", 2: "1024K\n", 3: "16M\n", 4: "?\n", 5: ""}
    files = {f"sys/devices/system/cpu/cpu0/cache/index{i}/size": text for i, text in sizes.items()}
    assert device.last_cache_bytes(write(tmp_path, files)) == 16 << 20
    assert device.last_cache_bytes(tmp_path / "none") == 0
