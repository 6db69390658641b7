"""Patterns that share their parts: `<part>` in a pattern stands for words that a module names once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PART = re.compile("<([a-z ]+)>")


def wording(parts: Mapping[str, str]) -> Callable[..., tuple[str, ...]]:
    """A function that gives patterns back with each `<part>` replaced; a part may hold another one."""

    def full(pattern: str) -> str:
        while _PART.search(pattern):
            pattern = _PART.sub(lambda match: parts[match.group(1)], pattern)
        return pattern

    def ways(*patterns: str) -> tuple[str, ...]:
        return tuple(full(pattern) for pattern in patterns)

    return ways


def words(text: str) -> tuple[str, ...]:
    """The words of a text that has commas between them."""
    return tuple(part.strip() for part in text.split(","))
