"""What restricts the tokens of an answer while it is made: a grammar, or whatever else can say what may come next."""

from __future__ import annotations

from typing import Protocol


class Constraint(Protocol):
    """The state of one answer: what its tokens so far leave open. It depends on them and on nothing else.

    The engine tells it every token but the one that ends the answer, under its lock. Setting a sequence aside and
    computing it again do not touch it: they concern K and V, and its tokens stay.
    Every method may raise GrammarError: nothing can follow, or finding out takes too much.
    """

    @property
    def num_tokens(self) -> int:
        """How many tokens it has taken."""
        ...

    @property
    def complete(self) -> bool:
        """Whether nothing but the end can follow."""
        ...

    def mask(self) -> bytes:
        """Bit i % 8 of byte i // 8 says whether token i may come next; tokens that end an answer when it may end."""
        ...

    def forced(self) -> list[int]:
        """The tokens that must come next, as the tokenizer writes their text; empty where there is a choice.

        The mask allows nothing else until they are taken, so appending them at once or one by one gives one answer.
        """
        ...

    def advance(self, token: int) -> None:
        """Takes a token that the mask allows."""
        ...

    def rollback(self, num_tokens: int) -> None:
        """Takes the last tokens back."""
        ...

    def copy(self) -> Constraint:
        """Another answer's state, with the same tokens so far."""
        ...
