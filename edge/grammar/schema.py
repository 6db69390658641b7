"""JSON schemas, as far as they can be enforced: every keyword is, or is refused by name and place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from edge.errors import RequestError
from edge.grammar.bounds import MAX_RULES, check_depth, check_size
from edge.grammar.guidance import check_grammar, matcher_class

__all__ = ["checked_schema", "schema_grammar", "written_schema"]

ENFORCED = frozenset(
    "anyOf oneOf allOf $ref const enum type items additionalItems prefixItems minItems maxItems properties "
    "additionalProperties patternProperties required minProperties maxProperties minLength maxLength pattern format "
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split()
)
# What says something about the schema and nothing about the value.
NOTES = frozenset(
    "$schema $id id $anchor $comment $defs definitions $vocabulary title description default examples example "
    "deprecated readOnly writeOnly contentMediaType contentEncoding contentSchema discriminator externalDocs "
    "xml".split()
)
FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid uri".split())
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "definitions")
_SINGLE = ("additionalProperties", "additionalItems", "items")
_OLD_DRAFTS = ("draft-04", "draft-06", "draft-07", "2019-09")  # that know no prefixItems

# One way to write a value, that of json.dumps: nothing for a small model to loop on, and the most forced tokens.
_WRITING: Any = {
    "item_separator": ", ",
    "key_separator": ": ",
    "whitespace_flexible": False,
    "lenient": False,
    # No \\u: a key written with it would escape what the schema says of that name.
    "json_allowed_escapes": 'nrbtf\\\\"',
}

# A schema that says of no name what it must be (`json_object`): a model that always writes {"a":1} has tokens for that,
# and would be lost if it must not. One space is all that it may add, so there is still nothing to loop on.
_FREE_WRITING: Any = _WRITING | {"item_separator": ", ?", "key_separator": ": ?"}
_DESCRIBES = frozenset("properties patternProperties prefixItems items anyOf oneOf allOf $ref const enum".split())


def checked_schema(schema: object) -> dict[str, Any]:
    """The schema of a mapping, or of a class with `model_json_schema()` (pydantic's protocol).

    Raises RequestError: no schema, too large or deep, or a keyword that cannot be enforced, with its place.
    """
    method = getattr(schema, "model_json_schema", None)
    value: object = cast("Callable[[], object]", method)() if callable(method) else schema
    if not isinstance(value, Mapping):
        kind = type(value).__name__
        raise RequestError(f"schema is of type {kind}; it must be a JSON schema as a dict, or have model_json_schema()")
    mapping = cast("Mapping[str, Any]", value)
    check_depth(mapping, "schema")
    old = any(draft in str(mapping.get("$schema", "")) for draft in _OLD_DRAFTS)
    num_definitions = 0
    for place, keywords in _schemas(mapping):
        _check_keywords(place, keywords, old)
        num_definitions += len(keywords.get("$defs", ())) + len(keywords.get("definitions", ()))
    if num_definitions > MAX_RULES:
        raise RequestError(f"schema has {num_definitions} definitions, at most {MAX_RULES} are allowed")
    return dict(mapping)


def schema_grammar(schema: Mapping[str, Any]) -> str:
    """A checked schema in llguidance's form. Raises RequestError: it contradicts itself, or takes too much."""
    writing = _WRITING if _DESCRIBES & set(schema) else _FREE_WRITING
    try:
        grammar = matcher_class().grammar_from_json_schema(_json(schema), overrides=writing)
        check_grammar(grammar, "schema")
    except ValueError as error:
        raise RequestError(f"schema: {error}") from None
    except RequestError as error:
        if "coerce_one_of" not in str(error):
            raise
        places = " or ".join(place for place, keywords in _schemas(schema) if "oneOf" in keywords)
        raise RequestError(
            f'schema: "oneOf" at {places} has branches that may overlap, so that "exactly one" cannot be enforced; use '
            "anyOf, or give every branch a required property with a const of its own"
        ) from None
    return grammar


def written_schema(schema: Mapping[str, Any], *, comma: str = ", ", colon: str = ": ") -> str:
    """A checked schema for `%json` in Lark, with our way of writing values but for what stands between them.

    Raises RequestError: it is too large.
    """
    return _json(dict(schema) | {"x-guidance": _WRITING | {"item_separator": comma, "key_separator": colon}})


def _json(schema: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(schema, allow_nan=False)
    except ValueError as error:  # infinite, or a whole number of thousands of digits
        raise RequestError(f"schema: {error}") from None
    check_size(text, "schema")
    return text


def _schemas(root: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, keywords) of the schema and all schemas in it. RequestError: something else where one must be."""
    stack: list[tuple[str, object]] = [("#", root)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, bool):
            continue
        if not isinstance(value, Mapping):
            raise RequestError(f"schema: {place} is of type {type(value).__name__}, it must be a schema")
        keywords = cast("Mapping[str, Any]", value)
        inner = list(_inner(place, keywords))
        yield place, keywords
        stack += inner


def _inner(place: str, keywords: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """(place, what must be a schema) of one level further in."""
    value: object
    for name, value in keywords.items():
        if name not in (*_MAPS, *_LISTS, *_SINGLE):
            continue
        if name in _MAPS and isinstance(value, Mapping):
            for key, item in cast("Mapping[str, object]", value).items():
                yield f"{place}/{name}/{key.replace('~', '~0').replace('/', '~1')}", item
        elif name not in _MAPS and isinstance(value, (list, tuple)):
            for index, item in enumerate(cast("Sequence[object]", value)):
                yield f"{place}/{name}/{index}", item
        elif name in _SINGLE:
            yield f"{place}/{name}", value
        else:
            wanted = "an object" if name in _MAPS else "an array"
            raise RequestError(f'schema: "{name}" at {place} is of type {type(value).__name__}, not {wanted}')


def _check_keywords(place: str, keywords: Mapping[str, Any], old: bool) -> None:
    for name in keywords:
        if name in ENFORCED or name in NOTES or (name.startswith("x-") and name != "x-guidance"):
            continue
        hint = '; write {"anyOf": [..., {"type": "null"}]}' if name == "nullable" else ""
        raise RequestError(f'schema: the keyword "{name}" at {place} is not supported{hint}')
    _check_writable(place, "const", keywords.get("const"))
    _check_writable(place, "enum", keywords.get("enum"))
    _check_writable(place, "properties", list(keywords.get("properties", ())))
    if old and "prefixItems" in keywords:
        raise RequestError(f'schema: "prefixItems" at {place} is no keyword of the draft that "$schema" names')
    if "prefixItems" in keywords and ("additionalItems" in keywords or isinstance(keywords.get("items"), list)):
        raise RequestError(f'schema: "prefixItems" at {place} goes with "items" as a schema and no "additionalItems"')
    if "format" in keywords and str(keywords["format"]) not in FORMATS:
        known = ", ".join(sorted(FORMATS))
        raise RequestError(f'schema: "format" at {place} is {keywords["format"]!r}; it must be one of {known}')
    reference = keywords.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        raise RequestError(f'schema: "$ref" at {place} is {reference[:80]!r}; only places of this schema (#...) can be')
    required: object = keywords.get("required", ())
    least: object = keywords.get("minProperties", 0)
    if not isinstance(required, (list, tuple)):
        raise RequestError(f'schema: "required" at {place} is of type {type(required).__name__}, not an array')
    # Of the properties without a name in the schema, one may come twice: only the first is known to count.
    if isinstance(least, int) and least > len(set(map(str, cast("Sequence[object]", required)))) + 1:
        raise RequestError(
            f'schema: "minProperties" at {place} is {least}; it can be enforced up to one more than is required by name'
        )


def _check_writable(place: str, name: str, value: object) -> None:
    """Refuses texts of fixed values and names that only `\\u` could write."""
    text = json.dumps(value, ensure_ascii=False).replace("\\\\", "")
    if "\\u00" in text or "\x7f" in text:
        raise RequestError(f'schema: "{name}" at {place} holds a control character, which answers cannot')
