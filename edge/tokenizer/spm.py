"""SentencePiece BPE: the pair whose merged token has the highest score merges first, equal scores leftmost first.

Written out because the `tokenizers` library ranks pairs one by one: it cannot hold two tokens of equal score, nor a
token whose parts are not tokens, and files have both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from edge.errors import RequestError
from edge.tokenizer.special import SpecialTokens
from edge.tokenizer.vocabulary import SPACE, TokenType, Vocabulary

__all__ = ["SentencePieceEncoder"]

_CACHED_PIECES = 8192
_CACHED_LENGTH = 32
# What plain text must not become: these have no text of their own.
_NEVER_MERGED = (TokenType.CONTROL, TokenType.UNKNOWN, TokenType.BYTE)


class SentencePieceEncoder:
    """Encodes text without special tokens."""

    def __init__(self, vocabulary: Vocabulary, ids: dict[str, int], special: SpecialTokens) -> None:
        """`ids`: token text -> id; it is kept, without the tokens that plain text must never become."""
        self._path = vocabulary.path
        self._byte_ids: dict[int, int] = {
            byte: ids[name] for byte in range(256) if (name := f"<0x{byte:02X}>") in ids
        } | special.byte_ids
        for index, kind in special.types.items():
            if kind in _NEVER_MERGED:
                ids.pop(vocabulary.tokens[index], None)
        self._ids: Mapping[str, int] = ids
        self._scores: Sequence[float] | None = vocabulary.scores
        # No merge crosses the start of a word unless some token holds it: cut there, and the same word is merged once.
        inside = {text[at - 1] for text in ids if text.rfind(SPACE) > 0 for at in _spaces(text)}
        before = f"(?<![{''.join(map(re.escape, sorted(inside)))}])" if inside else ""
        self._word_start = re.compile(f"{before}(?={SPACE})")
        self._cache: dict[str, tuple[int, ...]] = {}

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, spaces not yet escaped. Raises RequestError when the vocabulary lacks a character."""
        ids: list[int] = []
        cache = self._cache
        for piece in self._word_start.split(text.replace(" ", SPACE)):
            if not piece:
                continue
            known = cache.get(piece)
            if known is None:
                known = tuple(self._tokens(_merge(piece, self._ids, self._scores)))
                if len(piece) <= _CACHED_LENGTH:
                    if len(cache) >= _CACHED_PIECES:
                        cache.clear()
                    cache[piece] = known
            ids.extend(known)
        return ids

    def _tokens(self, symbols: list[str]) -> list[int]:
        out: list[int] = []
        for symbol in symbols:
            token = self._ids.get(symbol)
            if token is not None:
                out.append(token)
                continue
            for byte in symbol.encode():
                fallback = self._byte_ids.get(byte)
                if fallback is None:
                    raise RequestError(
                        f"prompt: character {symbol!r} (U+{ord(symbol):04X}) cannot be written in the vocabulary of "
                        f"{self._path}, which has no token for byte 0x{byte:02X}"
                    )
                out.append(fallback)
        return out


def _spaces(text: str) -> list[int]:
    return [at for at in range(1, len(text)) if text[at] == SPACE]


def _merge(piece: str, ids: Mapping[str, int], scores: Sequence[float] | None) -> list[str]:
    """Symbols that are left of `piece` when no pair of neighbours is a token: O(n log n)."""
    if piece in ids and len(piece) == 1:
        return [piece]
    symbols = list(piece)
    last = len(symbols)
    following = list(range(1, last + 1))  # last: no neighbour
    preceding = list(range(-1, last - 1))
    # (-score, left, right, length): a pair is out of date when its lengths no longer add up.
    heap: list[tuple[float, int, int, int]] = []
    for left in range(last - 1):
        token = ids.get(symbols[left] + symbols[left + 1])
        if token is not None:
            heap.append((-scores[token] if scores is not None else 0.0, left, left + 1, 2))
    heapify(heap)
    while heap:
        _, left, right, length = heappop(heap)
        first, second = symbols[left], symbols[right]
        if not first or not second or len(first) + len(second) != length:
            continue
        merged = symbols[left] = first + second
        symbols[right] = ""
        after = following[left] = following[right]
        before = preceding[left]
        if after < last:
            preceding[after] = left
            token = ids.get(merged + symbols[after])
            if token is not None:
                size = length + len(symbols[after])
                heappush(heap, (-scores[token] if scores is not None else 0.0, left, after, size))
        if before >= 0:
            token = ids.get(symbols[before] + merged)
            if token is not None:
                size = length + len(symbols[before])
                heappush(heap, (-scores[token] if scores is not None else 0.0, before, left, size))
    return [symbol for symbol in symbols if symbol]
