"""Files with flipped bytes give a tokenizer that works or an error of the file, never anything else."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest

from edge.errors import EdgeError, ModelFileError
from edge.export.gguf_writer import GGUFWriter
from edge.formats import ValueType, open_gguf
from edge.tokenizer import StreamDecoder, Tokenizer, TokenType, Vocabulary
from tests.tokenizer.vocabularies import bpe_vocabulary, spm_vocabulary

_SPECIAL = {"<|im_end|>": TokenType.CONTROL, "<tool>": TokenType.USER_DEFINED}


def _bytes_of(vocabulary: Vocabulary, path: Path) -> bytes:
    writer = GGUFWriter(path)
    writer.add("tokenizer.ggml.model", vocabulary.model)
    writer.add("tokenizer.ggml.pre", vocabulary.pre or "default")
    writer.add("tokenizer.ggml.eos_token_id", 2)
    writer.add("tokenizer.ggml.bos_token_id", 1)
    writer.add("tokenizer.ggml.add_bos_token", True)
    writer.add("tokenizer.ggml.token_type", [int(kind) for kind in vocabulary.types or ()], ValueType.INT32)
    if vocabulary.scores is not None:
        writer.add("tokenizer.ggml.scores", list(vocabulary.scores), ValueType.FLOAT32)
    if vocabulary.merges is not None:
        writer.add("tokenizer.ggml.merges", list(vocabulary.merges))
    writer.add("tokenizer.ggml.tokens", list(vocabulary.tokens))
    writer.finish()
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["bpe", "spm"])
def test_mutated_vocabularies(kind: str, tmp_path: Path) -> None:
    pieces = {"".join(pair): float(len(pair)) for size in (1, 2, 3) for pair in product("ab▁", repeat=size)}
    vocabulary = bpe_vocabulary(product("abc", "abc"), _SPECIAL) if kind == "bpe" else spm_vocabulary(pieces, _SPECIAL)
    whole = _bytes_of(vocabulary, tmp_path / "whole.gguf")
    choose = random.Random(f"mutated {kind}")
    path = tmp_path / "mutated.gguf"
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(choose.randint(1, 4)):
            data[choose.randrange(len(data))] = choose.choice([0, 1, 2, 3, 6, 32, 127, 128, 255, choose.randrange(256)])
        path.write_bytes(data)
        try:
            with open_gguf(path) as file:
                tokenizer = Tokenizer.from_gguf(file)
        except ModelFileError as error:
            assert str(path) in str(error)
            refused += 1
            continue
        try:
            ids = tokenizer.encode("ab c<|im_end|> é<tool>ba", parse_special=True)
        except EdgeError:
            continue
        stream = StreamDecoder(tokenizer)
        assert "".join(map(stream.push, ids)) + stream.flush() in (tokenizer.decode(ids), " " + tokenizer.decode(ids))
    assert 0 < refused < 400
