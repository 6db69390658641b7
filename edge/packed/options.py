"""What the user decides about packed files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from edge.errors import RequestError

__all__ = ["CacheOptions", "Residency", "flag_from"]

# mapped: pages of the packed file, shared between processes. owned: memory of this process, in huge pages.
Residency: TypeAlias = Literal["mapped", "owned"]

SMALLEST_BYTES = 32 * 2**20  # of packed weights: less is packed in milliseconds, and no file is worth it
_FALSE = frozenset({"", "0", "f", "false", "n", "no", "off"})


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """enabled: whether packed files are read and written. verify: check all their bytes before use.

    folder: the only place for them (None: beside the model). user_folder: where they go when they cannot lie beside the
    model (None: nowhere). Raises RequestError for an unknown residency.
    """

    enabled: bool = True
    residency: str = "mapped"
    folder: Path | None = None
    user_folder: Path | None = None
    verify: bool = False
    smallest_bytes: int = SMALLEST_BYTES

    def __post_init__(self) -> None:
        known = get_args(Residency)
        if self.residency not in known:
            raise RequestError(f"residency is {self.residency!r}; it must be one of {', '.join(known)}")


def flag_from(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable is set to anything but "", 0, false, no or off."""
    return environment.get(name, "").strip().lower() not in _FALSE
