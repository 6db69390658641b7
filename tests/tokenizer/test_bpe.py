"""Ranked merging equals the plain algorithm, for byte-level vocabularies and for those of whole characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import RequestError
from edge.tokenizer import Tokenizer, TokenType, Vocabulary
from edge.tokenizer.bpe import BYTE_CHARACTERS
from tests.tokenizer.vocabularies import bpe_vocabulary


def _plain(vocabulary: Vocabulary, word: list[str]) -> list[int]:
    ids = {token: index for index, token in enumerate(vocabulary.tokens)}
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(vocabulary.merges or ()):
        ranks.setdefault(merge, rank)
    symbols = list(word)
    while True:
        pairs = [
            (ranks[f"{left} {right}"], at)
            for at, (left, right) in enumerate(zip(symbols, symbols[1:], strict=False))
            if f"{left} {right}" in ranks
        ]
        if not pairs:
            return [ids[symbol] for symbol in symbols]
        at = min(pairs)[1]
        symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]


@st.composite
def _merges(draw: st.DrawFn, alphabet: str) -> list[tuple[str, str]]:
    """Merges of what is there already, in any order of ranks, without repetition."""
    tokens = list(alphabet)
    merges: list[tuple[str, str]] = []
    for _ in range(draw(st.integers(0, 20))):
        pair = (draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens)))
        if pair not in merges and len(pair[0] + pair[1]) <= 8:
            merges.append(pair)
            tokens.append(pair[0] + pair[1])
    return draw(st.permutations(merges))


@settings(max_examples=200, deadline=None)
@given(merges=_merges("ab" + BYTE_CHARACTERS[0xC3] + BYTE_CHARACTERS[0xA9]), texts=st.lists(st.text("abé"), max_size=4))
def test_equals_the_plain_algorithm(merges: list[tuple[str, str]], texts: list[str]) -> None:
    vocabulary = bpe_vocabulary(merges)
    tokenizer = Tokenizer(vocabulary)
    for text in texts:
        ids = tokenizer.encode(text)
        assert ids == _plain(vocabulary, [BYTE_CHARACTERS[byte] for byte in text.encode()])
        assert tokenizer.decode(ids) == text


@settings(max_examples=100, deadline=None)
@given(merges=_merges("ab▁é"), text=st.text("ab é字"))
def test_whole_characters_with_byte_fallback(merges: list[tuple[str, str]], text: str) -> None:
    octets = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = list(dict.fromkeys([*octets, *"ab▁é", *(left + right for left, right in merges)]))
    vocabulary = Vocabulary(
        path="made.gguf",
        model="gpt2",
        tokens=tokens,
        types=[TokenType.BYTE] * 256 + [TokenType.NORMAL] * (len(tokens) - 256),
        merges=[f"{left} {right}" for left, right in merges],
        pre="sarvam-moe",
    )
    tokenizer = Tokenizer(vocabulary)
    word = [
        symbol
        for character in text.replace(" ", "▁")
        for symbol in ([character] if character in tokens else [f"<0x{byte:02X}>" for byte in character.encode()])
    ]
    assert tokenizer.encode(text) == _plain(vocabulary, word)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_ignore_merges_takes_a_word_that_is_a_token() -> None:
    merges = [("a", "b"), ("c", "d"), ("ab", "c"), ("abc", "d")]
    split, whole = (Tokenizer(bpe_vocabulary(merges, pre=pre, bos_id=0)) for pre in ("gpt-2", "llama-bpe"))
    assert [split.token_text(i) for i in split.encode("abcd")] == ["ab", "cd"]
    assert [whole.token_text(i) for i in whole.encode("abcd", add_special=False)] == ["abcd"]


def test_newlines_of_gemma_are_taken_whole() -> None:
    octets = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = Vocabulary(
        path="made.gguf", model="gpt2", tokens=[*octets, "\n", "\n\n\n", "a"], merges=[], pre="gemma4", bos_id=0
    )
    tokenizer = Tokenizer(vocabulary)
    texts = [tokenizer.token_text(i) for i in tokenizer.encode("a\n\n\na\n\n", add_special=False)]
    assert texts == ["a", "\n\n\n", "a", "\n", "\n"]


def test_character_that_cannot_be_written_is_refused() -> None:
    tokens = [character for byte, character in enumerate(BYTE_CHARACTERS) if byte not in (0xC3, 0xFF)]
    tokenizer = Tokenizer(Vocabulary(path="made.gguf", model="gpt2", tokens=tokens, merges=[], pre="gpt-2"))
    assert tokenizer.decode(tokenizer.encode("ab€")) == "ab€"
    with pytest.raises(RequestError, match=r"character 'é' \(U\+00E9\) at 2 cannot be written"):
        tokenizer.encode("abé")


def test_merges_to_control_tokens_are_left_out() -> None:
    """Plain text cannot become a control token, even in a file made so that it would."""
    merges = [("<", "s"), ("<s", ">"), ("<s>", "x"), ("a", "b")]
    types = {"<s>": TokenType.CONTROL}
    vocabulary = bpe_vocabulary(merges, pre="bloom")
    vocabulary = Vocabulary(
        path="made.gguf",
        model="gpt2",
        tokens=vocabulary.tokens,
        types=[types.get(token, TokenType.NORMAL) for token in vocabulary.tokens],
        merges=vocabulary.merges,
        pre="bloom",
    )
    tokenizer = Tokenizer(vocabulary)
    texts = [tokenizer.token_text(i) for i in tokenizer.encode("<s>xab")]
    assert texts == ["<s", ">", "x", "ab"]
    assert [tokenizer.token_text(i) for i in tokenizer.encode("<s>xab", parse_special=True)] == ["<s>", "x", "ab"]
