"""Grammars written by hand: Lark as llguidance reads it, and GBNF as llama.cpp reads it."""

from __future__ import annotations

import re

from edge.errors import RequestError
from edge.grammar.bounds import MAX_RULES, check_size
from edge.grammar.guidance import check_grammar, matcher_class

__all__ = ["checked_lark", "lark_grammar", "regex_grammar"]

_GBNF = re.compile(r"^\s*[A-Za-z][\w-]*\s*::=", re.MULTILINE)
_RULE = re.compile(r"^\s*[?!_A-Za-z][\w-]*\s*(?:[:{\[.]|::=)", re.MULTILINE)
_TEMPERATURE = re.compile(r"^\s*\w+\s*\[[^\]\n]*\btemperature\s*=", re.MULTILINE)


def regex_grammar(pattern: str) -> str:
    """A regular expression that the whole answer matches, in llguidance's form. Raises RequestError."""
    check_size(pattern, "regex")
    grammar = matcher_class().grammar_from_regex(pattern)
    check_grammar(grammar, "regex")
    return grammar


def lark_grammar(text: str) -> str:
    """A Lark or GBNF grammar (whose rules have `::=`) in llguidance's form. Raises RequestError."""
    check_size(text, "grammar")
    num_rules = len(_RULE.findall(text))
    if num_rules > MAX_RULES:
        raise RequestError(f"grammar has {num_rules} rules, at most {MAX_RULES} are allowed")
    if _GBNF.search(text):
        text = _lark_of_gbnf(text)
    elif _TEMPERATURE.search(text):
        raise RequestError("grammar: the attribute temperature of a rule is not supported; give it with the request")
    return checked_lark(text, "grammar")


def checked_lark(text: str, what: str) -> str:
    """Lark of our own making, or checked, in llguidance's form. what: named in the RequestError."""
    grammar = matcher_class().grammar_from_lark(text)
    check_grammar(grammar, what)
    return grammar


def _lark_of_gbnf(text: str) -> str:
    from llguidance.gbnf_to_lark import gbnf_to_lark

    try:
        return gbnf_to_lark(text)
    except RecursionError:
        raise RequestError("grammar: GBNF that is nested too deeply") from None
    except Exception as error:  # it raises nothing more exact
        raise RequestError(f"grammar: not GBNF: {str(error)[:300]}") from None
