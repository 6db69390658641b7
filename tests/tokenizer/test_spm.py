"""SentencePiece merging equals the plain algorithm: merge the best pair of neighbours until there is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import RequestError
from edge.tokenizer import Tokenizer, TokenType, Vocabulary
from tests.tokenizer.vocabularies import spm_vocabulary

_ALPHABET = "ab▁é"
_PIECES = st.dictionaries(
    st.text(alphabet=_ALPHABET, min_size=1, max_size=5), st.sampled_from([-2.0, -1.5, -1.0, 0.0, 1.0]), max_size=25
)
_TEXTS = st.text(alphabet="ab é▁c", max_size=25)


def _plain(vocabulary: Vocabulary, text: str) -> list[int]:
    """Every step looks at every pair."""
    ids = {token: index for index, token in enumerate(vocabulary.tokens)}
    assert vocabulary.types is not None and vocabulary.scores is not None
    text_like = (TokenType.NORMAL, TokenType.UNUSED, TokenType.USER_DEFINED)
    words = {token: i for token, i in ids.items() if vocabulary.types[i] in text_like}
    symbols = list((" " + text).replace(" ", "▁"))
    while True:
        pairs = [
            (-vocabulary.scores[words[left + right]], at)
            for at, (left, right) in enumerate(zip(symbols, symbols[1:], strict=False))
            if left + right in words
        ]
        if not pairs:
            break
        at = min(pairs)[1]
        symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
    out: list[int] = []
    for symbol in symbols:
        out += [words[symbol]] if symbol in words else [ids[f"<0x{byte:02X}>"] for byte in symbol.encode()]
    return out


@settings(max_examples=400, deadline=None)
@given(pieces=_PIECES, texts=st.lists(_TEXTS, max_size=4))
def test_equals_the_plain_algorithm(pieces: dict[str, float], texts: list[str]) -> None:
    vocabulary = spm_vocabulary({"▁": -3.0} | pieces)
    tokenizer = Tokenizer(vocabulary)
    for text in texts:
        ids = tokenizer.encode(text, add_special=False)
        assert ids == (_plain(vocabulary, text) if text else [])
        assert tokenizer.decode(ids) == text.replace("▁", " ")


def test_space_prefix_can_be_off() -> None:
    pieces = {"▁a": 1.0, "a": 0.5, "▁": 0.1}
    with_prefix, without = (
        Tokenizer(spm_vocabulary(pieces, add_space_prefix=add_space_prefix)) for add_space_prefix in (None, False)
    )
    texts = [with_prefix.token_text(i) for i in with_prefix.encode("a a", add_special=False)]
    assert texts == ["▁a", "▁a"] and with_prefix.decode(with_prefix.encode("a a")) == "a a"
    texts = [without.token_text(i) for i in without.encode("a a", add_special=False)]
    assert texts == ["a", "▁a"] and without.decode(without.encode(" a")) == " a"


def test_space_is_put_after_special_tokens_too() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"▁a": 1.0, "▁": 0.1, "a": 0.0}))
    texts = [tokenizer.token_text(i) for i in tokenizer.encode("a</s>a", parse_special=True)]
    assert texts == ["<s>", "▁a", "</s>", "▁a"]


def test_character_without_bytes_is_refused() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"a": 0.0, "▁": 0.0}, byte_fallback=False))
    with pytest.raises(RequestError, match=r"character 'é' \(U\+00E9\).*no token for byte 0xC3"):
        tokenizer.encode("aé")


def test_control_tokens_are_never_merged_from_text() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"▁": 0.0, "</": 5.0, "s>": 5.0, "</s": 6.0}))
    ids = tokenizer.encode("</s>", add_special=False)
    assert not tokenizer.eog_ids & set(ids) and tokenizer.decode(ids) == "</s>"
