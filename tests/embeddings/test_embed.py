"""`Model.embed`: what it computes, that nothing but the text decides it, and what it refuses."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import edge
from edge.formats.config import Pooling
from edge.formats.types import GGMLType
from edge.graph import without_head
from edge.graph.reference import Reference, Weight
from edge.models import build
from edge.native import isa_supported
from tests.embeddings import models
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config
from tests.models.tiny_bert import bert_config, bert_shapes, plain_states

DECODERS = ("llama", "gemma3", "phi3")  # gemma3: layers with a window that these texts go beyond
TEXTS = ["a", "abc def", "x y z " * 12, "hello there, world", "", "q" * 60, "the end of it"]
IDS = [[(7 * i + 5 * n) % 96 for i in range(n)] for n in (1, 7, 50, 33, 90, 12)]  # of decoders
F64 = NDArray[np.float64]


def pooled(states: F64, pooling: Pooling) -> F64:
    vector = states.mean(axis=0) if pooling == "mean" else states[0 if pooling == "cls" else -1]
    unit: F64 = vector / np.linalg.norm(vector)
    return unit


def states_of(arch: str, tokens: list[int]) -> F64:
    config = tiny_config(arch)
    tensors = random_tensors(tensor_shapes(config))
    graph = without_head(build(config, tensor_shapes(config)))
    return np.asarray(Reference(graph, lambda name: Weight(tensors[name], GGMLType.F32)).step(tokens), np.float64)


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_an_encoder_pools_its_states(pooling: Pooling, tmp_path: Path) -> None:
    config = bert_config()
    with edge.load(models.bert(tmp_path)) as model:
        found = model.embed(TEXTS, pooling=pooling)
        tokens = [model.tokenizer.encode(text) for text in TEXTS]
    assert found.shape == (len(TEXTS), config.hidden_size) and found.dtype == np.float32
    tensors = random_tensors(bert_shapes(config))
    wanted = np.array([pooled(plain_states(config, tensors, ids), pooling) for ids in tokens])
    np.testing.assert_allclose(found, wanted, atol=2e-6)


@pytest.mark.parametrize("pooling", get_args(Pooling))
@pytest.mark.parametrize("arch", DECODERS)
def test_a_decoder_pools_what_its_head_would_read(arch: str, pooling: Pooling, tmp_path: Path) -> None:
    with edge.load(models.decoder(tmp_path, arch), kv_type="f32", chunk=16) as model:
        found = model.embed(IDS, pooling=pooling)  # the longest take several steps
    wanted = np.array([pooled(states_of(arch, ids), pooling) for ids in IDS])
    np.testing.assert_allclose(found, wanted, atol=5e-6)


@pytest.mark.parametrize("arch", ["bert", *DECODERS])
def test_nothing_but_the_text_decides_a_row(arch: str, tmp_path: Path) -> None:
    """Equal bits alone and in any company, on every level, for every number of threads and size of a step."""
    path = models.bert(tmp_path) if arch == "bert" else models.decoder(tmp_path, arch)
    texts: Any = (TEXTS[:6] if arch == "bert" else IDS) * 12  # more than a step takes
    for pooling in get_args(Pooling):
        with edge.load(path, isa="scalar", threads=1) as model:
            alone = np.vstack([model.embed([text], pooling=pooling) for text in texts[:6]])
        for isa in isa_supported():
            for threads, chunk in ((1, 8), (2, 128)):
                with edge.load(path, isa=isa, threads=threads, chunk=chunk) as model:
                    found = model.embed(texts, pooling=pooling)
                    np.testing.assert_array_equal(found, np.tile(alone, (12, 1)), f"{isa}, {threads}, {chunk}")
                    np.testing.assert_array_equal(model.embed(texts[::-1], pooling=pooling), found[::-1])


def test_tokens_are_texts_too(tmp_path: Path) -> None:
    with edge.load(models.bert(tmp_path)) as model:
        tokens = [model.tokenizer.encode(text) for text in TEXTS]
        np.testing.assert_array_equal(model.embed(tokens), model.embed(TEXTS))
        assert model.embed([]).shape == (0, 48)
        assert model.embed("one text").shape == (1, 48)


def test_lengths(tmp_path: Path) -> None:
    with edge.load(models.bert(tmp_path)) as model:
        raw, unit = model.embed(TEXTS, normalize=False), model.embed(TEXTS)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert lengths.min() > 1.5
    np.testing.assert_allclose(unit, raw / lengths, rtol=1e-6)


def test_what_the_file_says_of_pooling(tmp_path: Path) -> None:
    for number, pooling in enumerate(get_args(Pooling), 1):
        with edge.load(models.bert(tmp_path, pooling=number)) as model:
            np.testing.assert_array_equal(model.embed("ab c"), model.embed("ab c", pooling=pooling))
        with edge.load(models.decoder(tmp_path, pooling_type=number)) as model:
            np.testing.assert_array_equal(model.embed("abc"), model.embed("abc", pooling=pooling))
    with edge.load(models.decoder(tmp_path)) as model:
        np.testing.assert_array_equal(model.embed("abc"), model.embed("abc", pooling="last"))
    with edge.load(models.bert(tmp_path, pooling=None)) as model:
        with pytest.raises(edge.RequestError, match="does not say how states are pooled"):
            model.embed("ab c")
        assert model.embed("ab c", pooling="mean").shape == (1, 48)


def test_texts_are_never_cut(tmp_path: Path) -> None:
    with edge.load(models.bert(tmp_path)) as model:
        whole = "a " * 94  # and two marks: the 96 positions that there are
        assert model.embed([whole]).shape == (1, 48)
        with pytest.raises(edge.ContextExceeded, match="text 1 of 97 tokens exceeds the available context size of 96"):
            model.embed(["a", whole + "b"])
    with edge.load(models.decoder(tmp_path), context=64) as model:
        assert model.embed([[1] * 64]).shape == (1, 48)
        with pytest.raises(edge.ContextExceeded, match="text 0 of 65 tokens"):
            model.embed([[1] * 65])


REFUSED: list[Any] = [
    ([[]], {}, "text 0 has no tokens"),
    ([[1], [96]], {}, "text 1 holds token id 96; the vocabulary has ids 0 to 95"),
    ([[-1]], {}, "text 0 holds token id -1"),
    (["a"], {"pooling": "max"}, "pooling is 'max'; it must be one of 'mean', 'cls', 'last'"),
    (["\ud800"], {}, "half of a surrogate pair"),
]


@pytest.mark.parametrize(("texts", "options", "message"), REFUSED)
def test_what_is_refused(texts: Any, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    for path in (models.bert(tmp_path), models.decoder(tmp_path)):
        with edge.load(path) as model, pytest.raises(edge.RequestError, match=message):
            model.embed(texts, **options)


def test_an_embedding_model_writes_nothing(tmp_path: Path) -> None:
    for path in (models.bert(tmp_path), models.decoder(tmp_path, pooling_type=3)):
        with edge.load(path) as model:
            asks: list[Any] = [model.generate, model.chat, model.session]
            for ask in asks:
                with pytest.raises(edge.RequestError, match="is an embedding model: it writes no text; use embed"):
                    ask("abc")


def test_answers_go_on_while_texts_are_embedded(tmp_path: Path) -> None:
    with edge.load(models.decoder(tmp_path), chunk=16) as model:
        wanted, vectors = model.generate("abc", max_tokens=60).tokens, model.embed(IDS)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.extend(model.embed(IDS) for _ in range(10)))
        stream = model.stream("abc", max_tokens=60)
        thread.start()
        tokens = tuple(token.id for token in stream)
        thread.join()
    assert tokens == wanted and len(found) == 10
    for item in found:
        np.testing.assert_array_equal(item, vectors)


def test_the_plan_counts_it(tmp_path: Path) -> None:
    with edge.load(models.bert(tmp_path)) as model:
        assert model.plan.embeddings_bytes == 24 * 2**20  # NumPy; the program is the model's own
        before = model.plan.total_bytes
        model.embed("a")
        assert model.plan.total_bytes == before
    path = models.decoder(tmp_path)
    with edge.load(path) as model:
        before = model.plan.total_bytes
        model.embed("a")
        assert model.plan.total_bytes == before + model.plan.embeddings_bytes > before + 24 * 2**20
        allowed = model.plan.total_bytes - 1
    with edge.load(path, memory=allowed) as model:
        with pytest.raises(edge.DoesNotFit, match="embeddings need .* MiB beside"):
            model.embed("a")
        assert model.generate("abc", max_tokens=2).tokens  # which goes on


def test_a_closed_model(tmp_path: Path) -> None:
    for path in (models.bert(tmp_path), models.decoder(tmp_path)):
        model = edge.load(path)
        model.embed("a")
        model.close()
        with pytest.raises(edge.RequestError, match="the model is closed"):
            model.embed("a")
