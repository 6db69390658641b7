"""The state of one answer in its grammar."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.errors import GrammarError
from edge.grammar.guidance import one_line

if TYPE_CHECKING:
    from llguidance import LLMatcher

__all__ = ["GrammarConstraint"]


class GrammarConstraint:
    """A `Constraint` of the engine: llguidance's matcher, which tokens it has taken, and which it forces next."""

    def __init__(self, what: str, start: Callable[[], LLMatcher]) -> None:
        """what: the request's keyword, for errors. start: a matcher that has taken nothing."""
        self._what = what
        self._start = start
        self._matcher = start()
        self._tokens: list[int] = []
        self._forced: deque[int] | None = None  # None: not asked yet

    @property
    def num_tokens(self) -> int:
        return len(self._tokens)

    @property
    def complete(self) -> bool:
        return self._matcher.is_stopped()

    def mask(self) -> bytes:
        forced = self.forced()
        mask = self._matcher.compute_bitmask()
        self._check()
        if forced:
            only = bytearray(len(mask))
            only[forced[0] // 8] = 1 << forced[0] % 8
            return bytes(only)
        if self._matcher.is_stopped() and not self._matcher.is_accepting():
            raise GrammarError(f"{self._what}: no token of the vocabulary can follow after {self.num_tokens} tokens")
        return mask

    def forced(self) -> list[int]:
        if self._forced is None:
            self._forced = deque(self._matcher.compute_ff_tokens())
            self._check()
        return list(self._forced)

    def advance(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._check()
        self._tokens.append(token)
        # What was forced stays so until the last of it has come, whoever takes it: at once, or token by token.
        run = self._forced
        self._forced = run if run and run.popleft() == token and run else None

    def rollback(self, num_tokens: int) -> None:
        if num_tokens == 0:
            return
        del self._tokens[len(self._tokens) - num_tokens :]
        self._forced = None
        # Some grammars cannot be taken back (rules with max_tokens), nor one that has failed: they begin again.
        if not self._matcher.rollback(num_tokens):
            self._matcher = self._start()
            self._matcher.consume_tokens(self._tokens)
        self._check()

    def copy(self) -> GrammarConstraint:
        other = GrammarConstraint.__new__(GrammarConstraint)
        other._what, other._start = self._what, self._start
        other._matcher = self._matcher.deep_copy()
        other._tokens = list(self._tokens)
        other._forced = None if self._forced is None else self._forced.copy()
        return other

    def _check(self) -> None:
        # A matcher that has failed allows the end, as if the answer were whole.
        if self._matcher.is_error():
            after = f"after {self.num_tokens} tokens" if self._tokens else "at its beginning"
            raise GrammarError(f"{self._what}: the answer cannot go on {after}: {one_line(self._matcher.get_error())}")
