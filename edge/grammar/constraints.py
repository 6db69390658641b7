"""A model's compiled grammars: each is compiled once, and every answer begins with a copy."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.errors import RequestError
from edge.grammar.constraint import GrammarConstraint
from edge.grammar.guidance import limits, matcher_class, one_line
from edge.grammar.source import Grammar
from edge.grammar.vocabulary import guidance_tokenizer

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

    from edge.tokenizer import Tokenizer

__all__ = ["Constraints"]

_KEPT = 16  # compiled grammars; the one that was used longest ago goes first


class Constraints:
    """Makes the constraints of one model's answers; from any thread."""

    def __init__(self, tokenizer: Callable[[], Tokenizer], vocab_size: int, before: Callable[[], None]) -> None:
        """vocab_size: of the logits. before: called once, before the vocabulary's tables take memory; it may refuse."""
        self._make_tokenizer = tokenizer
        self._vocab_size = vocab_size
        self._before = before
        self._lock = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._compiled: OrderedDict[Grammar, LLMatcher] = OrderedDict()

    def constraint(self, grammar: Grammar) -> GrammarConstraint:
        """A new answer's. RequestError: the grammar takes too much with this vocabulary. Whatever `before` raises."""
        return GrammarConstraint(grammar.what, lambda: self._matcher(grammar))

    def _matcher(self, grammar: Grammar) -> LLMatcher:
        with self._lock:
            matcher = self._compiled.get(grammar)
            if matcher is None:
                matcher = self._compile(grammar)
                self._compiled[grammar] = matcher
                while len(self._compiled) > _KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(grammar)
            return matcher.deep_copy()

    def _compile(self, grammar: Grammar) -> LLMatcher:
        if self._tokenizer is None:
            self._before()
            self._tokenizer = guidance_tokenizer(self._make_tokenizer(), self._vocab_size)
        matcher = matcher_class()(self._tokenizer, grammar.text, log_level=0, limits=limits())
        problems = [matcher.get_error()] if matcher.is_error() else matcher.get_grammar_warnings()
        if problems:
            raise RequestError(f"{grammar.what}: {one_line(problems[0])}")
        return matcher
