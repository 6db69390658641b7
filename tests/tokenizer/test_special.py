"""Special tokens are found only when asked for, and every token that ends an answer is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.tokenizer import StreamDecoder, Tokenizer, TokenType
from tests.tokenizer.vocabularies import bpe_vocabulary, spm_vocabulary

_CONTROL = TokenType.CONTROL
_CHAT = {"<|im_start|>": _CONTROL, "<|im_end|>": _CONTROL, "<tool>": TokenType.USER_DEFINED}


def _texts(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    return [tokenizer.token_text(i) for i in ids]


def test_control_tokens_only_when_asked() -> None:
    tokenizer = Tokenizer(bpe_vocabulary(special=_CHAT))
    plain = tokenizer.encode("<|im_end|>x")
    assert not tokenizer.eog_ids & set(plain) and tokenizer.decode(plain) == "<|im_end|>x"
    assert _texts(tokenizer, tokenizer.encode("<|im_end|>x", parse_special=True)) == ["<|im_end|>", "x"]


def test_user_defined_tokens_always() -> None:
    tokenizer = Tokenizer(bpe_vocabulary(special=_CHAT))
    for parse_special in (False, True):
        ids = tokenizer.encode("a<tool>b", parse_special=parse_special)
        assert _texts(tokenizer, ids) == ["a", "<tool>", "b"]
        assert tokenizer.decode(ids) == "a<tool>b"


def test_longer_tokens_take_their_text_first() -> None:
    """As llama.cpp does, also where a shorter token begins earlier."""
    special = {"<a": _CONTROL, "a><b>": _CONTROL, "<b>": _CONTROL}
    tokenizer = Tokenizer(bpe_vocabulary(special=special))
    assert _texts(tokenizer, tokenizer.encode("<a><b><b>", parse_special=True)) == ["<", "a><b>", "<b>"]


@settings(deadline=None)
@given(parts=st.lists(st.sampled_from(["<|im_end|>", "<|im_start|>", "<", "|", "im_end", ">", "\ufdd0", "é", " "])))
def test_shielded_text_stays_text(parts: list[str]) -> None:
    """What a user writes cannot become a control token in a prompt that a template wrote."""
    tokenizer = Tokenizer(bpe_vocabulary(special=_CHAT))
    text = "".join(parts)
    prompt = f"<|im_start|>{tokenizer.shield(text)}<|im_end|>"
    ids = tokenizer.encode(prompt, parse_special=True, shielded=True)
    assert ids == [
        *tokenizer.encode("<|im_start|>", parse_special=True),
        *tokenizer.encode(text),
        *tokenizer.encode("<|im_end|>", parse_special=True),
    ]


_NAMES = st.text("ab<", min_size=1, max_size=4)


@settings(deadline=None)
@given(names=st.lists(_NAMES, min_size=1, max_size=6, unique=True), texts=st.lists(st.text("ab<c"), max_size=4))
def test_equals_cutting_one_token_after_the_other(names: list[str], texts: list[str]) -> None:
    special = {name: _CONTROL for name in names if len(name) > 1}
    tokenizer = Tokenizer(bpe_vocabulary(special=special))
    ids = {tokenizer.token_text(i): i for i in range(tokenizer.vocab_size)}
    for text in texts:
        parts: list[str | int] = [text]
        for name in sorted(special, key=lambda name: (-len(name), ids[name])):
            cut: list[str | int] = []
            for part in parts:
                if isinstance(part, int):
                    cut.append(part)
                    continue
                for number, piece in enumerate(part.split(name)):
                    cut.extend((ids[name], piece) if number else (piece,))
            parts = cut
        expected = [i for part in parts for i in ([part] if isinstance(part, int) else tokenizer.encode(part))]
        assert tokenizer.encode(text, parse_special=True) == expected


def test_phi3_swallows_space_behind_special_tokens() -> None:
    special = {"<|user|>": _CONTROL, "<|end|>": _CONTROL}
    pieces = {"▁a": 1.0, "a": 0.0, "▁": 0.0}
    for name, expected in (
        ("Phi-3 mini", ["<|user|>", "▁a", "<|end|>", "<s>", "▁", "▁a"]),
        ("other", ["<|user|>", "▁", "<0x0A>", "a", "<|end|>", "▁", "<0x0A>", "<s>", "▁", "▁a"]),
    ):
        tokenizer = Tokenizer(spm_vocabulary(pieces, special, model_name=name, add_bos=False))
        assert _texts(tokenizer, tokenizer.encode("<|user|>\na<|end|>\n<s> a", parse_special=True)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>"),
        *("<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<eos>"),
        *("<end_of_utterance>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|fim_pad|>"),
        *("<|repo_name|>", "<|file_sep|>"),
    ],
)
@pytest.mark.parametrize("kind", [TokenType.CONTROL, TokenType.NORMAL, TokenType.USER_DEFINED])
def test_well_known_texts_end_an_answer(text: str, kind: TokenType) -> None:
    """Also where the file's token types are wrong; then plain text still does not become the token."""
    tokenizer = Tokenizer(bpe_vocabulary(special={text: kind}))
    assert [tokenizer.token_text(i) for i in tokenizer.eog_ids] == [text]
    assert not tokenizer.eog_ids & set(tokenizer.encode(f"a{text}b"))
    assert tokenizer.eog_ids & set(tokenizer.encode(f"a{text}b", parse_special=True))
    assert tokenizer.decode(tokenizer.eog_ids) == "" and tokenizer.decode(tokenizer.eog_ids, skip_special=False) == text


