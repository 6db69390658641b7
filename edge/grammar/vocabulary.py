"""A model's vocabulary as llguidance wants it: the bytes of every token, and how text becomes tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import RequestError
from edge.grammar.guidance import tokenizer_class

if TYPE_CHECKING:
    from llguidance import LLTokenizer

    from edge.tokenizer import Tokenizer

__all__ = ["guidance_tokenizer"]


class _Wrapped:
    """What llguidance asks of a tokenizer object; `is_tokenizer_wrapper` is how it knows one."""

    is_tokenizer_wrapper = True

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        ends = tokenizer.eog_ids
        tokens = [tokenizer.token_bytes(token, skip_special=False) for token in range(tokenizer.vocab_size)]
        tokens += [b""] * (vocab_size - len(tokens))
        # Control tokens are no part of a text, whatever theirs is; nor is a token that ends the answer.
        special = [token for token in range(tokenizer.vocab_size) if tokenizer.is_control(token) or token in ends]
        if not ends:  # llguidance must have one: behind the last, where no mask of the sampler reaches
            ends = frozenset((len(tokens),))
            special.append(len(tokens))
            tokens.append(b"<end>")
        self.tokens = tokens
        self.special_token_ids = special
        self.end_ids = sorted(ends)
        self.eos_token_id = self.end_ids[0] if tokenizer.eos_id is None else tokenizer.eos_id
        self.bos_token_id = tokenizer.bos_id
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> list[int]:
        """How the tokenizer writes this text in the middle of an answer; nothing where it cannot, so that no token is
        forced and the mask decides."""
        try:
            ids = self._tokenizer.encode_within(text)
        except RequestError:
            return []
        written = b"".join(self.tokens[token] for token in ids)
        return ids if written == text.encode() else []


def guidance_tokenizer(tokenizer: Tokenizer, vocab_size: int) -> LLTokenizer:
    """vocab_size: how many logits the model has; ids behind the last token are never allowed.

    Takes about a second and 100 MiB for 128k tokens, so it is made when a grammar first needs it.
    """
    wrapped = _Wrapped(tokenizer, vocab_size)
    return tokenizer_class()(wrapped, n_vocab=len(wrapped.tokens), eos_token=wrapped.end_ids)  # type: ignore[arg-type]
