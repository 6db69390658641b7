"""Tokens to text one at a time: a character is handed out when all its bytes are there."""

from __future__ import annotations

import codecs

from edge.tokenizer.tokenizer import Tokenizer

__all__ = ["StreamDecoder"]


class StreamDecoder:
    """Decodes a stream of tokens. All that `push` and `flush` return is what `bytes.decode(errors="replace")` gives."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        skip_special: bool = True,
        strip_space: bool = False,
        shown: frozenset[int] = frozenset(),
    ) -> None:
        """`strip_space`: leave out one space at the very start. A continued prompt keeps it: " time" must not join.
        `shown`: control tokens whose text is part of what is decoded all the same."""
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        self._strip_space = strip_space
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token_id: int) -> str:
        """The text that is complete with this token; the bytes of a half character wait for the next."""
        skip_special = self._skip_special and token_id not in self._shown
        data = self._tokenizer.token_bytes(token_id, skip_special=skip_special)
        if self._strip_space and data:
            self._strip_space = False
            data = data.removeprefix(b" ")
        return self._decoder.decode(data)

    def flush(self) -> str:
        """U+FFFD if the stream ended inside a character, else nothing. The decoder can be used again."""
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text
