"""Text files that options name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from edge.errors import RequestError

MAX_BYTES = 8 << 20


def read_text(path: str) -> str:
    """The text of a UTF-8 file, without a byte order mark. RequestError says why not, without the name."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise RequestError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise RequestError(f"larger than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"not UTF-8 at byte {error.start}") from None


def parse_json(text: str, objects: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """objects: makes an object of its pairs. RequestError says what is wrong, and where."""
    try:
        return json.loads(text, object_pairs_hook=objects)
    except json.JSONDecodeError as error:
        raise RequestError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise RequestError("nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise RequestError(str(error)) from None
