"""The form of `edge run`: --schema FILE, --regex REGEX or --grammar FILE."""

from __future__ import annotations

import sys
from typing import Any

from edge.cli.text_file import parse_json, read_text
from edge.errors import RequestError


def read_form(schema: str | None, regex: str | None, grammar: str | None) -> dict[str, Any]:
    """Keywords of Model.stream, checked before the model is loaded; {} when nothing is asked for. RequestError."""
    given = {"--schema": schema, "--regex": regex, "--grammar": grammar}
    names = [name for name, value in given.items() if value is not None]
    if not names:
        return {}
    if len(names) > 1:
        raise RequestError(f"{' and '.join(names)} cannot hold an answer to two forms; give one of them")

    from edge.grammar import grammar_of

    name, value = names[0], given[names[0]]
    assert value is not None
    try:
        if regex is not None:
            return {"grammar": grammar_of(regex=regex)}
        text = _read_stdin() if schema == "-" else read_text(value)
        return {"grammar": grammar_of(grammar=text) if schema is None else grammar_of(schema=parse_json(text, _unique))}
    except RequestError as error:
        raise RequestError(f"{name} {value}: {error}" if regex is None else str(error)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys all count."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise RequestError(f"the key {twice[:80]!r} stands twice in an object")
    return found


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"not UTF-8 at byte {error.start}") from None
