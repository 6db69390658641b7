"""Hostile text ends in ids or in a clear refusal, in bounded time, whatever the pattern."""

from __future__ import annotations

import pytest

from edge.errors import RequestError
from edge.tokenizer import Tokenizer, TokenType
from edge.tokenizer.pretokenizers import PRE_TOKENIZERS, PreTokenizer
from edge.tokenizer.tokenizer import MAX_TEXT_BYTES
from tests.tokenizer.vocabularies import bpe_vocabulary, spm_vocabulary

_SIZE = 20_000
_HOSTILE = {
    "letters": "a" * _SIZE,
    "capitals": "A" * _SIZE,
    "symbols": "^" * _SIZE,
    "spaces": " " * _SIZE,
    "spaces-word": " " * _SIZE + "x",
    "lines": "\n" * _SIZE,
    "space-lines": " \n" * _SIZE,
    "tabs": "\t " * _SIZE,
    "digits": "1" * _SIZE,
    "digits-word": "1" * _SIZE + "a",
    "han": "一" * _SIZE,
    "marks": "\u0301" * _SIZE,
    "quotes": "'" * _SIZE,
    "hard-spaces": "\u00a0" * _SIZE,
    "camel": "aA" * _SIZE,
    "emoji": "😀" * _SIZE,
    "nul": "\x00" * _SIZE,
}

# One of each pattern; the other names share theirs.
_DISTINCT = sorted({entry: name for name, entry in PRE_TOKENIZERS.items() if entry.byte_level}.values())


@pytest.mark.parametrize("pre", _DISTINCT)
def test_every_pattern_is_linear(pre: str) -> None:
    """A quadratic pattern would take minutes here."""
    tokenizer = Tokenizer(bpe_vocabulary(pre=pre, bos_id=0))
    for name, text in _HOSTILE.items():
        ids = tokenizer.encode(text, add_special=False)
        assert len(ids) == len(text.encode()), name


def test_long_words_merge_in_bounded_time() -> None:
    merges = [("a", "a"), ("aa", "aa"), ("aaaa", "aaaa"), ("^", "^"), ("^^", "^^")]
    tokenizer = Tokenizer(bpe_vocabulary(merges))
    assert len(tokenizer.encode("a" * 100_000)) == 12_500
    assert len(tokenizer.encode("^" * 1_000_000)) == 250_000
    pieces = {"▁": 0.0, "a": 0.0, "aa": 1.0, "aaaa": 2.0, "▁▁": 1.0}
    spm = Tokenizer(spm_vocabulary(pieces, add_bos=False, add_space_prefix=False))
    assert len(spm.encode("a" * 100_000)) == 25_000
    assert len(spm.encode(" " * 100_000)) == 50_000
    assert len(spm.encode("字" * 30_000)) == 90_000


def test_text_beyond_the_limit_is_refused() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    with pytest.raises(RequestError, match=f"{MAX_TEXT_BYTES + 1} bytes, at most {MAX_TEXT_BYTES}"):
        tokenizer.encode("x" * (MAX_TEXT_BYTES + 1))


def test_half_a_surrogate_pair_is_refused() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    with pytest.raises(RequestError, match=r"character 1 is half of a surrogate pair \(U\+D800\)"):
        tokenizer.encode("a\ud800b")


def test_panic_of_the_library_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its regular expressions panic when they backtrack too far. None of ours does, so one that does is put in."""
    monkeypatch.setitem(PRE_TOKENIZERS, "bad", PreTokenizer((r"(a+)+$",)))
    tokenizer = Tokenizer(bpe_vocabulary(pre="bad"))
    with pytest.raises(RequestError, match="the tokenizer's pattern gave up"):
        tokenizer.encode("a" * 64 + "b")


def test_thousands_of_special_tokens_do_not_slow_text() -> None:
    special = {f"<unused{number}>": TokenType.CONTROL for number in range(5000)}
    tokenizer = Tokenizer(bpe_vocabulary(special=special))
    text = "<unused17><" * 10_000
    ids = tokenizer.encode(text, parse_special=True)
    assert len(ids) == 20_000 and tokenizer.token_text(ids[0]) == "<unused17>"
    ids = tokenizer.encode("x".join(special) * 4, parse_special=True)
    assert len(ids) == 4 * 9999
    assert tokenizer.encode(tokenizer.shield(text), parse_special=True, shielded=True) == tokenizer.encode(text)
