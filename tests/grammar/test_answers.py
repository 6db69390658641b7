"""Answers are valid, whatever the weights say: judged by jsonschema, re and a grammar's own words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import edge
from tests.grammar.schemas import SCALARS, Schema, schemas
from tests.grammar.validator import problem

SCHEMAS = schemas()
CUT = 600  # tokens; what random weights have not ended by then counts for nothing, and there is a limit to it


def test_the_schemas_are_many_and_judged() -> None:
    assert len(SCHEMAS) >= 200
    assert problem('{"value": 5}', SCHEMAS["property integer"]) is None
    assert problem('{"value": 5000}', SCHEMAS["property integer"]) is not None
    assert problem('{"value": 5', SCHEMAS["property integer"]) is not None


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_the_bundled_model(bundled: edge.Model, temperature: float) -> None:
    _check_all(bundled, "Fill in the form.", temperature, least=200)


def test_random_weights(random_weights: edge.Model) -> None:
    _check_all(random_weights, "x", 1.0, least=200)


def _check_all(model: edge.Model, prompt: str, temperature: float, least: int) -> None:
    ended = 0
    wrong: list[str] = []
    for seed, (name, schema) in enumerate(SCHEMAS.items()):
        answer = model.chat(prompt, schema=schema, max_tokens=CUT, temperature=temperature, seed=seed)
        if answer.finish_reason == "length":
            assert len(answer.tokens) == CUT
            continue
        ended += 1
        found = problem(answer.text, schema)
        if found is not None:
            wrong.append(f"{name}: {answer.text!r}: {found}")
    assert not wrong, "\n".join(wrong)
    assert ended >= least


@pytest.mark.parametrize(
    "pattern",
    [
        "yes|no",
        "[0-9]{3}-[0-9]{4}",
        "(a|bc){2,5}d?",
        "\u00e9{2}[\u65e5\u672c]",
        "[A-Z][a-z]{2,7}( [A-Z][a-z]{2,7})?",
        "x*y",
    ],
)
def test_regular_expressions(random_weights: edge.Model, bundled: edge.Model, pattern: str) -> None:
    for model in (random_weights, bundled):
        for seed in range(5):
            answer = model.generate("x", regex=pattern, max_tokens=100, temperature=1.0, seed=seed)
            if answer.finish_reason == "stop":
                assert re.fullmatch(pattern, answer.text)
            else:
                assert pattern == "x*y" and re.fullmatch("x*", answer.text)  # nothing makes it end


LARK = """
start: greeting " " NAME "!"
greeting: "hello" | "good " ("morning" | "night")
NAME: /[A-Z][a-z]{2,5}/
"""
GBNF = """
# the same
root ::= greeting " " name "!"
greeting ::= "hello" | "good " ( "morning" | "night" )
name ::= [A-Z] [a-z] [a-z] [a-z]?
"""


@pytest.mark.parametrize("grammar", [LARK, GBNF])
def test_grammars(random_weights: edge.Model, bundled: edge.Model, grammar: str) -> None:
    for model in (random_weights, bundled):
        for seed in range(5):
            answer = model.generate("x", grammar=grammar, max_tokens=100, temperature=1.0, seed=seed)
            assert answer.finish_reason == "stop"
            assert re.fullmatch(r"(hello|good (morning|night)) [A-Z][a-z]{2,5}!", answer.text)


class Reading:
    """A class as pydantic makes them, as far as edge looks at it."""

    @classmethod
    def model_json_schema(cls) -> Schema:
        return {
            "title": "Reading",
            "type": "object",
            "properties": {
                "celsius": {"type": "number", "minimum": -50, "maximum": 60, "multipleOf": 0.1, "title": "C"}
            },
            "required": ["celsius"],
            "additionalProperties": False,
        }


def test_a_class_with_model_json_schema(bundled: edge.Model) -> None:
    for given in (Reading, Reading()):
        answer = bundled.chat("How warm is it?", schema=given, max_tokens=50)
        assert answer.finish_reason == "stop"
        assert problem(answer.text, Reading.model_json_schema()) is None


def test_an_answer_that_is_cut_off_says_so(bundled: edge.Model) -> None:
    schema: dict[str, Any] = {"type": "array", "items": SCALARS["integer"], "minItems": 40, "maxItems": 40}
    whole = bundled.chat("Count.", schema=schema)
    assert whole.finish_reason == "stop"
    assert len(json.loads(whole.text)) == 40
    for left in (1, 2, len(whole.tokens) - 1):
        cut = bundled.chat("Count.", schema=schema, max_tokens=left)
        assert (cut.finish_reason, len(cut.tokens)) == ("length", left)
        assert cut.tokens == whole.tokens[:left]
    exact = bundled.chat("Count.", schema=schema, max_tokens=len(whole.tokens))
    assert (exact.finish_reason, exact.text) == ("stop", whole.text)  # whole, with the last token allowed


def test_penalties_bias_and_stops_meet_the_mask(bundled: edge.Model) -> None:
    schema = {"enum": ["red", "green", "blue"]}
    seen: set[str] = set()
    for seed in range(30):
        answer = bundled.chat(
            "A colour?",
            schema=schema,
            temperature=5.0,
            seed=seed,
            repetition_penalty=1.3,
            presence_penalty=1.0,
            top_p=0.99,
        )
        assert answer.finish_reason == "stop"
        seen.add(json.loads(answer.text))
    assert seen == {"red", "green", "blue"}
    stopped = bundled.chat("A colour?", schema={"const": "red green"}, stop=" gr")
    assert (stopped.finish_reason, stopped.text) == ("stop", '"red')


def test_a_grammar_that_ends_nowhere_is_an_error_or_cut(random_weights: edge.Model) -> None:
    endless = random_weights.generate("x", grammar='start: ("a" | "b") start', max_tokens=50)
    assert (endless.finish_reason, len(endless.text)) == ("length", 50)
    with pytest.raises(edge.GrammarError, match="Too many items"):  # forced without an end
        random_weights.generate("x", grammar='start: "a" start', max_tokens=50)
    with pytest.raises(edge.EdgeError):
        random_weights.generate("x", schema={"$ref": "#"}, max_tokens=50)


def test_the_plan_counts_the_tables(long_model: Path) -> None:
    with edge.load(long_model, context=256) as model:
        before = model.plan.total_bytes
        model.generate("x", max_tokens=1)
        assert model.plan.total_bytes == before
        model.generate("x", regex="a")
        assert model.plan.total_bytes == before + model.plan.grammar_bytes > before
    with edge.load(long_model, context=256, memory=before + 2**20) as model:
        with pytest.raises(edge.DoesNotFit, match="structured output needs 6 MiB for a vocabulary of 259 tokens"):
            model.generate("x", regex="a")
        assert model.generate("x", max_tokens=1).finish_reason == "length"
