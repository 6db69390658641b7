"""What the keywords schema, regex and grammar of a request say, checked before a model is asked."""

from __future__ import annotations

from typing import NamedTuple

from edge.errors import RequestError
from edge.grammar.lark import lark_grammar, regex_grammar
from edge.grammar.schema import checked_schema, schema_grammar

__all__ = ["Grammar", "grammar_of"]


class Grammar(NamedTuple):
    """A form that answers may be held to. Equal ones are compiled once."""

    what: str  # the keyword that it came with, named in errors
    text: str  # in llguidance's own form


def grammar_of(
    *, schema: object = None, regex: str | None = None, grammar: str | Grammar | None = None
) -> Grammar | None:
    """None when nothing is asked for.

    schema: a JSON schema as a dict, or a class with `model_json_schema()`. regex: of Rust's syntax, for the whole
    answer. grammar: Lark or GBNF. Raises RequestError: more than one of them, one that cannot be enforced, with the
    keyword and its place, one that is too large, or llguidance is not installed.
    """
    given = {"schema": schema, "regex": regex, "grammar": grammar}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise RequestError(f"{' and '.join(names)} cannot hold an answer to two forms; give one of them")
    if isinstance(grammar, Grammar):
        return grammar
    for name in names:
        if name != "schema" and not isinstance(given[name], str):
            raise RequestError(f"{name} is of type {type(given[name]).__name__}, it must be text")
    if schema is not None:
        return Grammar("schema", schema_grammar(checked_schema(schema)))
    if regex is not None:
        return Grammar("regex", regex_grammar(regex))
    return None if grammar is None else Grammar("grammar", lark_grammar(grammar))
