"""What a profile says about reading and multiplying, by thread count. What it does not say is None, never a guess.

Between two thread counts, or two sizes, that were measured a figure is taken to be linear; beyond them there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from edge.backends.work import Matrix
from edge.formats.types import GGMLType, type_name
from edge.profiles import Profile
from edge.profiles.records import Compute
from edge.tuning.figures import read_rates, residency_rates

__all__ = ["Figures", "between"]

FEW, MANY = 1, 64  # tokens that kernels were measured with: decoding, a prompt


def between(points: Mapping[float, float], at: float) -> float | None:
    """Linear between the two nearest points; None outside of them."""
    if not points or not min(points) <= at <= max(points):
        return None
    low = max(x for x in points if x <= at)
    high = min(x for x in points if x >= at)
    if low == high:
        return points[low]
    return points[low] + (points[high] - points[low]) * (at - low) / (high - low)


class Figures:
    """isa: the level whose kernels run; None: not known. residency: where weights lie; None: in memory of their own."""

    def __init__(self, profile: Profile, isa: str | None, residency: str | None) -> None:
        self._profile = profile
        self._isa = isa
        self._reads: dict[float, float] = {threads: gb_s for threads, gb_s in read_rates(profile).items()}
        rates = residency_rates(profile)
        self._mapped = min(1.0, rates[0] / rates[1]) if residency == "mapped" and rates is not None else 1.0
        self._kernels: dict[tuple[str, int], dict[int, dict[float, float]]] = {}  # type, tokens -> bytes -> threads
        for record in profile.compute:
            if record.isa == isa and record.cores is None and record.tokens in (FEW, MANY):
                self._add(record)

    def _add(self, record: Compute) -> None:
        if record.weights is None or record.rows is None or record.columns is None:
            return  # a peak
        if record.weights not in GGMLType.__members__:
            return
        num_bytes = Matrix(GGMLType[record.weights], record.rows, record.columns).packed_bytes
        sizes = self._kernels.setdefault((record.weights, record.tokens or FEW), {})
        sizes.setdefault(num_bytes, {})[record.threads] = record.gmacs_s

    def read_bytes_s(self, threads: int) -> float | None:
        """Of memory, where the weights lie."""
        gb_s = between(self._reads, threads)
        return None if gb_s is None else 1e9 * gb_s * self._mapped

    def most_bytes_s(self) -> float | None:
        """What the memory's data sheet allows any number of threads."""
        memory = self._profile.memory
        return None if memory is None or memory.peak_gb_s is None else 1e9 * memory.peak_gb_s

    @property
    def knows_caches(self) -> bool:
        return bool(self._profile.caches)

    def cached_share(self, num_bytes: float, threads: int) -> float:
        """Of so many bytes that are read again and again, how much comes from a cache; 0 where nothing is known of it.

        By its time: t = share x t(cache) + (1 - share) x t(memory).
        """
        memory, sizes = between(self._reads, threads), self._cache_rates(threads)
        if memory is None or not sizes:
            return 0.0
        sizes[max(4 * max(sizes), num_bytes)] = memory  # far beyond the largest none comes from a cache
        at = max(math.log(num_bytes), math.log(min(sizes)))
        gb_s = between({math.log(size): rate for size, rate in sizes.items()}, at)
        fastest = sizes[min(sizes)]
        if gb_s is None or fastest <= memory:
            return 0.0
        return min(1.0, max(0.0, (1 / memory - 1 / gb_s) / (1 / memory - 1 / fastest)))

    def _cache_rates(self, threads: int) -> dict[float, float]:
        """GB/s by bytes."""
        by_size: dict[float, dict[float, float]] = {}
        for cache in self._profile.caches:
            by_size.setdefault(cache.num_bytes, {})[cache.threads] = cache.gb_s
        rates = {size: between(rates, threads) for size, rates in by_size.items()}
        return {size: rate for size, rate in rates.items() if rate is not None}

    def read_seconds(self, num_bytes: float, threads: int, cached: float) -> float | None:
        """Of which the share `cached` comes from a cache."""
        memory = self.read_bytes_s(threads)
        if memory is None:
            return None
        sizes = self._cache_rates(threads)
        fast = max(1e9 * sizes[min(sizes)], memory) if sizes else memory
        return num_bytes * (cached / fast + (1 - cached) / memory)

    def kernel_seconds(self, matrix: Matrix, tokens: int, threads: int, cached: float) -> float | None:
        """Of multiplying a matrix, the share `cached` of whose step comes from a cache, with so many tokens."""
        few = self._per_weight(matrix, FEW, threads, cached)
        if tokens == FEW:
            return None if few is None else few * matrix.num_weights
        many = self._per_weight(matrix, MANY, threads, cached)
        if many is None:
            return None
        seconds = matrix.num_weights * tokens * many
        if tokens >= MANY:
            return seconds
        # Fewer than a panel: at least what one token takes, and on a line from there.
        first = few if few is not None else many
        return matrix.num_weights * (first + (MANY * many - first) * (tokens - 1) / (MANY - 1))

    def _per_weight(self, matrix: Matrix, tokens: int, threads: int, cached: float) -> float | None:
        """Seconds of a multiply-add, linear in what a cache holds between the sizes that were measured."""
        points: dict[float, float] = {}
        for num_bytes, rates in sorted(self._kernels.get((type_name(matrix.type), tokens), {}).items()):
            gmacs_s = between(rates, threads)
            if gmacs_s is not None:
                points[self.cached_share(num_bytes, threads)] = 1e-9 / gmacs_s  # of equal shares the largest matrix
        if not points:
            return None
        return between(points, min(max(cached, min(points)), max(points)))

    def peak_seconds(self, macs: float, threads: int) -> float | None:
        """What no kernel of the level is quicker than."""
        rates: dict[float, float] = {
            record.threads: record.gmacs_s
            for record in self._profile.compute
            if record.isa == self._isa and record.weights is None and record.cores is None
        }
        gmacs_s = between(rates, threads)
        return None if gmacs_s is None else macs / (1e9 * gmacs_s)
