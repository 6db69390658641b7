"""Tokens that an answer must take: the end of a thinking that has lasted too long, the beginning of a call.

The latter is what can be had without a grammar: the name of a tool can be forced, that its arguments are sound cannot.
Where `edge.call_grammar` can hold the calls, it takes the place of `ForcingRules.call`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from edge.reasoning import ReasoningTags, ThoughtSplitter
from edge.tokenizer import StreamDecoder, Tokenizer

__all__ = ["Forcing", "ForcingRules"]


class ForcingRules(NamedTuple):
    """budget: tokens of thinking after which `closing` follows; None: as many as the model likes. call: what the
    answer begins with, behind the thinking that the prompt opened; () for nothing."""

    tags: ReasoningTags | None
    thinks_at_once: bool
    budget: int | None
    closing: tuple[int, ...]
    call: tuple[int, ...]


class Forcing:
    """Which token must come next depends on the tokens so far and on nothing else, so that batches, forks and
    preemption change nothing. For one sequence: what was read of it is remembered."""

    def __init__(self, tokenizer: Tokenizer, rules: ForcingRules) -> None:
        self._tokenizer = tokenizer
        self._rules = rules
        self._begin()

    def fresh(self) -> Forcing:
        """The same for another sequence."""
        return Forcing(self._tokenizer, self._rules)

    def next(self, tokens: Sequence[int], start: int) -> int | None:
        """The token that must follow, None for a free choice. tokens: prompt and answer, which begins at `start`."""
        if len(tokens) - start < self._num_read:
            self._begin()
        for index in range(start + self._num_read, len(tokens)):
            self._take(tokens[index])
        return self._due[0] if self._due else None

    def _begin(self) -> None:
        rules = self._rules
        self._num_read = self._num_thoughts = 0
        self._due: deque[int] = deque()
        self._closed = rules.budget is None
        self._called = not rules.call
        self._splitter: ThoughtSplitter | None = None
        if rules.tags is not None and (rules.thinks_at_once or not rules.call):
            self._splitter = ThoughtSplitter(rules.tags, is_open=rules.thinks_at_once)
            shown = self._tokenizer.control_ids(tag.strip() for tag in rules.tags)
            self._decoder = StreamDecoder(self._tokenizer, shown=shown)
        self._decide()

    def _take(self, token: int) -> None:
        self._num_read += 1
        if self._due and token == self._due[0]:
            self._due.popleft()
        if self._splitter is not None:
            self._num_thoughts += self._splitter.stage == "thinking"
            self._splitter.push(self._decoder.push(token))
        self._decide()

    def _decide(self) -> None:
        rules = self._rules
        stage = "answer" if self._splitter is None else self._splitter.stage
        if stage == "thinking" and not self._closed and self._num_thoughts >= (rules.budget or 0):
            self._closed = True
            self._due.extend(rules.closing)
        if stage == "answer" and not self._called:
            self._called = True
            self._due.extend(rules.call)
        if stage == "answer" and self._called:
            self._splitter = None  # nothing is left to wait for
