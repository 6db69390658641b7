"""Bad vocabularies are refused with key, value and limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.errors import BadModelFile, RequestError, UnsupportedModel
from edge.export.gguf_writer import GGUFWriter
from edge.formats import ValueType, open_gguf
from edge.tokenizer import Tokenizer, TokenType, Vocabulary
from edge.tokenizer.bpe import BYTE_CHARACTERS
from tests.tokenizer.vocabularies import bpe_vocabulary, spm_vocabulary

_SPM: dict[str, Any] = {"model": "llama", "tokens": ["<unk>", "a", "b"], "scores": [0.0, 0.0, 0.0]}
_BPE: dict[str, Any] = {"model": "gpt2", "tokens": [*BYTE_CHARACTERS, "ab"], "merges": ["a b"], "pre": "gpt-2"}

_EMPTY: dict[str, Any] = {"tokens": [], "scores": []}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (_SPM | _EMPTY, "tokens' has 0 entries, it must have 1 to"),
        (_SPM | {"tokens": ["a", "b", "a"]}, "tokens' has 'a' at 0 and at 2"),
        (_BPE | {"tokens": [*BYTE_CHARACTERS, "a"]}, "tokens' has 'a' at 97 and at 256"),
        (_SPM | {"types": [1, 1]}, "token_type' has 2 entries, it must have 3"),
        (_SPM | {"types": [1, 1, 1, 1]}, "token_type' has 4 entries, it must have 3"),
        (_SPM | {"types": [1, 7, 1]}, "token_type' is 7 at entry 1, it must be 0 to 6"),
        (_SPM | {"types": [1, 1, -1]}, "token_type' is -1 at entry 2, it must be 0 to 6"),
        (_SPM | {"scores": [0.0]}, "scores' has 1 entries, it must have 3"),
        (_SPM | {"scores": [0.0, float("nan"), 0.0]}, "scores' is nan at entry 1"),
        (_SPM | {"tokens": ["<0x-1>", "a", "b"], "types": [6, 1, 1]}, "tokens' is '<0x-1>' at 0, a byte token"),
        (_SPM | {"tokens": ["<0x0g>", "a", "b"], "types": [6, 1, 1]}, "tokens' is '<0x0g>' at 0, a byte token"),
        (_SPM | {"tokens": ["<0x001>", "a", "b"], "types": [6, 1, 1]}, "tokens' is '<0x001>' at 0, a byte token"),
        (_SPM | {"bos_id": 3}, "bos_token_id' is 3, it must be at most 2"),
        (_SPM | {"eos_id": 2**32 - 1}, "eos_token_id' is 4294967295, it must be at most 2"),
        (_SPM | {"eot_id": -1}, "eot_token_id' is -1, it must be at most 2"),
        (_SPM | {"eom_id": 99}, "eom_token_id' is 99"),
        (_SPM | {"unk_id": 99}, "unknown_token_id' is 99"),
        (_SPM | {"tokens": ["a"], "scores": [0.0]}, "bos_token_id' is missing, but the token is to be added"),
        (_BPE | {"add_bos": True}, "bos_token_id' is missing, but the token is to be added"),
        (_BPE | {"add_eos": True}, "eos_token_id' is missing, but the token is to be added"),
        (_BPE | {"merges": None}, "missing key 'tokenizer.ggml.merges'"),
        (_BPE | {"merges": ["a b", "x y"]}, "merges' is 'x y' at 1, but 'xy' is not a token"),
        (_BPE | {"merges": ["a b", "字 a"]}, "merges' is '字 a' at 1, but '字' is not a token"),
        (_BPE | {"merges": ["ab"]}, "merges' is 'ab' at 0, it must be two tokens and one space between them"),
        (_BPE | {"merges": ["a b c"]}, "merges' is 'a b c' at 0, it must be two tokens"),
        (_BPE | {"merges": [" ab"]}, "merges' is ' ab' at 0, it must be two tokens"),
        (_BPE | {"merges": [""]}, "merges' is '' at 0, it must be two tokens"),
    ],
)
def test_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadModelFile) as caught:
        Tokenizer(Vocabulary(path="bad.gguf", **fields))
    assert message in str(caught.value) and str(caught.value).startswith("bad.gguf: ")


@pytest.mark.parametrize("model", ["t5", "rwkv", "plamo2", "gemma4", "no_vocab", ""])
def test_other_models_are_named(model: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"'tokenizer.ggml.model' is '{model}'"):
        Vocabulary(path="bad.gguf", model=model, tokens=["a"])


def _write(path: Path, **values: Any) -> Path:
    writer = GGUFWriter(path)
    for key, value in values.items():
        kind = {"token_type": ValueType.INT32, "scores": ValueType.FLOAT32}.get(key)
        writer.add(f"tokenizer.ggml.{key}", value, kind)
    writer.finish()
    return path


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": 3}, "'tokenizer.ggml.model'"),
        ({"model": "gpt2"}, "'tokenizer.ggml.tokens'"),
        ({"model": "gpt2", "tokens": "abc"}, "'tokenizer.ggml.tokens'"),
        ({"model": "gpt2", "tokens": ["a"], "merges": [1]}, "'tokenizer.ggml.merges'"),
        ({"model": "llama", "tokens": ["a"], "bos_token_id": "a"}, "'tokenizer.ggml.bos_token_id'"),
        ({"model": "llama", "tokens": ["a"], "add_bos_token": 1}, "'tokenizer.ggml.add_bos_token'"),
        ({"model": "gpt2", "tokens": ["a"], "pre": 1}, "'tokenizer.ggml.pre'"),
    ],
)
def test_wrong_types_in_a_file(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    with (
        pytest.raises(BadModelFile) as caught,
        open_gguf(_write(tmp_path / "bad.gguf", **values)) as file,
    ):
        Tokenizer.from_gguf(file)
    assert message in str(caught.value) and "bad.gguf" in str(caught.value)


def test_file_round_trip(tmp_path: Path) -> None:
    """A tokenizer stays usable when its file is closed."""
    made = spm_vocabulary({"▁a": -1.0, "a": -2.0, "▁": -3.0})
    path = _write(
        tmp_path / "spm.gguf",
        model="llama",
        tokens=list(made.tokens),
        token_type=[int(kind) for kind in made.types or ()],
        scores=list(made.scores or ()),
        add_bos_token=False,
        eos_token_id=2,
    )
    with open_gguf(path) as file:
        tokenizer = Tokenizer.from_gguf(file)
    assert tokenizer.decode(tokenizer.encode("a é")) == "a é" and tokenizer.eog_ids == {2}


def test_empty_tokens_are_never_used() -> None:
    tokens = ["<unk>", "a", "", "▁", ""]
    tokenizer = Tokenizer(Vocabulary(path="x", model="llama", tokens=tokens, scores=[0.0] * 5, add_bos=False))
    assert tokenizer.encode("a a") == [3, 1, 3, 1] and tokenizer.decode([2, 1, 4]) == "a"


def test_missing_scores_are_said() -> None:
    tokenizer = Tokenizer(Vocabulary(path="x", model="llama", tokens=["a", "▁", "▁a"], add_bos=False))
    assert tokenizer.encode("a") == [2] and "scores" in tokenizer.warnings[0]


def test_token_ids_out_of_range_are_refused() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    for token_id in (-1, 256):
        with pytest.raises(RequestError, match=f"token id {token_id}: the vocabulary has 0 to 255"):
            tokenizer.decode([token_id])


_PEAK = """
import sys, time
from edge.formats import open_gguf
from edge.tokenizer import Tokenizer
with open_gguf(sys.argv[1]) as file:
    tokenizer = Tokenizer.from_gguf(file)
