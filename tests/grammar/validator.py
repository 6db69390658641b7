"""An independent judge of answers: the jsonschema package, with decimal numbers, so that 40.4 is a multiple of 0.1."""

from __future__ import annotations

import copy
import importlib
import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

_jsonschema: Any = importlib.import_module("jsonschema")
_Judge: Any = _jsonschema.Draft202012Validator
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
# Of RFC 3339, which jsonschema itself leaves to another package.
_SHAPES = {"time": _TIME, "date-time": rf"[0-9]{{4}}-[01][0-9]-[0-3][0-9][t ]{_TIME}"}
_FORMATS: Any = copy.deepcopy(_Judge.FORMAT_CHECKER)


def _is_date(value: object) -> bool:
    """RFC 3339 has a year 0, which is a leap year as 2000 is; Python's calendar, and so jsonschema's, begins later."""
    if not isinstance(value, str):
        return True
    year, _, rest = value.partition("-")
    whole = re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII)
    return whole is not None and bool(date.fromisoformat(f"{'2000' if year == '0000' else year}-{rest}"))


_FORMATS.checks("date", raises=ValueError)(_is_date)


def problem(text: str, schema: dict[str, Any]) -> str | None:
    """What is wrong with an answer, None when nothing is."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as reason:
        return f"not JSON: {reason}"
    shape = _SHAPES.get(schema.get("format", ""))
    if shape is not None and not re.fullmatch(shape, value, re.IGNORECASE):
        return f"no {schema['format']}"
    exact = json.loads(json.dumps(schema), parse_float=Decimal)
    error = next(iter(_Judge(exact, format_checker=_FORMATS).iter_errors(value)), None)
    return None if error is None else str(error.message)
