"""`/v1/embeddings` with OpenAI's own client: of the bundled model, a decoder, and of a BERT."""

from __future__ import annotations

import base64
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from openai import OpenAI

import edge
from edge.conform import Server as Target
from edge.conform import conform
from tests.embeddings import models
from tests.serve.process import Server, serving

TEXTS = ["set a timer", "turn on the light in the kitchen", "what is the capital of France?"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Server, Path]]:
    path = models.bert(tmp_path_factory.mktemp("bert"))
    with serving(str(path), "--name", "tiny") as running:
        yield running, path


def client_of(server: Server) -> OpenAI:
    return OpenAI(base_url=f"{server.base}/v1", api_key="none", max_retries=0)


def test_a_decoder_embeds_beside_its_answers(server: Server) -> None:
    client = client_of(server)
    answer = client.embeddings.create(model="assistant", input=TEXTS)  # base64, which the client asks for by itself
    plain = client.embeddings.create(model="assistant", input=TEXTS, encoding_format="float")
    with edge.load() as model:
        wanted = model.embed(TEXTS)
        count = sum(len(model.tokenizer.encode(text)) for text in TEXTS)
        ids = [list(model.tokenizer.encode(text)) for text in TEXTS]
    assert [item.index for item in answer.data] == [0, 1, 2] and answer.object == "list"
    np.testing.assert_array_equal(np.array([item.embedding for item in answer.data], np.float32), wanted)
    np.testing.assert_array_equal(np.array([item.embedding for item in plain.data], np.float32), wanted)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == count and answer.model == "assistant"
    by_ids = client.embeddings.create(model="assistant", input=ids)
    one = client.embeddings.create(model="assistant", input=TEXTS[0], user="someone")
    np.testing.assert_array_equal(np.array([item.embedding for item in by_ids.data], np.float32), wanted)
    np.testing.assert_array_equal(np.array(one.data[0].embedding, np.float32), wanted[0])


def test_bytes_are_little_endian_floats(bert: tuple[Server, Path]) -> None:
    server, path = bert
    status, body = server.call("/v1/embeddings", {"input": "ab c", "encoding_format": "base64"})
    assert status == 200
    found = np.frombuffer(base64.b64decode(body["data"][0]["embedding"]), "<f4")
    with edge.load(path) as model:
        np.testing.assert_array_equal(found, model.embed("ab c")[0])


FIELDS: list[Any] = [
    ({"input": ""}, None, None),  # two marks of a BERT: that is a text
    ({"input": []}, "input", "1 to 2048"),
    ({"input": [[]]}, "input", "has no tokens"),
    ({"input": [1, 2**20]}, "input", "holds token id 1048576"),
    ({"input": ["a", 3]}, "input", None),
    ({"input": "a " * 95}, "input", "text 0 of 97 tokens exceeds the available context size of 96"),
    ({"input": ["a"] * 2049}, "input", "1 to 2048"),
    ({}, "input", "is missing"),
    ({"input": "a", "dimensions": 8}, "dimensions", "have 48"),
    ({"input": "a", "dimensions": 48}, None, None),
    ({"input": "a", "encoding_format": "int8"}, "encoding_format", None),
    ({"input": "a", "user": 3}, "user", None),
    ({"input": "a", "model": "other"}, "model", None),
    ({"input": "a", "truncate": True}, "truncate", "is not a field that this server knows"),
]


@pytest.mark.parametrize(("fields", "param", "words"), FIELDS)
def test_honoured_or_refused_by_name(
    fields: dict[str, Any], param: str | None, words: str | None, bert: tuple[Server, Path]
) -> None:
    status, body = bert[0].call("/v1/embeddings", fields)
    if param is None:
        assert status == 200 and len(body["data"][0]["embedding"]) == 48
        return
    assert status in (400, 404) and body["error"]["param"] == param
    assert words is None or words in body["error"]["message"]
    assert ".gguf" not in body["error"]["message"]


def test_a_text_too_long_is_said_as_prompts_are(bert: tuple[Server, Path]) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        client_of(bert[0]).embeddings.create(model="tiny", input=["a", "a " * 200])
    body: Any = info.value.body
    assert info.value.code == "context_length_exceeded"
    assert (body["n_prompt_tokens"], body["n_ctx"]) == (202, 96)


def test_an_embedding_model_writes_nothing(bert: tuple[Server, Path]) -> None:
    client = client_of(bert[0])
    for ask in (
        lambda: client.completions.create(model="tiny", prompt="a"),
        lambda: client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "a"}]),
    ):
        with pytest.raises(openai.BadRequestError, match="writes no text; ask /v1/embeddings") as info:
            ask()
        assert info.value.param == "model"
    bert[0].wait_for("edge_answers_inside", 0)


def test_many_at_once(bert: tuple[Server, Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    texts = [f"{'abcdefgh'[i % 8] * (i % 7 + 1)} b {'cd ' * (i % 25)}" for i in range(64)]
    with edge.load(bert[1]) as model:
        wanted = model.embed(texts)
    client = client_of(bert[0])

    def ask(text: str) -> list[float]:
        return client.embeddings.create(model="tiny", input=text).data[0].embedding

    with ThreadPoolExecutor(16) as pool:
        found = np.array(list(pool.map(ask, texts)), np.float32)
    np.testing.assert_array_equal(found, wanted)
    bert[0].wait_for("edge_answers_inside", 0)


def test_nothing_is_ignored(bert: tuple[Server, Path]) -> None:
    findings = [item for item in conform(Target(bert[0].base)) if item.endpoint == "/v1/embeddings"]
    verdicts = {item.field: item.verdict for item in findings}
    assert set(verdicts.values()) <= {"honoured", "refused"}, findings
    assert verdicts.pop("dimensions") == "refused"
    assert set(verdicts.values()) == {"honoured"}, findings
