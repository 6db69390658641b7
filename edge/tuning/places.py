"""Where the profiles of this machine lie."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.packed.places import user_cache_folder
from edge.profiles import Machine

OFF = "off"  # as EDGE_PROFILE: no profile and no probe
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_STEM = 40


@dataclass(frozen=True, slots=True)
class ProfilePlaces:
    """named: the file that EDGE_PROFILE names. saved: what `edge doctor --save` writes. probed: what the quick probe
    found. None: there is none, or no folder for it. off: EDGE_PROFILE=off."""

    named: Path | None
    saved: Path | None
    probed: Path | None
    off: bool = False

    @classmethod
    def of(cls, machine: Machine, environment: Mapping[str, str]) -> ProfilePlaces:
        """As packed files: EDGE_CACHE_DIR, or else the user's cache folder. The names hold what figures depend on, so
        that machines may share a folder, and the probe's the version too: a new one asks again."""
        named = environment.get("EDGE_PROFILE", "")
        own = environment.get("EDGE_CACHE_DIR", "")
        folder = Path(own).expanduser() if own else user_cache_folder(environment)
        path = None if named in ("", OFF) else Path(named).expanduser()
        if folder is None:
            return cls(path, None, None, named == OFF)
        stem = _UNFIT.sub("_", machine.processor)[:_MAX_STEM].strip("_")
        place = folder / "profiles"
        return cls(
            path,
            place / f"{stem}-{_hash(machine)}.toml",
            place / f"probe-{stem}-{_hash(machine, __version__)}.toml",
            named == OFF,
        )


def _hash(machine: Machine, *more: str) -> str:
    key = "\0".join((machine.processor, machine.machine, str(machine.num_cores), *more))
    return hashlib.blake2b(os.fsencode(key), digest_size=6).hexdigest()
