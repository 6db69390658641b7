"""BPE by ranked merges, through the `tokenizers` library: words, then merges inside each word."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

import tokenizers
from tokenizers import models, pre_tokenizers

from edge.errors import BadModelFile, RequestError
from edge.tokenizer.digits import digit_cuts
from edge.tokenizer.pretokenizers import PreTokenizer
from edge.tokenizer.vocabulary import SPACE, Vocabulary

__all__ = ["BYTE_CHARACTERS", "BytePairEncoder"]

_NEWLINES = re.compile(r"(\n+)")


def _byte_characters() -> tuple[str, ...]:
    """The printable character that stands for each byte in byte-level vocabularies, as GPT-2 chose them."""
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return tuple(chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256))


BYTE_CHARACTERS = _byte_characters()


class _Pairs(Sequence[tuple[str, str]]):
    """Merges as pairs, made while the library reads them. At 150k merges a list of pairs would take 40 MiB."""

    def __init__(self, merges: Sequence[str], ids: dict[str, int]) -> None:
        self._merges, self._ids = merges, ids

    def __len__(self) -> int:
        return len(self._merges)

    def __getitem__(self, index: Any) -> Any:
        raise TypeError("pairs can only be read in order")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        # The library has copied the vocabulary by now, and the peak of memory lies ahead.
        self._ids.clear()
        return map(itemgetter(0, 2), map(str.partition, self._merges, repeat(" ")))


class BytePairEncoder:
    """Encodes text without special tokens."""

    def __init__(
        self, vocabulary: Vocabulary, ids: dict[str, int], hidden: Mapping[str, int], pre: PreTokenizer
    ) -> None:
        """`ids`: token text -> id; it is emptied. `hidden`: tokens that plain text must never become.

        Raises BadModelFile naming the first merge that cannot be.
        """
        self._path, self._pre = vocabulary.path, pre
        lacking = _lacking_bytes(ids, pre)
        self._newline_ids = {text: i for text, i in ids.items() if not text.strip("\n")} if pre.whole_newlines else {}
        self._tokenizer = tokenizers.Tokenizer(_build(vocabulary, ids, hidden, pre))
        self._tokenizer.pre_tokenizer = _words(pre)
        # Bytes that some token stands for; None: all.
        self._present = bytes(byte for byte in range(256) if byte not in lacking) if lacking else None

    def encode(self, text: str) -> list[int]:
        """Ids of `text`. Raises RequestError when the vocabulary lacks a character or the text defeats its pattern."""
        if self._pre.escape_spaces:
            text = text.replace(" ", SPACE)
        if self._present is not None:
            self._check_characters(text, self._present)
        if self._newline_ids:
            ids: list[int] = []
            for part in _NEWLINES.split(text):
                whole = self._newline_ids.get(part)
                ids.extend(self._encode(part) if whole is None else (whole,))
            return ids
        return self._encode(text)

    def is_word(self, text: str, token_id: int) -> bool:
        """Whether plain text becomes this token."""
        try:
            return self.encode(text) == [token_id]
        except RequestError:
            return False

    def _encode(self, text: str) -> list[int]:
        if self._pre.digit_groups is None:
            return self._run(text)
        cuts = [0, *digit_cuts(text, self._pre.digit_groups), len(text)]
        return [i for start, end in zip(cuts, cuts[1:], strict=False) for i in self._run(text[start:end])]

    def _run(self, text: str) -> list[int]:
        try:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        except BaseException as error:
            # A panic of the library is a BaseException: its regular expressions give up on some texts.
            if type(error).__name__ != "PanicException":
                raise
            raise RequestError(f"prompt: {len(text)} characters, on which the tokenizer's pattern gave up") from error
        return ids

    def _check_characters(self, text: str, present: bytes) -> None:
        """Refuse text that the vocabulary cannot express, which merging would drop."""
        if not text.encode().translate(None, present):
            return
        for index, character in enumerate(text):
            if not character.encode().translate(None, present):
                continue
            if self._pre.byte_level or self._tokenizer.token_to_id(character) is None:
                raise RequestError(
                    f"prompt: character {character!r} (U+{ord(character):04X}) at {index} "
                    f"cannot be written in the vocabulary of {self._path}"
                )


def _build(vocabulary: Vocabulary, ids: dict[str, int], hidden: Mapping[str, int], pre: PreTokenizer) -> models.BPE:
    """The library's model, without the hidden tokens."""
    merges = vocabulary.merges
    assert merges is not None  # checked by Vocabulary
    for text in hidden:
        del ids[text]
    collecting = gc.isenabled()
    gc.disable()  # hundreds of thousands of new pairs, none of them garbage: collections would cost a fifth
    try:
        return _model(ids, merges, pre)
    except Exception as error:
        # A merge names what is no token, or a hidden one. Files do neither unless they were made to: look now.
        ids = vocabulary.text_ids()
        _explain(vocabulary.path, ids, merges)
        for text in hidden:
            del ids[text]
        try:
            return _model(ids, _without(merges, hidden), pre)
        except Exception:
            raise BadModelFile(vocabulary.path, f"key 'tokenizer.ggml.merges': {error}") from error
    finally:
        if collecting:
            gc.enable()


def _model(ids: dict[str, int], merges: Sequence[str], pre: PreTokenizer) -> models.BPE:
    pairs: Any = _Pairs(merges, ids)  # the stub asks for a list, the library for a sequence
    return models.BPE(vocab=ids, merges=pairs, ignore_merges=pre.ignore_merges, byte_fallback=not pre.byte_level)


def _explain(path: str, ids: Mapping[str, int], merges: Sequence[str]) -> None:
    """Refuse the first merge that cannot be, if there is one."""
    for index, merge in enumerate(merges):
        parts = merge.split(" ")
        where = f"key 'tokenizer.ggml.merges' is {merge[:80]!r} at {index}"
        if len(parts) != 2 or not all(parts):
            raise BadModelFile(path, f"{where}, it must be two tokens and one space between them")
        for text in (*parts, "".join(parts)):
            if text not in ids:
                raise BadModelFile(path, f"{where}, but {text[:80]!r} is not a token")


def _without(merges: Sequence[str], hidden: Mapping[str, int]) -> list[str]:
    """The merges that neither use nor make a hidden token."""
    return [merge for merge in merges if hidden.keys().isdisjoint((*merge.split(" "), merge.replace(" ", "", 1)))]


def _lacking_bytes(ids: Mapping[str, int], pre: PreTokenizer) -> frozenset[int]:
    """Bytes that no token stands for."""
    names = BYTE_CHARACTERS if pre.byte_level else tuple(f"<0x{byte:02X}>" for byte in range(256))
    return frozenset(byte for byte, name in enumerate(names) if name not in ids)


def _words(pre: PreTokenizer) -> pre_tokenizers.PreTokenizer:
    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.Split(tokenizers.Regex(pattern), behavior="isolated") for pattern in pre.patterns
    ]
    if pre.byte_level:
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    return pre_tokenizers.Sequence(steps)
