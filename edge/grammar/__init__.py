"""Answers of a given form: JSON schemas, regular expressions and grammars, enforced by llguidance (extra `grammar`)."""

from __future__ import annotations

from edge.grammar.constraints import Constraints
from edge.grammar.source import Grammar, grammar_of
from edge.grammar.tool_calls import CallFormat, tool_call_grammar

__all__ = ["CallFormat", "Constraints", "Grammar", "grammar_of", "tool_call_grammar"]
