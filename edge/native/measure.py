"""What this machine can do, measured by the library's own threads and loads."""

from __future__ import annotations

import ctypes
import math

from edge import device
from edge.errors import DoesNotFit, NativeError
from edge.native.handle import checked_int
from edge.native.isa import isa_number
from edge.native.library import check, library
from edge.native.region import Region
from edge.native.threads import Threads
from edge.native.weights import Weights

MAX_TOKENS = 64  # EDGE_CHUNK_TOKENS
MIN_SIZE = 1 << 16  # bytes; less would be over before a clock shows it
_MAX_SIZE = 2**63 - 1
_MAX_SECONDS = 60.0  # EDGE_MEASURE_MAX_SECONDS


def read_bandwidth(
    threads: int, *, size: int = 512 << 20, huge_pages: bool = True, seconds: float = 0.4, isa: str | None = None
) -> float:
    """Bytes a second that `threads` threads read from `size` bytes of memory: the fastest pass of those that fit
    `seconds`, as STREAM counts (McCalpin 1995). A size that fits a cache measures the cache.

    huge_pages: ask for them, as weights do, or refuse them. isa: the level whose loads are used, None for the best.
    NativeError: an argument out of range. DoesNotFit: not as much memory is available.
    """
    size = checked_int(size, "size", MIN_SIZE, _MAX_SIZE)
    available = device.memory().available_bytes
    if size > available:  # asking for it would be granted, and touching it would end the process
        raise DoesNotFit(f"measuring needs {size} bytes of memory, {available} are available: take a smaller size")
    what, figure = f"measuring reads of {size} bytes", ctypes.c_double()
    level, seconds = isa_number(isa), _seconds(seconds)
    with Threads(threads) as pool:
        status = library().edge_measure_read(
            pool.handle.address, level, size, int(huge_pages), seconds, ctypes.byref(figure)
        )
    check(status, what)
    return figure.value


def integer_peak(threads: int, *, seconds: float = 0.2, isa: str | None = None) -> float:
    """Multiply-adds a second of the level's integer dot product, operands in registers and the first cache, by all
    threads together: what no matrix kernel of the level exceeds.

    NativeError: an argument out of range.
    """
    figure = ctypes.c_double()
    level, seconds = isa_number(isa), _seconds(seconds)
    with Threads(threads) as pool:
        status = library().edge_measure_integer_peak(pool.handle.address, level, seconds, ctypes.byref(figure))
    check(status, "measuring the integer peak")
    return figure.value


def region_bandwidth(threads: Threads, region: Region, *, seconds: float = 0.2, isa: str | None = None) -> float:
    """Bytes a second that the pool reads from a region of at least MIN_SIZE bytes, as read_bandwidth counts.

    NativeError: an argument out of range, or the file that the region maps became shorter.
    """
    figure, level, seconds = ctypes.c_double(), isa_number(isa), _seconds(seconds)
    with threads.lock:
        status = library().edge_measure_region(
            threads.handle.address, level, region.handle.address, seconds, ctypes.byref(figure)
        )
    check(status, f"measuring reads of a region of {region.num_bytes} bytes")
    return figure.value


def matmul_speed(
    threads: Threads, weights: Weights, tokens: int, *, seconds: float = 0.03, isa: str | None = None
) -> float:
    """Multiply-adds a second of a matrix with 1 .. MAX_TOKENS rows of activations: the fastest of the products that fit
    `seconds`, by the kernel that a step of so many tokens takes.

    NativeError: an argument out of range, or a vector. DoesNotFit: no memory for the activations.
    """
    figure, level, seconds = ctypes.c_double(), isa_number(isa), _seconds(seconds)
    tokens = checked_int(tokens, "tokens", 1, MAX_TOKENS)
    with threads.lock:
        status = library().edge_measure_matmul(
            threads.handle.address, level, weights.handle.address, tokens, seconds, ctypes.byref(figure)
        )
    check(status, f"measuring a matrix of {weights.rows} x {weights.cols} with {tokens} tokens")
    return figure.value


def _seconds(value: object) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not 0 < value <= _MAX_SECONDS:  # type: ignore[arg-type, operator]
        raise NativeError(f"seconds is {value!r}, wanted over 0 and at most {_MAX_SECONDS:g}")
    return float(value)  # type: ignore[arg-type]
