"""Finds the profile of this machine, or asks the machine itself, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadProfile, EdgeError
from edge.formats.atomic import atomic_file, remove_orphans
from edge.profiles import Machine, Profile, load_profile, to_toml
from edge.tuning.choice import Asked
from edge.tuning.places import ProfilePlaces

__all__ = ["Found", "find_profile", "save_profile"]

_MEASURE = "no profile: `edge doctor --save` measures one"


@dataclass(frozen=True, slots=True)
class Found:
    """profile None: `source` says why there is none; otherwise it names the file. note: what the user should read."""

    profile: Profile | None
    source: str
    note: str | None = None


def _quick_probe(machine: Machine, folder: Path) -> Profile:
    from edge.probe import quick_probe  # imports much

    return quick_probe(machine, folder)


def load_average() -> float:
    """Threads that ran or waited to, over the last minute; 0 where the system does not say."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def find_profile(
    asked: Asked,
    environment: Mapping[str, str],
    *,
    may_probe: bool,
    probe: Callable[[Machine, Path], Profile] | None = None,
    busy: Callable[[], float] = load_average,
    machine: Machine | None = None,
) -> Found:
    """The first of: the file that EDGE_PROFILE names, the profile that `edge doctor --save` wrote, what the quick probe
    found earlier or, if may_probe, finds now.

    The probe runs if it may change something, its answer can be kept, and nobody else is at work, who would be measured
    too. probe, busy, machine: for tests. Raises BadProfile for a file that EDGE_PROFILE names; other broken files are
    not used, and `note` says so.
    """
    machine = Machine.here() if machine is None else machine
    places = ProfilePlaces.of(machine, environment)
    if places.off:
        return Found(None, "no profile, as EDGE_PROFILE=off asks")
    if places.named is not None:
        return Found(load_profile(places.named), str(places.named))
    found = _saved(places, machine)
    if found.profile is not None:
        return found
    earlier = _probed(places, machine)
    if earlier is not None:
        return Found(earlier, f"{places.probed} (quick probe)", found.note)
    open_questions = (asked.threads is None and machine.num_cores > 1) or asked.residency is None
    if not may_probe or not open_questions:
        return found
    asked_now = _ask(places, machine, probe, busy)
    return Found(asked_now.profile, asked_now.source, found.note)


def save_profile(profile: Profile, path: Path) -> None:
    """Writes the file atomically, and the folder for it. Raises BadProfile, DoesNotFit, OSError."""
    data = to_toml(profile).encode()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_orphans(path)
    with atomic_file(path, len(data)) as file:
        file.write(data)


def _saved(places: ProfilePlaces, machine: Machine) -> Found:
    """What `edge doctor --save` wrote."""
    if places.saved is None or not os.path.lexists(places.saved):
        return Found(None, _MEASURE)
    try:
        profile = load_profile(places.saved)
    except BadProfile as error:
        return Found(None, "no profile: the saved one is broken", f"the device profile is not used: {error}")
    difference = machine.difference(profile)
    if difference is not None:
        note = f"the device profile is not used: {places.saved}: {difference}"
        return Found(None, "no profile: the saved one is of another machine", note)
    return Found(profile, str(places.saved))


def _probed(places: ProfilePlaces, machine: Machine) -> Profile | None:
    """What the quick probe found earlier. A broken file is no loss: it is asked again."""
    if places.probed is not None and os.path.lexists(places.probed):
        with suppress(BadProfile):
            profile = load_profile(places.probed)
            if machine.difference(profile) is None:
                return profile
    return None


def _ask(
    places: ProfilePlaces,
    machine: Machine,
    probe: Callable[[Machine, Path], Profile] | None,
    busy: Callable[[], float],
) -> Found:
    path = places.probed
    if path is None:
        return Found(None, "no profile, and no folder to keep one in")
    if busy() > machine.num_cores:
        return Found(None, "no profile: the machine is too busy to be measured now")
    try:
        save_profile(Profile(device=machine.device, cores=machine.cores), path)  # no figures yet: can it be kept?
        profile = (probe or _quick_probe)(machine, path.parent)
        save_profile(profile, path)
    except (EdgeError, OSError) as error:  # the file without figures stays: it would fail at every load
        return Found(None, f"no profile: the quick probe failed: {error}")
    except BaseException:  # interrupted: it is asked the next time
        path.unlink(missing_ok=True)
        raise
    return Found(profile, f"{path} (quick probe, just now)")
