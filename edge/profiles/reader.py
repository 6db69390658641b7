"""Reads a profile from TOML. A profile may come from anywhere, so everything in it is checked before it is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from edge.errors import BadProfile
from edge.profiles.profile import ARRAYS, FORMAT, SINGLE, Profile
from edge.profiles.records import Evidence, Record, optional_keys
from edge.profiles.rules import shown

MAX_BYTES = 128 * 1024  # half a second for the slowest text; some 400 figures
# The time of tomllib grows with the square of the parts of a dotted key.
MAX_DOTS = 24


def load_profile(path: str | os.PathLike[str]) -> Profile:
    """The profile in a file. BadProfile: the file, the table and key, the value and what it must be."""
    try:
        if not Path(path).is_file():
            raise BadProfile(f"{os.fspath(path)}: no such file")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BadProfile(f"{os.fspath(path)}: cannot be read: {error}") from None
    return parse_profile(data, os.fspath(path))


def parse_profile(data: bytes, name: str) -> Profile:
    """The profile in the bytes of a TOML file; `name` stands for the file in messages. Raises BadProfile."""
    try:
        return _profile(_tables(data))
    except BadProfile as error:
        raise BadProfile(f"{name}: {error}") from None


def _tables(data: bytes) -> dict[str, object]:
    if len(data) > MAX_BYTES:
        raise BadProfile(f"is larger than {MAX_BYTES} bytes")
    import tomllib  # takes milliseconds, and most models are loaded without a profile

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadProfile(f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:
            raise BadProfile(f"line {number} has {line.count('.')} dots, at most {MAX_DOTS} are allowed")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"is not TOML: {error}") from None
    except RecursionError:
        raise BadProfile("is nested too deep") from None
    except ValueError:  # an integer of thousands of digits
        raise BadProfile("has a number that is too long") from None


def _profile(tables: dict[str, object]) -> Profile:
    if "format" not in tables:
        raise BadProfile(f"has no format, it must be {FORMAT}")
    if type(tables["format"]) is not int or tables["format"] != FORMAT:
        raise BadProfile(f"format is {shown(tables['format'])}, it must be {FORMAT}")
    if "device" not in tables:
        raise BadProfile("has no [device]")
    parts: dict[str, Any] = {}
    for key, value in tables.items():
        if key in SINGLE:
            if not isinstance(value, dict):
                raise BadProfile(f"{key} is {shown(value)}, it must be a table, [{key}]")
            parts[key] = _record(SINGLE[key], cast("dict[str, object]", value), key)
        elif key in ARRAYS:
            items = cast("list[object]", value) if isinstance(value, list) else [None]
            if not all(isinstance(item, dict) for item in items):
                raise BadProfile(f"{key} is {shown(tables[key])}, it must be an array of tables, [[{key}]]")
            parts[key] = tuple(
                _record(ARRAYS[key], cast("dict[str, object]", item), f"{key}[{index}]")
                for index, item in enumerate(items)
            )
        elif key != "format":
            raise BadProfile(f"has an unknown key {shown(key)}, known are format, {', '.join(SINGLE | ARRAYS)}")
    return Profile(**parts)


def _record(record: type[Record], table: Mapping[str, object], place: str) -> Record:
    keys = [field.name for field in fields(cast("Any", record))]
    proof = [field.name for field in fields(Evidence)] if "evidence" in keys else []
    known = [key for key in keys if key != "evidence"] + proof
    for key in table:
        if key not in known:
            raise BadProfile(f"{place} has an unknown key {shown(key)}, known are {', '.join(known)}")
    optional = optional_keys(record) | optional_keys(Evidence)
    for key in known:
        if key not in table and key not in optional:
            raise BadProfile(f"{place} has no {key}")
    values: dict[str, Any] = {
        key: tuple(cast("list[object]", value)) if isinstance(value, list) else value for key, value in table.items()
    }
    try:
        if proof:
            values["evidence"] = Evidence(**{key: values.pop(key) for key in proof if key in values})
        return record(**values)
    except BadProfile as error:
        raise BadProfile(f"{place}.{error}") from None
