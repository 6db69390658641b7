"""The public vocabularies give exactly the published ids, and the text comes back whole or streamed."""

from __future__ import annotations

import pytest

from edge.formats import open_gguf
from edge.tokenizer import StreamDecoder, Tokenizer
from tests.tokenizer.vocabularies import PUBLIC, public_vocabulary, read_cases


@pytest.mark.parametrize("name", PUBLIC)
def test_published_ids(name: str) -> None:
    path = public_vocabulary(name)
    with open_gguf(path) as file:
        tokenizer = Tokenizer.from_gguf(file)
    cases = read_cases(path)
    assert len(cases) >= 40
    for text, ids in cases:
        assert tokenizer.encode(text, add_special=False) == ids, text
        assert tokenizer.decode(ids) == text
        stream = StreamDecoder(tokenizer, strip_space=name == "llama-spm")
        assert "".join(map(stream.push, ids)) + stream.flush() == text


def test_llama_begins_with_bos() -> None:
    for name, bos in (("llama-spm", 1), ("llama-bpe", 128000)):
        with open_gguf(public_vocabulary(name)) as file:
            tokenizer = Tokenizer.from_gguf(file)
        ids = tokenizer.encode("Hello")
        assert ids[0] == bos == tokenizer.bos_id and ids[1:] == tokenizer.encode("Hello", add_special=False)
        assert tokenizer.encode("") == [bos]
        assert tokenizer.decode(ids) == "Hello"
        # A template that writes BOS does not get a second one.
        assert tokenizer.encode(tokenizer.token_text(bos) + "Hello", parse_special=True)[:2].count(bos) == 1


def test_tokens_that_end_an_answer() -> None:
    ends = {
        "gpt-2": {"<|endoftext|>"},
        "llama-bpe": {"<|end_of_text|>", "<|eot_id|>"},
        "llama-spm": {"</s>"},
        "qwen2": {"<|endoftext|>", "<|im_end|>", "</s>"},
    }
    for name, texts in ends.items():
        with open_gguf(public_vocabulary(name)) as file:
            tokenizer = Tokenizer.from_gguf(file)
        assert {tokenizer.token_text(i) for i in tokenizer.eog_ids} == texts
        assert tokenizer.warnings == ()
