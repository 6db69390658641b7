"""The file of `edge run --tools`: a JSON array of function tools, or an object that holds one as "tools"."""

from __future__ import annotations

import json
from typing import Any, cast

from edge.cli.text_file import read_text
from edge.errors import RequestError
from edge.tools import function_tools


def read_tools(path: str) -> list[dict[str, Any]]:
    """The tools of a file, checked. Raises RequestError with the file and the place in it."""
    try:
        return function_tools(_parse(read_text(path)))
    except RequestError as error:
        raise RequestError(f"--tools {path}: {error}") from None


def _parse(text: str) -> object:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise RequestError("nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise RequestError(str(error)) from None
    if isinstance(value, dict):
        if "tools" not in value:
            raise RequestError('an object without the key "tools"; give an array of tools, or {"tools": [...]}')
        value = cast("dict[str, object]", value)["tools"]
    return value
