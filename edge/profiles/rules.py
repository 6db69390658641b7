"""Rules for the values of a profile: a rule says what a value must be, or nothing when the value passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

Rule = Callable[[object], str | None]

MAX_NOTE = 600  # characters of a method or a note
_MAX_SHOWN = 80
_FEATURE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_MATRIX = re.compile(r"[A-Z][A-Z0-9_]{1,15} [1-9]\d{0,8} x [1-9]\d{0,8}")
_COUNTED = re.compile(r"[1-9]\d{0,5} x (.+)")
_OPTION = re.compile(r"[A-Za-z0-9_.-]{1,64}=[\x20-\x7e]{0,200}")
_ADDRESS = re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?")


def text(most: int = 100) -> Rule:
    """Printable, so that a message or a table that shows it stays one line; no space at either end."""

    def rule(value: object) -> str | None:
        good = isinstance(value, str) and 0 < len(value) <= most and value.isprintable() and value == value.strip()
        return None if good else f"a line of 1 to {most} characters"

    return rule


def one_of(*choices: str) -> Rule:
    def rule(value: object) -> str | None:
        return None if isinstance(value, str) and value in choices else "one of " + ", ".join(choices)

    return rule


def whole(most: int) -> Rule:
    def rule(value: object) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
        return None if good else f"a whole number from 1 to {most}"

    return rule


def positive(most: float) -> Rule:
    """A number over zero; comparing refuses nan and infinity as well."""

    def rule(value: object) -> str | None:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most
        return None if good else f"a number over 0, at most {most:g}"

    return rule


def flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def feature_names(value: object) -> str | None:
    items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    good = 1 <= len(items) <= 64 and len(set(map(repr, items))) == len(items)
    good = good and all(isinstance(item, str) and _FEATURE.fullmatch(item) for item in items)
    return None if good else "an array of 1 to 64 different names in lower case, as /proc/cpuinfo writes them"


def matrix_text(value: object) -> str | None:
    good = isinstance(value, str) and _MATRIX.fullmatch(value)
    return None if good else 'a type, rows and columns, as "Q4_0 2048 x 5632"'


def matrix_counts(value: object) -> str | None:
    items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    matches = [_COUNTED.fullmatch(item) if isinstance(item, str) else None for item in items]
    good = 1 <= len(items) <= 64 and all(match is not None and matrix_text(match[1]) is None for match in matches)
    return None if good else 'an array of 1 to 64 texts of count, type, rows and columns, as "22 x Q4_0 2048 x 5632"'


def option_texts(value: object) -> str | None:
    items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    keys = [item.partition("=")[0] for item in items if isinstance(item, str) and _OPTION.fullmatch(item)]
    good = 1 <= len(items) <= 64 and len(set(keys)) == len(items)
    return None if good else 'an array of 1 to 64 texts with different keys, as "htp_arch=75"'


def some_of(*choices: str) -> Rule:
    def rule(value: object) -> str | None:
        items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
        good = bool(items) and len(set(map(repr, items))) == len(items) and all(item in choices for item in items)
        return None if good else "an array of different ones of " + ", ".join(choices)

    return rule


def address(value: object) -> str | None:
    good = isinstance(value, str) and len(value) <= MAX_NOTE and value.isprintable() and _ADDRESS.fullmatch(value)
    return None if good else "the https:// address of a page"


def shown(value: object) -> str:
    """A value from a file in a message: short, whatever it is."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "an array"
    if isinstance(value, int) and value.bit_length() > 64:  # repr refuses integers of thousands of digits
        return f"an integer of {value.bit_length()} bits"
    if not isinstance(value, (str, bool, int, float)):
        return f"a {type(value).__name__}"
    line = repr(value)
    return line if len(line) <= _MAX_SHOWN else line[:_MAX_SHOWN] + "..."
