"""The file of `edge run --tools`: a JSON array of function tools, or an object that holds one as "tools"."""

from __future__ import annotations

from typing import Any, cast

from edge.cli.text_file import parse_json, read_text
from edge.errors import RequestError
from edge.tools import function_tools


def read_tools(path: str) -> list[dict[str, Any]]:
    """The tools of a file, checked. Raises RequestError with the file and the place in it."""
    try:
        return function_tools(_parse(read_text(path)))
    except RequestError as error:
        raise RequestError(f"--tools {path}: {error}") from None


def _parse(text: str) -> object:
    value: object = parse_json(text)
    if isinstance(value, dict):
        if "tools" not in value:
            raise RequestError('an object without the key "tools"; give an array of tools, or {"tools": [...]}')
        value = cast("dict[str, object]", value)["tools"]
    return value
