"""Device profiles: what a machine can do, figure by figure. device_profiles/README.md has the format."""

from __future__ import annotations

from edge.profiles.levels import levels_of
from edge.profiles.machine import Machine
from edge.profiles.profile import Profile
from edge.profiles.reader import load_profile, parse_profile
from edge.profiles.shipped import load_shipped, shipped
from edge.profiles.writer import to_toml

__all__ = ["Machine", "Profile", "levels_of", "load_profile", "load_shipped", "parse_profile", "shipped", "to_toml"]
