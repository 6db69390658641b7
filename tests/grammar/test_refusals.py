"""What cannot be enforced is refused by name and place; what is too large or too deep before it costs anything."""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

import edge
from edge.errors import GrammarError, RequestError
from edge.grammar import grammar_of
from edge.grammar.bounds import MAX_BYTES

UNSUPPORTED: dict[str, Any] = {
    "not": {"type": "string"},
    "if": {"type": "string"},
    "then": True,
    "else": True,
    "dependentRequired": {"a": ["b"]},
    "dependentSchemas": {"a": True},
    "dependencies": {"a": ["b"]},
    "propertyNames": {"pattern": "^a"},
    "unevaluatedProperties": False,
    "unevaluatedItems": False,
    "uniqueItems": True,
    "contains": {"type": "string"},
    "minContains": 1,
    "maxContains": 2,
    "$dynamicRef": "#a",
    "$dynamicAnchor": "a",
    "$recursiveRef": "#",
    "nullable": True,
    "minLenght": 3,
    "x-guidance": {"lenient": True},
}
PLACES: dict[str, Callable[[Any], Any]] = {
    "#": lambda inner: inner,
    "#/properties/a~1b": lambda inner: {"type": "object", "properties": {"a/b": inner}},
    "#/patternProperties/^x": lambda inner: {"patternProperties": {"^x": inner}},
    "#/additionalProperties": lambda inner: {"type": "object", "additionalProperties": inner},
    "#/items": lambda inner: {"items": inner},
    "#/prefixItems/1": lambda inner: {"prefixItems": [True, inner]},
    "#/anyOf/0": lambda inner: {"anyOf": [inner, {"type": "null"}]},
    "#/$defs/unused": lambda inner: {"$defs": {"unused": inner}, "type": "null"},
    "#/allOf/0/items/oneOf/1": lambda inner: {"allOf": [{"items": {"oneOf": [True, inner]}}]},
}


@pytest.mark.parametrize("keyword", UNSUPPORTED)
def test_unsupported_keywords(keyword: str) -> None:
    for place, put in PLACES.items():
        with pytest.raises(RequestError) as caught:
            grammar_of(schema=put({keyword: UNSUPPORTED[keyword]}))
        assert f'"{keyword}" at {place} ' in str(caught.value) + " "


