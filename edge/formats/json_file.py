"""JSON from a folder that nobody vouches for: no duplicate keys, every value checked when it is asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeGuard, cast

from edge.errors import BadModelFile
from edge.formats.cursor import quoted

__all__ = ["Fields", "is_list", "is_object", "parse_list", "parse_object"]

_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a text", list: "a list", dict: "an object"}


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def parse_object(path: Path, data: bytes | memoryview, where: str = "") -> dict[str, Any]:
    """The JSON object in `data`. `where` names it in errors when it is not the whole file. BadModelFile: not one."""
    prefix = f"{where}: " if where else ""
    value = _parse(path, data, prefix)
    if not is_object(value):
        raise BadModelFile(path, f"{prefix}is {_what(value)}, wanted an object")
    return value


def parse_list(path: Path, data: bytes | memoryview) -> list[Any]:
    """The JSON list in `data`. BadModelFile: not one."""
    value = _parse(path, data, "")
    if not is_list(value):
        raise BadModelFile(path, f"is {_what(value)}, wanted a list")
    return value


def _parse(path: Path, data: bytes | memoryview, prefix: str) -> object:
    try:
        text = str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise BadModelFile(path, f"{prefix}not UTF-8 at byte {error.start}") from None
    text = text.removeprefix("\ufeff")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for index, key in enumerate(keys) if key in keys[:index])
            raise BadModelFile(path, f"{prefix}key {quoted(twice)} is there twice")
        return found

    try:
        value: object = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise BadModelFile(path, f"{prefix}not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise BadModelFile(path, f"{prefix}JSON nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise BadModelFile(path, f"{prefix}not JSON: {error}") from None
    return value


class Fields:
    """The keys of a JSON object, by type. A key that is null counts as not there.

    Every accessor raises BadModelFile, naming file, key, value and limit, for a value of another type or out of range,
    and for a missing key when there is no default.
    """

    def __init__(self, path: Path, values: Mapping[str, Any], prefix: str = "") -> None:
        self.path, self._values, self._prefix = path, values, prefix

    def has(self, key: str) -> bool:
        return self._values.get(key) is not None

    def keys(self) -> Sequence[str]:
        return tuple(self._values)

    def get_int(self, key: str, default: int | None = None, *, minimum: int, maximum: int) -> int:
        value = cast("int", self._get(key, (int,), default))
        if not minimum <= value <= maximum:
            self.fail(key, f"is {str(value)[:40]}, wanted {minimum} to {maximum}")
        return value

    def get_float(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        try:
            value = float(cast("float", self._get(key, (int, float), default)))
        except OverflowError:
            self.fail(key, "is beyond what a float holds")
        if not math.isfinite(value):
            self.fail(key, f"is {value}, wanted a finite number")
        return value

    def get_bool(self, key: str, default: bool | None = None) -> bool:
        return cast("bool", self._get(key, (bool,), default))

    def get_str(self, key: str, default: str | None = None) -> str:
        value = cast("str", self._get(key, (str,), default))
        self.check_text(key, value)
        return value

    def get_list(self, key: str, default: list[Any] | None = None) -> list[Any]:
        return cast("list[Any]", self._get(key, (list,), default))

    def get_floats(self, key: str) -> list[float]:
        """A list of finite numbers."""
        values = self.get_list(key)
        for index, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                self.fail(key, f"has {_what(value)} at {index}, wanted finite numbers")
        return [float(value) for value in values]

    def get_object(self, key: str) -> Fields | None:
        """The object behind a key, None when there is none."""
        if not self.has(key):
            return None
        return Fields(self.path, cast("dict[str, Any]", self._get(key, (dict,), None)), f"{self._prefix}{key}.")

    def value(self, key: str) -> Any:
        """Whatever is there, None when nothing is."""
        return self._values.get(key)

    def check_text(self, key: str, text: str) -> None:
        """BadModelFile for text that no file can hold: half of a surrogate pair."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self.fail(key, f"is no Unicode text: half of a surrogate pair at character {error.start}")

    def fail(self, key: str, message: str) -> NoReturn:
        raise BadModelFile(self.path, f"key {quoted(self._prefix + key)} {message}")

    def _get(self, key: str, types: tuple[type, ...], default: object) -> object:
        value = self._values.get(key)
        if value is None:
            if default is None:
                raise BadModelFile(self.path, f"missing key {quoted(self._prefix + key)}")
            return default
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            self.fail(key, f"is {_what(value)}, wanted {_NAMES[types[-1]]}")
        return value


def _what(value: object) -> str:
    """A value in a message: its kind, and itself where it is short."""
    if is_list(value):
        return "a list"
    if is_object(value):
        return "an object"
    return quoted(value) if isinstance(value, str) else str(value)[:40]
