"""The choice for a model on this machine. Small models need no profile, and pay for none of the imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edge import device, native
from edge.packed.options import SMALLEST_BYTES
from edge.tuning.choice import Asked, Choice, Workload, choose

if TYPE_CHECKING:
    from edge.profiles import Profile


def tune(asked: Asked, workload: Workload | None, environment: Mapping[str, str], *, may_write: bool = True) -> Choice:
    """What `tune_by_profile` chooses."""
    return tune_by_profile(asked, workload, environment, may_write=may_write)[0]


def tune_by_profile(
    asked: Asked, workload: Workload | None, environment: Mapping[str, str], *, may_write: bool = True
) -> tuple[Choice, Profile | None]:
    """The choice for a model, or for any (workload None), and the profile that edge.tuning.find found for it.

    A model of under 32 MiB is answered without a profile, unless EDGE_PROFILE names one. may_write: whether the quick
    probe may run, which leaves a file. Raises BadProfile for a file that EDGE_PROFILE names.
    """
    profile: Profile | None = None
    note: str | None = None
    small = workload is not None and workload.num_bytes < SMALLEST_BYTES
    if small and not environment.get("EDGE_PROFILE"):
        source = "no profile: the model is so small that none matters"
    else:
        from edge.tuning.find import find_profile

        found = find_profile(asked, environment, may_probe=may_write and not small and workload is not None)
        profile, source, note = found.profile, found.source, found.note
    choice = choose(
        asked,
        profile,
        source,
        default_threads=device.cpus().default_threads,
        available_bytes=device.memory().available_bytes,
        levels=native.isa_supported(),
        workload=workload,
        note=note,
    )
    return choice, profile
