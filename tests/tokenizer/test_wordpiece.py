"""WordPiece vocabularies of model files: what they encode to, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from edge.errors import BadModelFile
from edge.tokenizer import Tokenizer, TokenType, Vocabulary

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [
    *("\u2581un", "\u2581aff", "\u2581hello", "\u2581cafe", "\u2581CAFE", "\u2581caf\u00e9", "\u2581,", "\u2581\u4f60"),
    *("aff", "able", "\u2581["),
]


def vocabulary(words: list[str] | None = None, **fields: Any) -> Vocabulary:
    tokens = [*MARKS, *(WORDS if words is None else words)]
    types = [TokenType.CONTROL] * len(MARKS) + [TokenType.NORMAL] * (len(tokens) - len(MARKS))
    ids: dict[str, Any] = {"unk_id": 1, "cls_id": 2, "sep_id": 3, "pad_id": 0, "mask_id": 4}
    return Vocabulary(path="made.gguf", model="bert", tokens=tokens, types=types, **(ids | fields))


def texts(tokenizer: Tokenizer, text: str, **options: bool) -> list[str]:
    return [tokenizer.token_text(i).replace("\u2581", "_") for i in tokenizer.encode(text, **options)]


def test_the_longest_pieces_between_two_marks() -> None:
    tokenizer = Tokenizer(vocabulary())
    assert texts(tokenizer, "unaffable") == ["[CLS]", "_un", "aff", "able", "[SEP]"]
    assert texts(tokenizer, "Hello,HELLO") == ["[CLS]", "_hello", "_,", "_hello", "[SEP]"]
    assert texts(tokenizer, "hello unknown") == ["[CLS]", "_hello", "[UNK]", "[SEP]"]
    assert texts(tokenizer, "\u4f60hello") == ["[CLS]", "_\u4f60", "_hello", "[SEP]"]
    assert texts(tokenizer, "", add_special=False) == [] and texts(tokenizer, "") == ["[CLS]", "[SEP]"]
    assert texts(tokenizer, "a" * 101) == ["[CLS]", "[UNK]", "[SEP]"]


def test_case_and_accents_as_the_file_says() -> None:
    text = "CAFE caf\u00e9 Caf\u00e9"
    assert texts(Tokenizer(vocabulary()), text)[1:-1] == ["_cafe", "_cafe", "_cafe"]
    assert texts(Tokenizer(vocabulary(lowercase=False)), text)[1:-1] == ["_CAFE", "_caf\u00e9", "[UNK]"]
    assert texts(Tokenizer(vocabulary(strip_accents=False)), text)[1:-1] == ["_cafe", "_caf\u00e9", "_caf\u00e9"]


def test_marks_in_a_text_are_text() -> None:
    tokenizer = Tokenizer(vocabulary())
    assert "[MASK]" not in texts(tokenizer, "hello [MASK]")
    assert texts(tokenizer, "hello [MASK]", parse_special=True) == ["[CLS]", "_hello", "[MASK]", "[SEP]"]
    assert tokenizer.decode(tokenizer.encode("hello unaffable")) == "hello unaffable"


@pytest.mark.parametrize(
    ("words", "fields", "message"),
    [
        (None, {"sep_id": 16}, "'tokenizer.ggml.seperator_token_id' is 16, it must be at most 15"),
        (None, {"cls_id": -1}, "'tokenizer.ggml.cls_token_id' is -1"),
        (None, {"pad_id": 99}, "'tokenizer.ggml.padding_token_id' is 99"),
        (None, {"cls_id": None}, "'tokenizer.ggml.cls_token_id' is missing, and 16 tokens have no 101"),
        (None, {"unk_id": None}, "'tokenizer.ggml.unknown_token_id' is missing"),
        (["\u2581##able", "able"], {}, "which means the same as the token 5"),
        (["\u2581a", "\u2581a"], {}, "every token must be different"),
    ],
)
def test_vocabularies_that_are_refused(words: list[str] | None, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadModelFile, match="made.gguf") as caught:
        Tokenizer(vocabulary(words, **fields))
    assert message in str(caught.value)


def test_the_marks_of_bert_where_the_file_names_none() -> None:
    words = [f"\u2581w{i}" for i in range(95)] + ["[X]", "[Y]", "[Z]", "[W]"]
    tokens = Vocabulary(path="made.gguf", model="bert", tokens=[*MARKS, *words])
    assert Tokenizer(tokens).encode("w3") == [101, 8, 102]
