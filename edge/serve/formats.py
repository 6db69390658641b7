"""`response_format`: what holds an answer to JSON."""

from __future__ import annotations

import re
from typing import Any, cast

from edge.serve.api_error import refused, shown
from edge.serve.fields import Fields

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_DESCRIPTION = 4096  # bytes


def take_schema(fields: Fields) -> dict[str, Any] | None:
    """The JSON schema that the answer must have; None for text. What of it cannot be enforced, the engine refuses."""
    form = fields.inner("response_format")
    if form is None:
        return None
    kind = form.needed("type")
    schema: dict[str, Any] | None = None
    if kind == "json_object":
        schema = {"type": "object"}
    elif kind == "json_schema":
        inner = form.inner("json_schema")
        if inner is None:
            raise refused("response_format.json_schema", "is missing", "missing_required_parameter")
        schema = _json_schema(inner)
    elif kind != "text":
        raise refused("response_format.type", f'is {shown(kind)}, it must be "text", "json_object" or "json_schema"')
    form.end()
    return schema


def _json_schema(fields: Fields) -> dict[str, Any]:
    """name and description are labels. strict: an answer always has the whole schema, so either value is honoured."""
    name = fields.needed("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refused(fields.path("name"), f"is {shown(name)}, it must be 1 to 64 letters, digits, _ or -")
    fields.text("description", max_bytes=_MAX_DESCRIPTION)
    fields.flag("strict")
    schema = fields.needed("schema")
    if not isinstance(schema, dict):
        raise refused(fields.path("schema"), f"is {shown(schema)}, it must be an object", "invalid_type")
    fields.end()
    return cast("dict[str, Any]", schema)
