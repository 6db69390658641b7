"""The profiles that come with edge: figures that others published, none of them measured by us."""

from __future__ import annotations

from edge.errors import RequestError
from edge.profiles.profile import Profile
from edge.profiles.reader import parse_profile

_FOLDER = "edge.device_profiles"
_SUFFIX = ".toml"


def shipped() -> tuple[str, ...]:
    """The names of the shipped profiles, sorted: ("intel-n150", ...)."""
    from importlib.resources import files

    names = (item.name for item in files(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_shipped(name: str) -> Profile:
    """A shipped profile by its name. RequestError: there is none of that name."""
    if name not in shipped():
        raise RequestError(f"no device profile {name!r}; there are {', '.join(shipped())}")
    from importlib.resources import files

    return parse_profile((files(_FOLDER) / (name + _SUFFIX)).read_bytes(), name + _SUFFIX)