assert tokenizer.encode("hello world")
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(tokenizer.vocab_size, peak, time.process_time())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_memory_of_a_large_vocabulary(tmp_path: Path) -> None:
    """150k entries and as many merges: the whole process, Python and the library included, stays below 90 MiB."""
    letters = [BYTE_CHARACTERS[byte] for byte in (*range(0x20, 0x7F), *range(0xA0, 0x180 - 0x20, 1)) if byte < 256]
    pairs = [left + right for left in letters for right in letters]
    tokens = [*BYTE_CHARACTERS, *pairs]
    merges = [f"{pair[0]} {pair[1]}" for pair in pairs]
    for pair in pairs:
        for letter in letters[:4]:
            if len(tokens) < 150_000:
                tokens.append(pair + letter)
                merges.append(f"{pair} {letter}")
    assert len(tokens) == 150_000
    types = [int(TokenType.NORMAL)] * len(tokens)
    path = _write(tmp_path / "big.gguf", model="gpt2", tokens=tokens, token_type=types, merges=merges, pre="qwen2")
    done = subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True)
    size, peak_kib, seconds = done.stdout.split()
    assert int(size) == 150_000
    assert int(peak_kib) <= 90 * 1024
    assert float(seconds) < 5  # a bound against blunders; the figure itself is measured on a quiet machine
