"""Writes a profile as TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from edge.profiles.profile import FORMAT, Profile
from edge.profiles.reader import parse_profile
from edge.profiles.records import Evidence, Record


def to_toml(profile: Profile) -> str:
    """The text of a profile's file. BadProfile: so much that the reader would refuse it."""
    blocks = [f"format = {FORMAT}\n"]
    for place, record in profile.tables():
        name, bracket, _ = place.partition("[")
        header = f"[[{name}]]" if bracket else f"[{name}]"
        blocks.append("\n".join([header, *_lines(record), ""]))
    text = "\n".join(blocks)
    parse_profile(text.encode(), "the profile to write")
    return text


def _lines(record: Record) -> Iterator[str]:
    proof: Evidence | None = None
    for field in fields(cast("Any", record)):
        value: object = getattr(record, field.name)
        if isinstance(value, Evidence):
            proof = value  # at the end, below the figures
        elif value is not None:
            yield f"{field.name} = {_toml(value)}"
    if proof is not None:
        yield from _lines(proof)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # the rules let no control character in
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in cast("tuple[object, ...]", value)) + "]"
    return repr(value)
