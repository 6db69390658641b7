"""JSON schemas for tests, made systematically: every keyword alone, in combination, and inside one another.

Answers to them are short enough for a model that writes byte by byte, whatever its weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

Schema = dict[str, Any]

SCALARS: dict[str, Schema] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": -999, "maximum": 999},
    "number": {"type": "number", "minimum": -10, "maximum": 10, "multipleOf": 0.25},
    "string": {"type": "string", "maxLength": 8},
    "enum": {"enum": ["red", "green", "light blue", 7, None, True]},
    "date": {"type": "string", "format": "date"},
    "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
}
PATTERNS = (
    "^[a-z]{1,6}$",
    "^a|b$",
    "^(cat|dog|\u00e9l\u00e8ve)$",
    "^\\d{3}-\\d{4}$",
    "^[^a-z\\s]{2,4}$",
    "^x?y{2,3}z*w$",
    "^(?:ab){1,3}$",
    "^[\\w.]{1,5}@[a-z]{1,5}\\.(com|org)$",
    "^\\$[0-9]{1,3}\\.[0-9]{2}$",
    "^#[0-9a-fA-F]{6}$",
    "^\u65e5\u672c[\u8a9e\u4eba]$",
    '^"quoted"\\\\$',
    "^(0|[1-9][0-9]{0,3})$",
    "^\u00fc{2}$",
)
FORMATS = ("date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uuid")
TEXTS = (
    "",
    "a",
    "two words",
    "caf\u00e9",
    "\u65e5\u672c\u8a9e",
    "\U0001f600",
    'a "quote"',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "\u2028",
)
PAIRS = ((0, 0), (0, 9), (-5, 5), (-120, -7), (3, 1000), (99, 101), (-1, 100000), (12345, 12399))


def schemas() -> dict[str, Schema]:
    """By name."""
    made: dict[str, Schema] = {}
    for make in (_numbers, _strings, _arrays, _objects, _unions, _references, _whole):
        for name, schema in make():
            assert name not in made, name
            made[name] = schema
    return made


def _closed(properties: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    wanted = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": wanted, "additionalProperties": False, **more}


def _numbers() -> Iterator[tuple[str, Schema]]:
    for low, high in PAIRS:
        yield f"integer {low}..{high}", {"type": "integer", "minimum": low, "maximum": high}
        yield f"number {low}..{high}", {"type": "number", "minimum": low, "maximum": high, "multipleOf": 0.5}
        if high - low > 1:
            bounds = {"exclusiveMinimum": low, "exclusiveMaximum": high}
            yield f"integer {low}<..<{high}", {"type": "integer", **bounds}
            yield f"number {low}<..<{high}", {"type": "number", "multipleOf": 0.01, **bounds}
    for step in (2, 5, 7, 10, 360):
        yield f"multiple of {step}", {"type": "integer", "multipleOf": step, "minimum": -5000, "maximum": 5000}
    for fraction in (0.1, 0.5, 2.5):
        yield f"number, multiple of {fraction}", {"type": "number", "multipleOf": fraction, "minimum": 0, "maximum": 50}
    for value in (0, -7, 3.5, 10**6):
        yield f"const {value}", {"const": value}


def _strings() -> Iterator[tuple[str, Schema]]:
    for least, most in ((0, 0), (1, 1), (0, 4), (3, 8), (10, 12), (20, 30)):
        yield f"string of {least}..{most}", {"type": "string", "minLength": least, "maxLength": most}
    for pattern in PATTERNS:
        yield f"pattern {pattern}", {"type": "string", "pattern": pattern, "maxLength": 24}
    for form in FORMATS:
        yield f"format {form}", {"type": "string", "format": form, "maxLength": 60}
    yield "pattern and length", {"type": "string", "pattern": "^[a-z]+$", "minLength": 3, "maxLength": 6}
    yield "pattern inside", {"type": "string", "pattern": "[0-9]{2}", "maxLength": 10}
    for index, text in enumerate(TEXTS):
        yield f"const text {index}", {"const": text}
    yield "enum of texts", {"type": "string", "enum": list(TEXTS)}


def _arrays() -> Iterator[tuple[str, Schema]]:
    for (name, item), (least, most) in product(SCALARS.items(), ((0, 2), (2, 2), (1, 4))):
        yield f"array of {least}..{most} {name}", {"type": "array", "items": item, "minItems": least, "maxItems": most}
    scalars = list(SCALARS.values())
    for count in (1, 3, 5):
        prefix = {"type": "array", "prefixItems": scalars[:count], "minItems": count}
        yield f"tuple of {count}", {**prefix, "items": False}
        yield f"tuple of {count} and more", {**prefix, "items": {"type": "boolean"}, "maxItems": count + 2}
    nested: Schema = {"type": "integer", "minimum": 0, "maximum": 9}
    for depth in range(1, 6):
        nested = {"type": "array", "items": nested, "minItems": 1, "maxItems": 2}
        yield f"arrays {depth} deep", nested
    yield "no items", {"type": "array", "maxItems": 0}


def _objects() -> Iterator[tuple[str, Schema]]:
    names = list(SCALARS)
    for name, schema in SCALARS.items():
        yield f"property {name}", _closed({"value": schema})
        yield f"optional {name}", _closed({"value": schema}, required=[])
    for count in (2, 4, 8):
        for required in (0, count // 2, count):
            chosen = names[:count]
            properties = {name: SCALARS[name] for name in chosen}
            yield f"{required} of {count} required", _closed(properties, required=chosen[count - required :])
    nested: Schema = {"type": "integer", "minimum": 0, "maximum": 9}
    for depth in range(1, 8):
        nested = _closed({f"level {depth}": nested})
        yield f"objects {depth} deep", nested
    for index, key in enumerate(
        ("caf\u00e9", "\u65e5\u672c", 'a"b', "back\\slash", "", "with space", "\U0001f600", "$ref", "type")
    ):
        yield f"property name {index}", _closed({key: {"type": "boolean"}})
    for low, high in ((0, 1), (1, 1), (1, 3)):
        extra: Schema = {"type": "object", "minProperties": low, "maxProperties": high}
        yield f"map of {low}..{high}", {**extra, "additionalProperties": {"type": "boolean"}}
    yield (
        "patterned names",
        {
            "type": "object",
            "patternProperties": {
                "^n_[a-z]{1,3}$": {"type": "integer", "minimum": 0, "maximum": 9},
                "^b[0-9]$": {"type": "boolean"},
            },
            "additionalProperties": False,
            "maxProperties": 3,
        },
    )


def _unions() -> Iterator[tuple[str, Schema]]:
    items = list(SCALARS.items())
    for index, (name, one) in enumerate(items):
        for other_name, other in items[index + 1 :: 2]:
            yield f"{name} or {other_name}", {"anyOf": [one, other]}
            yield f"property {name} or {other_name}", _closed({"x": {"anyOf": [one, other]}})
    for types in (["string", "null"], ["integer", "boolean"], ["null", "boolean", "integer"]):
        yield f"types {types}", {"type": types, "maxLength": 5, "minimum": 0, "maximum": 99}
    shapes = {
        "circle": {"radius": SCALARS["number"]},
        "square": {"side": SCALARS["integer"]},
        "label": {"text": SCALARS["string"]},
    }
    tagged = [_closed({"kind": {"const": kind}, **fields}) for kind, fields in shapes.items()]
    yield "tagged oneOf", {"oneOf": tagged}
    yield "tagged anyOf", {"anyOf": tagged}
    yield "array of tagged", {"type": "array", "items": {"oneOf": tagged}, "minItems": 1, "maxItems": 2}
    yield "oneOf of types", {"oneOf": [SCALARS["integer"], SCALARS["string"], {"type": "null"}]}
    yield "allOf numbers", {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 9}]}
    yield "allOf strings", {"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 4}, {"pattern": "^[a-d]+$"}]}
    parts = [
        {"properties": {"a": SCALARS["integer"]}, "required": ["a"]},
        {"properties": {"b": SCALARS["boolean"]}, "required": ["b"]},
    ]
    yield "allOf objects", {"type": "object", "allOf": parts, "maxProperties": 2}


def _references() -> Iterator[tuple[str, Schema]]:
    for name, schema in SCALARS.items():
        yield (
            f"$ref to {name}",
            {"$defs": {"it": schema}, **_closed({"first": {"$ref": "#/$defs/it"}, "second": {"$ref": "#/$defs/it"}})},
        )
    yield "definitions", {"definitions": {"x": SCALARS["code"]}, "$ref": "#/definitions/x"}
    yield (
        "$ref with a sibling",
        {"$defs": {"s": {"type": "string", "maxLength": 9}}, "$ref": "#/$defs/s", "minLength": 3},
    )
    yield "$ref through a property", _closed({"a": SCALARS["integer"], "b": {"$ref": "#/properties/a"}})
    yield "escaped pointer", {"$defs": {"a/b~c": SCALARS["boolean"]}, "$ref": "#/$defs/a~1b~0c"}
    chain: Schema = {f"d{index}": {"$ref": f"#/$defs/d{index + 1}"} for index in range(20)}
    yield "chain of $ref", {"$defs": {**chain, "d20": SCALARS["integer"]}, "$ref": "#/$defs/d0"}
    leaf = {"type": "integer", "minimum": 0, "maximum": 9}
    yield (
        "tree",
        {
            "$defs": {"node": {"anyOf": [leaf, {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}]}},
            "$ref": "#/$defs/node",
        },
    )
    yield "list", _closed({"value": leaf, "next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}})
    yield (
        "mutual",
        {
            "$defs": {
                "even": _closed({"odd": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/odd"}]}}),
                "odd": _closed({"even": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/even"}]}}),
            },
            "$ref": "#/$defs/even",
        },
    )


def _whole() -> Iterator[tuple[str, Schema]]:
    """As programs ask for, notes included."""
    text = {"type": "string", "maxLength": 12}
    yield "person", {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Person",
        **_closed({
            "name": {**text, "description": "as on the passport", "examples": ["Ada"]},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "born": {"anyOf": [SCALARS["date"], {"type": "null"}], "default": None},
            "tags": {"type": "array", "items": {"enum": ["new", "vip", "blocked"]}, "maxItems": 3},
        }),
    }  # fmt: skip
    yield "invoice", {
        "$defs": {"line": _closed({"item": text, "count": {"type": "integer", "minimum": 1, "maximum": 99}})},
        **_closed({
            "number": {"type": "string", "pattern": "^INV-[0-9]{4}$"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 2},
            "paid": {"type": "boolean"},
            "total": {"type": "number", "minimum": 0, "maximum": 10000, "multipleOf": 0.01},
        }),
    }  # fmt: skip
    calls: dict[str, Schema] = {
        "get_weather": {"city": text, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "set_timer": {"minutes": {"type": "integer", "minimum": 1, "maximum": 180}},
    }
    options = [_closed({"name": {"const": name}, "arguments": _closed(calls[name])}) for name in calls]
    yield "tool call", {"oneOf": options}
    yield "rating", _closed({"reason": text, "score": {"type": "integer", "enum": [1, 2, 3, 4, 5]}})