def _nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no schema": ({"schema": 7}, "of type int"),
    "a text": ({"schema": "{}"}, "of type str"),
    "a class without a schema": ({"schema": dict}, "of type type"),
    "two forms": ({"schema": {}, "regex": "a"}, "schema and regex cannot hold"),
    "a regex of bytes": ({"regex": b"a"}, "regex is of type bytes"),
    "unknown format": ({"schema": {"format": "isbn"}}, "\"format\" at # is 'isbn'"),
    "another document": ({"schema": {"items": {"$ref": "http://x/y"}}}, '"$ref" at #/items'),
    "a file": ({"schema": {"$ref": "file:///etc/passwd"}}, '"$ref" at # is'),
    "no such place": ({"schema": {"$ref": "#/$defs/x"}}, "/$defs/x"),
    "unknown type": ({"schema": {"type": "strng"}}, "strng"),
    "overlapping oneOf": (
        {"schema": {"items": {"oneOf": [{"type": "string"}, {"type": "string"}]}}},
        '"oneOf" at #/items',
    ),
    "contradiction": ({"schema": {"type": "integer", "minimum": 5, "maximum": 3}}, "minimum (5)"),
    "false": ({"schema": {"type": "object", "properties": {"a": False}, "required": ["a"]}}, "'a' is unsatisfiable"),
    "a map with a least size": ({"schema": {"type": "object", "minProperties": 2}}, '"minProperties" at # is 2'),
    "pattern": ({"schema": {"pattern": "(a"}}, "unclosed group"),
    "look-around in a pattern": ({"schema": {"pattern": "^(?!a)b"}}, "look-around"),
    "draft 7 with prefixItems": (
        {"schema": {"$schema": "http://json-schema.org/draft-07/schema#", "prefixItems": [True]}},
        '"prefixItems" at #',
    ),
    "properties in a list": ({"schema": {"properties": [1]}}, '"properties" at # is of type list'),
    "anyOf in an object": ({"schema": {"anyOf": {}}}, '"anyOf" at # is of type dict'),
    "a schema that is a number": ({"schema": {"items": 5}}, "#/items is of type int"),
    "a control character": ({"schema": {"enum": ["a", ["\u0001"]]}}, '"enum" at # holds a control character'),
    "a control character in a name": ({"schema": {"properties": {"\x7f": True}}}, '"properties" at # holds'),
    "a format that is a list": ({"schema": {"format": ["date"]}}, '"format" at # is'),
    "properties that are a number": ({"schema": {"properties": 5}}, '"properties" at # is of type int'),
    "definitions that are nothing": ({"schema": {"$defs": None}}, '"$defs" at # is of type NoneType'),
    "required that is a text": ({"schema": {"required": "a"}}, '"required" at # is of type str'),
    "items that are nothing": ({"schema": {"items": None}}, "#/items is of type NoneType"),
    "half a character in a schema": ({"schema": {"const": "\ud800"}}, "schema:"),
    "a limit that is a text": ({"schema": {"type": "string", "maxLength": "9"}}, "maxLength"),
    "no JSON": ({"schema": {"const": {1, 2}}}, "of type set"),
    "keys that are numbers": ({"schema": {"properties": {1: {}}}}, "key of type int"),
    "infinity": ({"schema": {"maximum": float("inf")}}, "schema:"),
    "half a character": ({"regex": "\ud800"}, "surrogate"),
    "deep": ({"schema": _nested(65)}, "nested more than 64"),
    "deeper than Python's stack": ({"schema": _nested(5000)}, "nested more than 64"),
    "long": ({"schema": {"enum": ["x" * MAX_BYTES]}}, "at most 65536"),
    "long regex": ({"regex": "a" * MAX_BYTES + "b"}, "at most 65536"),
    "many definitions": ({"schema": {"$defs": {f"d{i}": True for i in range(513)}}}, "513 definitions"),
    "regex": ({"regex": "(a"}, "unclosed group"),
    "empty regex": ({"regex": ""}, "regex is empty"),
    "deep regex": ({"regex": "(" * 20000 + "a" + ")" * 20000}, "regex:"),
    "look-around": ({"regex": "(?=a)b"}, "look-around"),
    "back-reference": ({"regex": r"(a)\1"}, "backreferences"),
    "grammar": ({"grammar": "start: foo"}, 'unknown name: "foo"'),
    "no start": ({"grammar": 'b: "a"'}, "no start rule"),
    "deep grammar": ({"grammar": "start: " + "(" * 30000 + '"a"' + ")" * 30000}, "too deeply nested"),
    "long chain of rules": ({"grammar": "".join(f"r{i}: r{i + 1}\n" for i in range(3000))}, "3000 rules"),
    "long chain of terminals": (
        {"grammar": "start: T0\n" + "".join(f"T{i}: T{i + 1}\n" for i in range(3000))},
        "3001 rules",
    ),
    "temperature": ({"grammar": "start[temperature=0.5]: /a+/"}, "temperature"),
    "deep JSON in a grammar": (
        {"grammar": "start: %json " + '{"items":' * 5000 + "{}" + "}" * 5000},
        "recursion limit",
    ),
    "GBNF": ({"grammar": 'root ::= "a" | foo'}, "Rule 'foo' not found"),
    "deep GBNF": ({"grammar": "root ::= " + "(" * 30000 + '"a"' + ")" * 30000}, "nested too deeply"),
    "GBNF without root": ({"grammar": 'a ::= "b"'}, "root"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    options, expected = REFUSED[name]
    start = time.process_time()
    with pytest.raises(RequestError) as caught:
        grammar_of(**options)
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 500
    assert time.process_time() - start < 1.0


def test_a_schema_that_holds_itself() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    with pytest.raises(RequestError, match="nested more than 64"):
        grammar_of(schema=schema)


COSTLY: dict[str, dict[str, Any]] = {
    "nested repetition": {"regex": r"((a{1,100}){1,100}){1,100}"},
    "alternatives repeated": {"regex": r"(a|b|ab){1,1000}(ba|c){1,1000}"},
    "exponential states": {"regex": r"(.*a.{40}b|.*b.{41}a)(.|\n){900}"},
    "stars": {"regex": r"(a*)*(b*)*(a*b*)*c"},
    "a long string": {"schema": {"type": "string", "maxLength": 10**6, "pattern": "(ab|ba|[a-c]{3}){5,9000}"}},
    "many items": {"schema": {"type": "array", "items": {"type": "string"}, "minItems": 50_000}},
    "many properties": {"schema": {"type": "object", "properties": {f"p{i}": {} for i in range(3000)}}},
    "a large enum": {"schema": {"enum": [f"v{i}" for i in range(5000)]}},
    "a fine multipleOf": {"schema": {"type": "number", "multipleOf": 0.000123}},
    "ambiguity": {"grammar": 'start: s\ns: s s s | s s | "a" | "b"'},
    "many unions": {
        "schema": {"allOf": [{"anyOf": [{"properties": {f"p{i}{j}": {}}} for j in range(9)]} for i in range(9)]}
    },
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_forms_end_in_time(random_weights: edge.Model, name: str) -> None:
    """They are enforced, cut off, or refused with a clear error: none of them takes long for a token."""
    start = time.process_time()
    try:
        answer = random_weights.generate("x", max_tokens=60, temperature=1.0, seed=1, **COSTLY[name])
    except (RequestError, GrammarError) as error:
        assert 0 < len(str(error)) < 500
    else:
        assert answer.finish_reason in ("stop", "length")
    assert time.process_time() - start < 10.0
    assert random_weights.generate("x", regex="ok").text == "ok"  # and the model goes on


def test_a_vocabulary_that_cannot_write_it(random_weights: edge.Model) -> None:
    """Byte 255 is no token there: the answer ends with an error instead of a wrong text."""
    with pytest.raises((GrammarError, RequestError), match="grammar"):
        random_weights.generate("x", grammar="start: /a[b]*/ <[300]>", max_tokens=5)


def test_without_llguidance(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "llguidance" or name.startswith("llguidance."):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    forms: list[dict[str, Any]] = [{"schema": {"type": "null"}}, {"regex": "a"}, {"grammar": 'start: "a"'}]
    for options in forms:
        with pytest.raises(RequestError, match=r"pip install 'edge-rt\[grammar\]'"):
            grammar_of(**options)


def test_texts_that_look_like_escapes() -> None:
    for text in ("\\u0001", "\\\\u00", "tab\t", "\u2028", "caf\u00e9"):
        assert grammar_of(schema={"properties": {text: {"const": text}}, "pattern": "\\u0041"}) is not None


def test_the_schema_is_not_changed() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}}
    before = json.dumps(schema)
    assert grammar_of(schema=schema) == grammar_of(schema=json.loads(before))
    assert json.dumps(schema) == before
