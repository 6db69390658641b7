"""How fast memory is read: by thread count, with and without huge pages, from a mapped file and from owned memory, and
as far as caches hold what is read."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from edge import device, native
from edge.native.measure import MIN_SIZE
from edge.probe.proof import proof, rounded
from edge.probe.tasks import Part, Task
from edge.profiles import Machine
from edge.profiles.records import Cache, Read

FULL_SIZE = 512 << 20
_CACHES = 4  # how many times the last cache is read, so that little of it comes from there
_CACHE_SHARES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # of the last cache: from all of it there to nearly nothing
_FILE_PIECE = 2 << 20  # writes of a huge page, as packed files are written


def size_for(wanted: int) -> int:
    """Bytes to measure with: at most a quarter of the memory that is available."""
    return max(MIN_SIZE, min(wanted, device.memory().available_bytes // 4) // MIN_SIZE * MIN_SIZE)


def quick_size() -> int:
    """Bytes that are read and written in little time, and that the last cache does not hold."""
    return size_for(min(max(_CACHES * device.last_cache_bytes(), 64 << 20), FULL_SIZE))


def read_record(threads: int, size: int, *, huge_pages: bool, seconds: float) -> Read:
    figure = native.read_bandwidth(threads, size=size, huge_pages=huge_pages, seconds=seconds)
    method = f"fastest pass over {size >> 20} MiB in {seconds:g} s"
    return Read(threads=threads, huge_pages=huge_pages, gb_s=rounded(figure / 1e9), evidence=proof(method))


def reads_part(machine: Machine, size: int, seconds: float, *, each: float = 0.3) -> Part:
    """Every thread count with huge pages, then without."""

    def task(threads: int, huge_pages: bool) -> Task:
        pages = "with" if huge_pages else "without"
        return Task(
            f"reads with {threads} threads {pages} huge pages",
            lambda: read_record(threads, size, huge_pages=huge_pages, seconds=each),
        )

    counts = machine.thread_counts[::-1]
    return Part([task(threads, huge) for huge in (True, False) for threads in counts], seconds)


def caches_part(machine: Machine, seconds: float, *, each: float = 0.05) -> Part:
    """Around the size of the last cache, with one thread and with all; nothing where the system says no size."""

    def record(threads: int, size: int) -> Cache:
        figure = native.read_bandwidth(threads, size=size, seconds=each)
        method = f"fastest pass over the same bytes in {each:g} s"
        return Cache(num_bytes=size, threads=threads, gb_s=rounded(figure / 1e9), evidence=proof(method))

    last = device.last_cache_bytes()
    sizes = dict.fromkeys(size_for(int(share * last)) for share in _CACHE_SHARES) if last else {}
    tasks = [
        Task(f"reads of {size} bytes again and again with {threads} threads", partial(record, threads, size))
        for threads in dict.fromkeys((machine.num_cores, 1))
        for size in sizes
    ]
    return Part(tasks, seconds)


def residency_part(machine: Machine, folder: Path, size: int, seconds: float, *, each: float = 0.2) -> Part:
    def task(residency: str) -> Task:
        return Task(
            f"reads of {residency} weights",
            lambda: residency_record(machine.num_cores, residency, folder, size, seconds=each),
        )

    return Part([task("mapped"), task("owned")], seconds)


def residency_record(threads: int, residency: str, folder: Path, size: int, *, seconds: float) -> Read:
    """Reads `size` bytes from where packed weights lie: a file of `folder`, mapped, or memory in huge pages.

    OSError: the file cannot be written. DoesNotFit: no memory.
    """
    with native.Threads(threads) as pool:
        with _mapped(folder, size) if residency == "mapped" else _owned(size) as region:
            figure = native.region_bandwidth(pool, region, seconds=seconds)
    place = "a file in the page cache, written in pieces of 2 MiB" if residency == "mapped" else "huge pages"
    method = f"fastest pass over {size >> 20} MiB of {place} in {seconds:g} s"
    return Read(threads=threads, residency=residency, gb_s=rounded(figure / 1e9), evidence=proof(method))


def _mapped(folder: Path, size: int) -> native.Region:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    piece = bytes(range(1, 129)) * (_FILE_PIECE // 128)
    with tempfile.TemporaryFile(dir=folder) as file:  # it has no name, so nothing is left whatever happens
        left = size
        while left > 0:
            left -= os.write(file.fileno(), piece[: min(left, _FILE_PIECE)])
        return native.Region.map_file(file.fileno(), size)


def _owned(size: int) -> native.Region:
    region = native.Region.allocate(size)
    view, piece = region.view, bytes(range(1, 129)) * (_FILE_PIECE // 128)
    for at in range(0, size, _FILE_PIECE):
        count = min(_FILE_PIECE, size - at)
        view[at : at + count] = piece[:count]  # zeros may be one page for all
    return region