def test_ids_that_the_file_names_end_an_answer() -> None:
    special = {"<A>": _CONTROL, "<B>": _CONTROL, "<C>": _CONTROL, "<D>": _CONTROL}
    tokenizer = Tokenizer(bpe_vocabulary(special=special, eos_id=256, eot_id=257, eom_id=258))
    assert tokenizer.eog_ids == {256, 257, 258}


def test_word_that_looks_like_an_end_stays_a_word() -> None:
    merges = [("<", "/"), ("</", "s"), ("</s", ">")]
    tokenizer = Tokenizer(bpe_vocabulary(merges, pre="bloom"))
    assert tokenizer.eog_ids == frozenset()
    assert tokenizer.decode(tokenizer.encode("a </s>")) == "a </s>"


def test_inner_end_of_harmony_does_not_end_the_answer() -> None:
    special = {text: _CONTROL for text in ("<|end|>", "<|return|>", "<|call|>", "<|channel|>")}
    tokenizer = Tokenizer(bpe_vocabulary(special=special))
    assert {tokenizer.token_text(i) for i in tokenizer.eog_ids} == {"<|return|>", "<|call|>"}
    # Its marks are part of what the model says.
    ids = tokenizer.encode("<|channel|>a<|end|>")
    assert _texts(tokenizer, ids) == ["<|channel|>", "a", "<|end|>"] and tokenizer.decode(ids) == "<|channel|>a<|end|>"


def test_html_does_not_end_the_answer_of_gemma4() -> None:
    special = {text: _CONTROL for text in ("</s>", "<|tool_response>", "<eos>")}
    tokenizer = Tokenizer(bpe_vocabulary(special=special))
    assert {tokenizer.token_text(i) for i in tokenizer.eog_ids} == {"<|tool_response>", "<eos>"}


def test_begin_and_end_are_added_as_the_file_says() -> None:
    special = {"<B>": _CONTROL, "<E>": _CONTROL}
    for add_bos, add_eos, expected in (
        (None, None, [64]),
        (True, False, [256, 64]),
        (False, True, [64, 257]),
        (True, True, [256, 64, 257]),
    ):
        vocabulary = bpe_vocabulary(special=special, add_bos=add_bos, add_eos=add_eos, bos_id=256, eos_id=257)
        tokenizer = Tokenizer(vocabulary)
        letter = tokenizer.encode("a", add_special=False)
        assert tokenizer.encode("a") == [*expected[: expected.index(64)], *letter, *expected[expected.index(64) + 1 :]]
    assert Tokenizer(spm_vocabulary({"▁": 0.0})).encode("")[:1] == [1]
    assert Tokenizer(spm_vocabulary({"▁": 0.0}, add_bos=False)).encode("") == []


@settings(deadline=None)
@given(text=st.text(), cut=st.integers(0, 3))
def test_stream_hands_out_whole_characters(text: str, cut: int) -> None:
    tokenizer = Tokenizer(bpe_vocabulary(special=_CHAT))
    ids = tokenizer.encode(text)[cut:]
    stream = StreamDecoder(tokenizer)
    pieces = [stream.push(i) for i in ids]
    whole = bytes(text.encode()[cut:]).decode(errors="replace")
    assert "".join(pieces) + stream.flush() == whole == tokenizer.decode(ids)
    if not cut:
        assert all("\ufffd" not in piece or "\ufffd" in text for piece in pieces)


def test_stream_of_byte_tokens_and_control_tokens() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"▁a": 0.0}))
    ids = {token: i for i, token in enumerate([tokenizer.token_text(i) for i in range(tokenizer.vocab_size)])}
    stream = StreamDecoder(tokenizer)
    assert [stream.push(ids[token]) for token in ("▁a", "<0xC3>", "</s>", "<0xA9>", "<0xC3>")] == [
        " a",
        "",
        "",
        "é",
        "",
    ]
    assert stream.flush() == "\ufffd" and stream.flush() == ""
    assert StreamDecoder(tokenizer, strip_space=True).push(ids["▁a"]) == "a"
    assert StreamDecoder(tokenizer, skip_special=False).push(ids["</s>"]) == "</s>"
