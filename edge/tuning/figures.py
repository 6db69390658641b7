"""The figures of a profile that answer a question of the engine. Whichever are not there are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.profiles import Profile
    from edge.profiles.records import Compute, Step

_MAX_CHUNK = 1024  # work space grows with it
_PREFILL_TOKENS = 32  # from so many on a step counts as part of a prompt
_DECODE_TOKENS = 8  # steps up to here run on the threads for answers


class Rates(dict[int, float]):
    """Count (of threads, of tokens) -> how fast, in `unit`."""

    def __init__(self, items: Mapping[int, float], unit: str) -> None:
        super().__init__(items)
        self.unit = unit


def phase_rates(profile: Profile) -> tuple[Rates, Rates]:
    """(decode, prefill), by thread count."""
    return _decode_rates(profile), _prefill_rates(profile)


def _decode_rates(profile: Profile) -> Rates:
    """By thread count: steps of one token, or else reads, with huge pages where both were measured."""
    steps = _richest(profile, lambda step: step.tokens == 1, lambda step: step.threads)
    if len(steps) >= 2:
        return Rates({threads: 1e3 / step.ms for threads, step in steps.items()}, "tok/s")
    return read_rates(profile)


def read_rates(profile: Profile) -> Rates:
    """By thread count: bandwidth of reading memory, with huge pages where both were measured."""
    reads: dict[int, float] = {}
    for huge in (False, None, True):
        for read in profile.reads:
            if read.huge_pages is huge and read.cores is None and read.residency is None:
                reads[read.threads] = read.gb_s
    return Rates(reads, "GB/s")


def _prefill_rates(profile: Profile) -> Rates:
    """By thread count: steps of as many tokens as were measured with most of them."""
    found = Rates({}, "tok/s")
    for tokens in sorted({step.tokens for step in profile.steps if step.tokens >= _PREFILL_TOKENS}):
        steps = _richest(profile, partial(_is_of, tokens), lambda step: step.threads)
        if len(steps) >= len(found):
            found = Rates({threads: 1e3 * step.tokens / step.ms for threads, step in steps.items()}, "tok/s")
    return found


def _is_of(tokens: int, step: Step) -> bool:
    return step.tokens == tokens


def chunk_rates(profile: Profile, threads: int) -> Rates:
    """By tokens of a step, with so many threads."""
    steps = _richest(
        profile,
        lambda step: step.threads == threads and _PREFILL_TOKENS <= step.tokens <= _MAX_CHUNK,
        lambda step: step.tokens,
    )
    return Rates({tokens: 1e3 * tokens / step.ms for tokens, step in steps.items()}, "tok/s")


def step_seconds(profile: Profile, decode_threads: int, prefill_threads: int) -> dict[int, float]:
    """Seconds of a step by its tokens, with the threads that would run it."""
    steps = _richest(
        profile,
        lambda step: step.threads == (decode_threads if step.tokens <= _DECODE_TOKENS else prefill_threads),
        lambda step: step.tokens,
    )
    return {tokens: step.ms / 1e3 for tokens, step in steps.items()}


def disk_bytes_s(profile: Profile) -> float | None:
    """Of the slowest disk: which one a folder lies on is not known."""
    return min((1e6 * disk.read_mb_s for disk in profile.disks), default=None)


def residency_rates(profile: Profile) -> tuple[float, float] | None:
    """(mapped, owned) GB/s with the most threads that both were measured with."""
    mapped = {read.threads: read.gb_s for read in profile.reads if read.residency == "mapped" and read.cores is None}
    owned = {read.threads: read.gb_s for read in profile.reads if read.residency == "owned" and read.cores is None}
    both = mapped.keys() & owned.keys()
    return (mapped[max(both)], owned[max(both)]) if both else None


def isa_seconds(profile: Profile, isa: str, weights: Mapping[str, int], least: float) -> float | None:
    """What the products of one token take on a level; None when types of fewer than `least` of the weights are known.

    Types that were not measured take as long as the others do on average.
    """
    total = sum(weights.values())
    levels: dict[tuple[object, ...], set[str]] = {}
    for record in profile.compute:
        levels.setdefault(_case(record), set()).add(record.isa)
    speeds: dict[str, list[float]] = {}
    for record in profile.compute:
        compared = len(levels[_case(record)]) > 1  # what one level was measured with says nothing about another
        if compared and record.isa == isa and record.tokens == 1 and record.weights in weights:
            speeds.setdefault(str(record.weights), []).append(record.gmacs_s)
    known = sum(count for kind, count in weights.items() if kind in speeds)
    if known == 0 or known < least * total:
        return None
    # Several shapes of a type: the slowest, which is the one that reads memory, not a cache.
    seconds = sum(count / (1e9 * min(speeds[kind])) for kind, count in weights.items() if kind in speeds)
    return seconds * total / known


def _case(record: Compute) -> tuple[object, ...]:
    return record.weights, record.rows, record.columns, record.tokens, record.threads, record.cores


def _richest(profile: Profile, wanted: Callable[[Step], bool], key: Callable[[Step], int]) -> dict[int, Step]:
    """The steps from position 0 that are wanted, of the model that answers for most keys: figures of two models do not
    compare."""
    models: dict[str, dict[int, Step]] = {}
    for step in profile.steps:
        if step.depth is None and wanted(step):
            models.setdefault(step.model, {})[key(step)] = step
    return max(models.values(), key=len) if models else {}
