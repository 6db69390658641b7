"""A form that holds what comes behind the thinking which the prompt has opened, and nothing of the thinking."""

from __future__ import annotations

from edge.engine import Constraint
from edge.errors import GrammarError
from edge.reasoning import ReasoningTags, ThoughtSplitter
from edge.tokenizer import StreamDecoder, Tokenizer

__all__ = ["AfterThinking", "after_thinking"]


def after_thinking(answer: Constraint, tags: ReasoningTags, tokenizer: Tokenizer) -> AfterThinking:
    """answer: of what follows; it has taken nothing yet. While the model thinks, only the end of the answer is
    forbidden: it would leave out the form."""
    num_bytes = len(answer.mask())
    free = bytearray(
        ((1 << tokenizer.vocab_size) - 1).to_bytes(max(num_bytes, tokenizer.vocab_size // 8 + 1), "little")
    )
    for token in tokenizer.eog_ids:
        free[token // 8] &= ~(1 << token % 8)
    return AfterThinking(answer, tags, tokenizer, bytes(free))


class AfterThinking:
    """A `Constraint` of the engine. It depends on the tokens alone, as every one does."""

    def __init__(self, answer: Constraint, tags: ReasoningTags, tokenizer: Tokenizer, free: bytes) -> None:
        """free: the mask while the model thinks."""
        self._answer = answer
        self._tags = tags
        self._tokenizer = tokenizer
        self._free = free
        self._begin()

    @property
    def num_tokens(self) -> int:
        return len(self._thoughts) + self._answer.num_tokens

    @property
    def complete(self) -> bool:
        return not self._thinks and self._answer.complete

    def mask(self) -> bytes:
        return self._free if self._thinks else self._answer.mask()

    def forced(self) -> list[int]:
        return [] if self._thinks else self._answer.forced()

    def advance(self, token: int) -> None:
        if self._thinks:
            self._think(token)
        else:
            self._answer.advance(token)

    def rollback(self, num_tokens: int) -> None:
        of_answer = min(num_tokens, self._answer.num_tokens)
        self._answer.rollback(of_answer)
        if num_tokens > of_answer:
            thoughts = self._thoughts[: len(self._thoughts) - (num_tokens - of_answer)]
            self._begin()
            for token in thoughts:
                self._think(token)

    def copy(self) -> AfterThinking:
        other = AfterThinking(self._answer.copy(), self._tags, self._tokenizer, self._free)
        for token in self._thoughts:
            other._think(token)
        return other

    @property
    def _thinks(self) -> bool:
        return self._splitter.stage == "thinking"

    def _begin(self) -> None:
        self._thoughts: list[int] = []  # tokens up to the closing tag, that included
        self._splitter = ThoughtSplitter(self._tags, is_open=True)
        self._decoder = StreamDecoder(
            self._tokenizer, shown=self._tokenizer.control_ids(tag.strip() for tag in self._tags)
        )

    def _think(self, token: int) -> None:
        self._thoughts.append(token)
        behind = self._splitter.push(self._decoder.push(token)).answer
        if behind:
            raise GrammarError(
                f"the token that ends the thinking brings {behind[:20]!r} of the answer with it, before a form holds it"
            )
