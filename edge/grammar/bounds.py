"""How large and how deep a schema or grammar may be, before anything recursive or costly looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from edge.errors import RequestError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_RULES", "check_depth", "check_size"]

MAX_BYTES = 64 << 10
MAX_DEPTH = 64
MAX_RULES = 512  # or definitions: one may refer to the next, and that chain is followed recursively


def check_size(text: str, what: str) -> None:
    """RequestError: more than MAX_BYTES of UTF-8, or not Unicode."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise RequestError(f"{what}: character {error.start} is half of a surrogate pair") from None
    if size > MAX_BYTES:
        raise RequestError(f"{what} has {size} bytes, at most {MAX_BYTES} are allowed")
    if not text.strip():
        raise RequestError(f"{what} is empty")


def check_depth(value: object, what: str) -> None:
    """RequestError: JSON of more than MAX_DEPTH levels, of more values than MAX_BYTES, or no JSON at all."""
    stack: list[tuple[object, int]] = [(value, 1)]
    left = MAX_BYTES
    while stack:
        item, depth = stack.pop()
        left -= 1
        if depth > MAX_DEPTH:
            raise RequestError(f"{what} is nested more than {MAX_DEPTH} levels deep")
        if isinstance(item, Mapping):
            mapping = cast("Mapping[object, object]", item)
            for key in mapping:
                if not isinstance(key, str):
                    raise RequestError(f"{what} has a key of type {type(key).__name__}, it must be text")
            stack.extend((inner, depth + 1) for inner in mapping.values())
        elif isinstance(item, Sequence) and not isinstance(item, (str, bytes, bytearray)):
            stack.extend((inner, depth + 1) for inner in cast("Sequence[object]", item))
        elif not (item is None or isinstance(item, (str, int, float, bool))):
            raise RequestError(f"{what} holds a value of type {type(item).__name__}, which JSON has not")
        if left < len(stack):
            raise RequestError(f"{what} holds more than {MAX_BYTES} values")
