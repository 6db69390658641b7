"""`edge doctor --save`: measures this machine and writes its profile."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.cli.progress import ProgressBar
from edge.errors import RequestError
from edge.formats.gguf import open_gguf
from edge.probe import Finding, Sample, full_probe
from edge.profiles import Machine
from edge.references import resolve
from edge.tuning import Asked, Choice, tune
from edge.tuning.find import load_average, save_profile
from edge.tuning.places import ProfilePlaces

_BUSY = 0.5  # of the cores at work before anything was measured


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written where, what is missing, and what edge chooses by it (None: it is not where edge looks)."""

    path: Path
    seconds: float
    finding: Finding
    notes: tuple[str, ...]
    choice: Choice | None

    def as_json(self) -> dict[str, Any]:
        return {
            "profile": str(self.path),
            "seconds": self.seconds,
            "figures": sum(1 for _ in self.finding.profile.evidence()),
            "missing": list(self.finding.missing),
            "notes": list(self.notes),
            "chosen": None if self.choice is None else dataclasses.asdict(self.choice),
        }

    def as_text(self) -> str:
        figures = sum(1 for _ in self.finding.profile.evidence())
        lines = [f"{figures} figures measured in {self.seconds:.0f} s, written to {self.path}"]
        if self.choice is None:
            lines.append(f"edge uses this file where EDGE_PROFILE={self.path} is set")
        else:
            lines += [f"{name.replace('_', ' ')}: {reason}" for name, reason in self.choice.reasons.items()]
        return "\n".join([*lines, *self.notes, *self._missing_lines()])

    def _missing_lines(self) -> list[str]:
        """One, with an example: a slow machine misses dozens for the same reason."""
        missing = self.finding.missing
        more = f", and {len(missing) - 1} more figures (--json names them)" if len(missing) > 1 else ""
        return [f"{missing[0]}{more}"] if missing else []


def save_profile_of_this_machine(path: str, model: str | None) -> Saved:
    """path "": where edge looks for it. Raises RequestError (no place for it), ModelFileError, DoesNotFit."""
    started_at = time.perf_counter()
    machine = Machine.here()
    places = ProfilePlaces.of(machine, os.environ)
    target = Path(path).expanduser() if path else places.saved
    if target is None:
        raise RequestError("--save: there is no home and no cache folder, so it needs a path")
    if target.is_dir() or not _is_writable(target):
        raise RequestError(f"--save: {target} cannot be written")  # said now, not after a minute
    load = load_average()
    notes: list[str] = []
    if load > _BUSY * machine.num_cores:
        notes.append(f"the machine was busy (load {load:.1f} on {machine.num_cores} cores): it can do more than this")
    sample, file = None, None
    if model is not None:
        file = resolve(model)
        with open_gguf(file) as gguf:
            sample = Sample.of(gguf)
    folder = target.parent if places.saved is None else places.saved.parent
    with ProgressBar("measuring") as bar:
        finding = full_probe(machine, folder, sample=sample, file=file, on_progress=bar)
    save_profile(finding.profile, target)
    choice = tune(Asked(), None, os.environ) if target == places.saved and not places.off else None
    return Saved(target, time.perf_counter() - started_at, finding, tuple(notes), choice)


def _is_writable(path: Path) -> bool:
    """Whether a file could be made there, folders and all."""
    there = next(folder for folder in path.absolute().parents if folder.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
