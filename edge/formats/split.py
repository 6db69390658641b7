"""Models split into several files, "name-00001-of-00003.gguf": finds the parts and checks that they belong together."""

from __future__ import annotations

import re
from pathlib import Path

from edge.errors import BadModelFile

__all__ = ["part_of", "part_paths"]

MAX_PARTS = 512  # every part keeps a mapping open
_NAME = re.compile(r"(?P<prefix>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def part_of(name: str) -> tuple[str, int, int] | None:
    """(what the names of all parts begin with, number from 0, number of parts) of a part's name; None: not a part."""
    match = _NAME.fullmatch(name)
    if match is None or not 1 <= int(match["number"]) <= int(match["count"]) <= MAX_PARTS:
        return None
    return match["prefix"], int(match["number"]) - 1, int(match["count"])


def part_paths(path: Path, count: int, number: int) -> tuple[Path, ...]:
    """The paths of all `count` parts, of which `path` says that it is number `number` (from 0).

    The names follow from the name that the user gave, never from text inside the file. Raises BadModelFile when name
    and file disagree, and when parts are missing, naming them.
    """
    if count > MAX_PARTS:
        raise BadModelFile(path, f"key 'split.count' is {count}, the limit is {MAX_PARTS}")
    if number >= count:
        raise BadModelFile(path, f"key 'split.no' is {number}, it must be below 'split.count' {count}")
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise BadModelFile(
            path,
            f"is part {number + 1} of {count} (key 'split.count'), but its name does not end in "
            f"-{number + 1:05d}-of-{count:05d}.gguf, so the other parts cannot be found",
        )
    if int(match["count"]) != count or int(match["number"]) != number + 1:
        raise BadModelFile(path, f"is part {number + 1} of {count} by its keys 'split.no' and 'split.count'; rename it")
    paths = tuple(path.with_name(f"{match['prefix']}-{part:05d}-of-{count:05d}.gguf") for part in range(1, count + 1))
    missing = [part.name for part in paths if not part.exists()]
    if missing:
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise BadModelFile(path, f"{len(missing)} of {count} parts are missing beside it: {names}")
    return paths
