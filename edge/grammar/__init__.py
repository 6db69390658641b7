"""Answers of a given form: JSON schemas, regular expressions and grammars, enforced by llguidance (extra `grammar`)."""

from __future__ import annotations

from edge.grammar.constraints import Constraints
from edge.grammar.guidance import can_hold
from edge.grammar.source import Grammar, grammar_of
from edge.grammar.tool_calls import CallFormat, tool_call_grammar

__all__ = ["CallFormat", "Constraints", "Grammar", "can_hold", "grammar_of", "tool_call_grammar"]
