"""The real client from PyPI: every endpoint, streams, tools, errors, retries; our JSON against its types."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

import edge
from tests.serve.process import Server, serving

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Set a timer for five minutes"}]
ANSWER = '[{"name":"set_timer","arguments":{"duration":"5m"}}]'
TIMER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "set_timer",
        "description": "start a timer",
        "parameters": {"type": "object", "properties": {"duration": {"type": "string"}}},
    },
}


@pytest.fixture(scope="session")
def client(server: Server) -> OpenAI:
    return OpenAI(base_url=f"{server.base}/v1", api_key="none", max_retries=0)


def validated(kind: type[BaseModel], value: Any) -> None:
    """The client builds its objects without looking; this looks, at the bytes that were sent."""
    kind.model_validate(value, strict=True)


def test_models(client: OpenAI, server: Server) -> None:
    models = client.models.list().data
    assert [model.id for model in models] == ["assistant"]
    assert client.models.retrieve("assistant").owned_by == "edge"
    validated(Model, server.call("/v1/models/assistant")[1])
    with pytest.raises(openai.NotFoundError) as info:
        client.models.retrieve("gpt-4o")
    assert info.value.code == "model_not_found"


def test_chat_equals_the_library(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="assistant", messages=QUESTION)
    with edge.load() as model:
        expected = model.chat("Set a timer for five minutes")
    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", expected.text, "stop")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == expected.usage.prompt_tokens
    assert answer.usage.completion_tokens == expected.usage.completion_tokens


def test_a_prompt_that_came_before_is_cached(client: OpenAI) -> None:
    client.chat.completions.create(model="assistant", messages=QUESTION)
    answer = client.chat.completions.create(model="assistant", messages=QUESTION)
    assert answer.usage is not None and answer.usage.prompt_tokens_details is not None
    assert (answer.usage.prompt_tokens_details.cached_tokens or 0) >= 448
    assert answer.model_extra is not None and answer.model_extra["timings"]["cache_n"] >= 448


def test_stream_adds_up_to_the_whole(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="assistant", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    assert chunks[-1].choices == [] and chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 10
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


def test_json_is_of_the_clients_types(server: Server) -> None:
    chat = {"messages": QUESTION, "n": 2, "logprobs": True, "top_logprobs": 3, "service_tier": "flex"}
    status, value = server.call("/v1/chat/completions", chat)
    assert status == 200
    validated(ChatCompletion, value)
    status, value = server.call("/v1/chat/completions", {"messages": QUESTION, "tools": [TIMER]})
    assert status == 200 and value["choices"][0]["finish_reason"] == "tool_calls"
    validated(ChatCompletion, value)
    status, value = server.call("/v1/completions", {"prompt": ["a", [5, 6]], "logprobs": 2, "max_tokens": 3})
    assert status == 200
    validated(Completion, value)
    streamed = {**chat, "stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
    for body in (streamed, {"messages": QUESTION, "tools": [TIMER], "stream": True}):
        _, text = server.call("/v1/chat/completions", body)
        events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        assert events[-1] == "[DONE]" and len(events) > 3
        for event in events[:-1]:
            validated(ChatCompletionChunk, json.loads(event))


def test_logprobs_are_of_the_tokens_that_were_chosen(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="assistant", messages=QUESTION, logprobs=True, top_logprobs=4)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content is not None
    data = b"".join(bytes(token.bytes or []) for token in logprobs.content)
    assert data.decode() == ANSWER
    for token in logprobs.content:  # greedy: the most probable one
        assert len(token.top_logprobs) == 4 and token.top_logprobs[0].token == token.token
        assert 0 >= token.logprob == token.top_logprobs[0].logprob > token.top_logprobs[1].logprob


def test_choices_have_random_tokens_of_their_own_and_a_seed_gives_them_again(client: OpenAI) -> None:
    def texts(seed: int) -> list[str | None]:
        answer = client.completions.create(
            model="assistant", prompt="Set", n=4, seed=seed, temperature=2.0, max_tokens=12
        )
        assert answer.usage is not None and answer.usage.completion_tokens >= sum(bool(c.text) for c in answer.choices)
        return [choice.text for choice in answer.choices]

    assert texts(1) == texts(1) != texts(2)
    assert len(set(texts(1))) > 1


def test_the_first_of_n_is_the_one_alone(client: OpenAI) -> None:
    def first(n: int) -> str:
        return (
            client.completions.create(model="assistant", prompt="Set", n=n, seed=7, temperature=2.0, max_tokens=12)
            .choices[0]
            .text
        )

    assert first(1) == first(3)


def test_completion_fields(client: OpenAI, server: Server) -> None:
    def text(**fields: Any) -> str:
        body = {"prompt": "abc", "max_tokens": 8, **fields}
        return client.post("/completions", cast_to=Completion, body=body).choices[0].text

    plain = text()
    assert text(echo=True) == "abc" + plain
    assert text(stop=plain[2:4]) == plain[: plain.index(plain[2:4])]
    _, told = server.call("/tokenize", {"prompt": plain, "add_special_tokens": False})
    assert server.call("/detokenize", {"tokens": told["tokens"]})[1]["prompt"] == plain
    wanted = told["tokens"][0]
    _, told = server.call("/detokenize", {"tokens": [wanted] * 8})
    assert text(logit_bias={str(wanted): 100}) == told["prompt"] != plain
    logprobs = client.completions.create(model="assistant", prompt="abc", max_tokens=8, logprobs=0).choices[0].logprobs
    assert logprobs is not None and "".join(logprobs.tokens or []) == plain
    assert text(frequency_penalty=2.0) != plain
    streamed = client.completions.create(model="assistant", prompt="abc", max_tokens=8, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == plain


def test_tools(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="assistant", messages=QUESTION, tools=[TIMER])
    message = answer.choices[0].message
    assert message.content is None and message.tool_calls is not None
    call = message.tool_calls[0]
    assert call.type == "function" and call.function.name == "set_timer"
    assert json.loads(call.function.arguments) == {"duration": "5m"}

    with client.chat.completions.stream(model="assistant", messages=QUESTION, tools=[TIMER]) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion().choices[0]
    assert final.finish_reason == "tool_calls" and final.message.tool_calls is not None
    assert final.message.tool_calls[0].function.name == "set_timer"

    without = client.chat.completions.create(model="assistant", messages=QUESTION, tools=[TIMER], tool_choice="none")
    assert without.choices[0].message.tool_calls is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [TIMER], "tool_choice": "required"}, "tool_choice"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_completion_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"extra_body": {"best": 1}}, "best"),
        ({"store": True}, "store"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(client: OpenAI, fields: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        client.chat.completions.create(model="assistant", messages=QUESTION, **fields)
    assert info.value.param == param and param in info.value.message


def test_a_prompt_longer_than_the_context(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        client.chat.completions.create(model="assistant", messages=[{"role": "user", "content": "timer " * 4000}])
    assert info.value.code == "context_length_exceeded" and info.value.param == "messages"
    assert "exceeds the available context size" in info.value.message
    body: Any = info.value.body
    assert body["n_ctx"] == 2048 < body["n_prompt_tokens"]


def test_embeddings_say_that_there_are_none(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        client.embeddings.create(model="assistant", input="hello")
    assert info.value.param == "model"


def test_a_full_queue_is_retried_by_the_client() -> None:
    with serving("--sequences", "1", "--queue", "0") as server:
        slow = OpenAI(base_url=f"{server.base}/v1", api_key="none", max_retries=0)
        stream = slow.completions.create(model="assistant", prompt="abc", max_tokens=1900, stream=True)
        next(iter(stream))
        with pytest.raises(openai.RateLimitError) as info:
            slow.completions.create(model="assistant", prompt="abc", max_tokens=1)
        assert int(info.value.response.headers["retry-after"]) >= 1
        stream.close()  # its place is free within a step
        server.wait_for("edge_answers_inside", 0, 2.0)
        stream = slow.completions.create(model="assistant", prompt="abc", max_tokens=400, stream=True)
        next(iter(stream))
        patient = slow.with_options(max_retries=10)
        assert patient.completions.create(model="assistant", prompt="abc", max_tokens=1).choices[0].text
        assert server.metric("edge_queue_refused_total") >= 2


def test_a_key() -> None:
    key = "k" * 20
    with serving(environment={"EDGE_API_KEY": key}) as server:
        with pytest.raises(openai.AuthenticationError):
            OpenAI(base_url=f"{server.base}/v1", api_key="k" * 19, max_retries=0).models.list()
        assert OpenAI(base_url=f"{server.base}/v1", api_key=key).models.list().data
        assert server.call("/health")[0] == 200 and server.call("/metrics")[0] == 401
        assert key not in server.output
