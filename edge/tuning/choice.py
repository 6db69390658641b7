"""What to use, and why, from the figures of a profile. No figure, no opinion: then it is what it would be without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.tuning.figures import (
    Rates,
    chunk_rates,
    disk_bytes_s,
    isa_seconds,
    phase_rates,
    residency_rates,
    step_seconds,
)

if TYPE_CHECKING:
    from edge.profiles import Profile

DEFAULT_CHUNK = 128  # prompt tokens in one step
DEFAULT_RESIDENCY = "mapped"
_AS_GOOD = 0.97  # of the best: less differs by noise, and fewer threads or a smaller chunk leave more for others
_OWNED_GAIN = 1.15  # owned weights are read anew at every load and shared with nobody
_ISA_GAIN = 1.05
_ISA_SHARE = 0.9  # of the weights whose types must have been measured


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller decided; None leaves it to the profile."""

    threads: int | None = None
    chunk: int | None = None
    residency: str | None = None
    isa: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """num_bytes: of the model file. weights: how many the matrices have, by type name."""

    num_bytes: int
    weights: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Choice:
    """isa None: the best level. source: the profile's file, or why there is none. reasons: a sentence for each setting.
    note: what the user should read. step_seconds (by tokens) and disk_bytes_s: figures that the engine goes by."""

    decode_threads: int
    prefill_threads: int
    chunk: int
    residency: str
    isa: str | None
    source: str
    reasons: Mapping[str, str]
    note: str | None = None
    step_seconds: Mapping[int, float] = field(default_factory=dict[int, float])
    disk_bytes_s: float | None = None


def choose(
    asked: Asked,
    profile: Profile | None,
    source: str,
    *,
    default_threads: int,
    available_bytes: int,
    levels: Sequence[str],
    workload: Workload | None = None,
    note: str | None = None,
) -> Choice:
    """levels: instruction sets that can run here, lowest first. workload None: any model."""
    reasons: dict[str, str] = {}
    nothing = Rates({}, "")
    decode_figures, prefill_figures = (nothing, nothing) if profile is None else phase_rates(profile)
    decode = _threads(asked, decode_figures, default_threads, reasons, "decode_threads")
    prefill = _threads(asked, prefill_figures, default_threads, reasons, "prefill_threads")
    prefill = max(prefill, decode)  # threads that decode exist anyway
    return Choice(
        decode,
        prefill,
        _chunk(asked, nothing if profile is None else chunk_rates(profile, prefill), reasons),
        _residency(asked, profile, available_bytes, workload, reasons),
        _isa(asked, profile, levels, workload, reasons),
        source,
        reasons,
        note,
        {} if profile is None else step_seconds(profile, decode, prefill),
        None if profile is None else disk_bytes_s(profile),
    )


def _threads(asked: Asked, rates: Rates, default: int, reasons: dict[str, str], key: str) -> int:
    if asked.threads is not None:
        reasons[key] = "as asked"
        return asked.threads
    known = {threads: rate for threads, rate in rates.items() if threads <= default}
    if len(known) < 2:
        reasons[key] = "one per physical core allowed"
        return default
    best = _smallest_as_good(known)
    others = ", ".join(f"{rate:.3g} with {threads}" for threads, rate in sorted(known.items()) if threads != best)
    reasons[key] = f"{known[best]:.3g} {rates.unit} with {best}, {others}"
    return best


def _chunk(asked: Asked, rates: Rates, reasons: dict[str, str]) -> int:
    if asked.chunk is not None:
        reasons["chunk"] = "as asked"
        return asked.chunk
    if len(rates) < 2:
        reasons["chunk"] = "the default"
        return DEFAULT_CHUNK
    best = _smallest_as_good(rates)
    reasons["chunk"] = f"{rates[best]:.3g} {rates.unit} with {best} tokens, at best {max(rates.values()):.3g}"
    return best


def _smallest_as_good(rates: Mapping[int, float]) -> int:
    return min(count for count, rate in rates.items() if rate >= _AS_GOOD * max(rates.values()))


def _residency(
    asked: Asked, profile: Profile | None, available_bytes: int, workload: Workload | None, reasons: dict[str, str]
) -> str:
    if asked.residency is not None:
        reasons["residency"] = "as asked"
        return asked.residency
    rates = None if profile is None else residency_rates(profile)
    if rates is None:
        reasons["residency"] = "the default"
        return DEFAULT_RESIDENCY
    mapped, owned = rates
    figures = f"{mapped:.3g} GB/s mapped, {owned:.3g} owned"
    if owned < _OWNED_GAIN * mapped:
        reasons["residency"] = figures
        return "mapped"
    if workload is not None and 2 * workload.num_bytes > available_bytes:
        reasons["residency"] = f"{figures}, but {workload.num_bytes} bytes are over half of what is available"
        return "mapped"
    reasons["residency"] = figures
    return "owned"


def _isa(
    asked: Asked, profile: Profile | None, levels: Sequence[str], workload: Workload | None, reasons: dict[str, str]
) -> str | None:
    """The level that takes clearly less time for a token of this model than the one that would run."""
    if asked.isa is not None:
        reasons["isa"] = "as asked"
        return asked.isa
    reasons["isa"] = "the highest level of this CPU"
    if profile is None or workload is None or not workload.weights or not levels:
        return None
    default = levels[-1]
    seconds = {isa: isa_seconds(profile, isa, workload.weights, _ISA_SHARE) for isa in levels}
    known = {isa: value for isa, value in seconds.items() if value is not None}
    if default not in known:
        return None
    best = min(known, key=lambda isa: known[isa])
    if best == default or known[default] < _ISA_GAIN * known[best]:
        return None
    reasons["isa"] = f"{1e3 * known[best]:.3g} ms of products a token, {1e3 * known[default]:.3g} with {default}"
    return best
