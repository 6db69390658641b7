"""The real client from PyPI: every endpoint, streams, tools, errors, retries; our JSON against its types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import openai
import pytest
from openai import OpenAI
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel, Field

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


def _tool(properties: dict[str, Any], name: str = "set_timer") -> ChatCompletionToolParam:
    parameters: dict[str, object] = {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": parameters}}


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


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
        body = {"prompt": "turn on the", "max_tokens": 8, **fields}
        return client.post("/completions", cast_to=Completion, body=body).choices[0].text

    plain = text()
    assert text(echo=True) == "turn on the" + plain
    assert text(stop=plain[2:4]) == plain[: plain.index(plain[2:4])]
    _, told = server.call("/tokenize", {"prompt": plain, "add_special_tokens": False})
    assert server.call("/detokenize", {"tokens": told["tokens"]})[1]["prompt"] == plain
    wanted = server.call("/tokenize", {"prompt": "x", "add_special_tokens": False})[1]["tokens"][0]
    _, told = server.call("/detokenize", {"tokens": [wanted] * 8})
    assert text(logit_bias={str(wanted): 100}) == told["prompt"] != plain
    logprobs = (
        client.completions.create(model="assistant", prompt="turn on the", max_tokens=8, logprobs=0).choices[0].logprobs
    )
    assert logprobs is not None and "".join(logprobs.tokens or []) == plain
    assert text(frequency_penalty=2.0) != plain
    streamed = client.completions.create(model="assistant", prompt="turn on the", max_tokens=8, stream=True)
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


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_must_come_and_obeys_its_schema(client: OpenAI, stream: bool) -> None:
    """Of a question that the model would answer in words."""
    room = _tool({"room": {"enum": ["kitchen", "hall"]}, "percent": {"type": "integer", "minimum": 3, "maximum": 5}})
    other = _tool({"text": {"type": "string", "maxLength": 5}}, "say")
    hello: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]

    def calls(**fields: Any) -> list[tuple[str, dict[str, Any]]]:
        chats: Any = client.chat.completions
        asked: dict[str, Any] = {"model": "assistant", "messages": hello, "max_tokens": 200, **fields}
        answer: ChatCompletion
        if not stream:
            answer = chats.create(**asked)
        else:
            with chats.stream(**asked) as events:
                answer = events.until_done().get_final_completion()
        choice = answer.choices[0]
        assert choice.finish_reason == "tool_calls" and not choice.message.content
        assert len({call.id for call in choice.message.tool_calls or ()}) == len(choice.message.tool_calls or ())
        return [
            (call.function.name, json.loads(call.function.arguments))
            for call in choice.message.tool_calls or ()
            if call.type == "function"
        ]

    named = calls(tools=[room, other], tool_choice={"type": "function", "function": {"name": "set_timer"}})
    ((name, arguments),) = named
    assert name == "set_timer" and arguments["room"] in ("kitchen", "hall") and 3 <= arguments["percent"] <= 5
    assert set(arguments) == {"room", "percent"}
    assert len(calls(tools=[room, other], tool_choice="required", parallel_tool_calls=False)) == 1
    for name, arguments in calls(tools=[other], tool_choice="required", parallel_tool_calls=True):
        assert name == "say" and len(arguments["text"]) <= 5


def test_a_result_goes_back(client: OpenAI) -> None:
    first = client.chat.completions.create(model="assistant", messages=QUESTION, tools=[TIMER]).choices[0].message
    assert first.tool_calls
    said: Any = first.model_dump(exclude_none=True)
    more: list[ChatCompletionMessageParam] = [*QUESTION, said, {"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="assistant", messages=more, tools=[TIMER])
    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls


class Light(BaseModel):
    """What `parse` makes a schema of."""

    room: Literal["kitchen", "hall"]
    percent: Annotated[int, Field(ge=0, le=100)]
    dimmed: bool | None


def test_parse(client: OpenAI) -> None:
    question: list[ChatCompletionMessageParam] = [{"role": "user", "content": "dim the kitchen light"}]
    answer = client.chat.completions.parse(model="assistant", messages=question, response_format=Light)
    assert isinstance(answer.choices[0].message.parsed, Light)
    texts = set[str | None]()
    many = client.chat.completions.parse(
        model="assistant", messages=question, response_format=Light, n=4, temperature=2.0, seed=5
    )
    for choice in many.choices:
        assert isinstance(choice.message.parsed, Light) and choice.finish_reason == "stop"
        texts.add(choice.message.content)
    assert len(texts) > 1
    with client.chat.completions.stream(model="assistant", messages=question, response_format=Light) as stream:
        final = stream.until_done().get_final_completion()
    assert final.choices[0].message.parsed == answer.choices[0].message.parsed


def test_forms_of_response_format(client: OpenAI) -> None:
    chats: Any = client.chat.completions

    def answer(form: Any, **fields: Any) -> Any:
        asked: dict[str, Any] = {"messages": QUESTION, "response_format": form, "max_tokens": 100, **fields}
        return chats.create(model="assistant", **asked).choices[0]

    assert answer({"type": "text"}).message.content == ANSWER
    free = answer({"type": "json_object"})
    assert free.message.content.startswith("{")
    assert free.finish_reason == "length" or isinstance(json.loads(free.message.content), dict)
    # An answer of the form that was asked for is no call, whatever it looks like.
    call: Any = {"type": "object", "properties": {"name": {"const": "set_timer"}, "arguments": {"const": {}}},
            "required": ["name", "arguments"], "additionalProperties": False}  # fmt: skip
    calls = answer(_json_schema({"type": "array", "items": call, "minItems": 1, "maxItems": 1}))
    assert json.loads(calls.message.content) == [{"name": "set_timer", "arguments": {}}]
    assert calls.message.tool_calls is None and calls.finish_reason == "stop"
    with_tools = answer(_json_schema({"const": "yes"}), tools=[TIMER], tool_choice="none")
    assert json.loads(with_tools.message.content) == "yes"


def test_thinking_is_parted_from_the_answer(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    """Random weights, and a template that opens the thinking."""
    template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"
        "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}{# </think> #}"
    )
    path = write_model(tmp_path / "thinker.gguf", template=template, context=1024)
    with serving(str(path)) as server:
        client = OpenAI(base_url=f"{server.base}/v1", api_key="none", max_retries=0)
        chats: Any = client.chat.completions

        def ask(**fields: Any) -> Any:
            return chats.create(model="thinker", messages=QUESTION, max_tokens=60, **fields).choices[0].message

        budget = {"thinking_budget": 7}
        thought = ask(extra_body=budget)
        assert thought.model_extra["reasoning_content"] and thought.content
        stream = client.chat.completions.create(
            model="thinker", messages=QUESTION, max_tokens=60, stream=True, extra_body=budget
        )
        deltas = [chunk.choices[0].delta for chunk in stream]
        assert "".join(delta.content or "" for delta in deltas) == thought.content
        reasoning = "".join((delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas)
        assert reasoning == thought.model_extra["reasoning_content"]
        held = ask(extra_body=budget, response_format=_json_schema({"enum": ["yes", "no"]}))
        assert json.loads(held.content) in ("yes", "no")
        assert held.model_extra["reasoning_content"] == reasoning
        off = ask(extra_body={"chat_template_kwargs": {"enable_thinking": False}})
        assert "reasoning_content" not in off.model_extra
        with pytest.raises(openai.BadRequestError) as info:  # the template knows no tools
            ask(tools=[TIMER])
        assert info.value.param == "tools"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"response_format": _json_schema({"type": "array", "uniqueItems": True})}, "response_format"),
        ({"response_format": {"type": "json_object"}, "tools": [TIMER]}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TIMER], "tool_choice": {"type": "function", "function": {"name": "rm"}}}, "tool_choice"),
        ({"tools": [_tool({"a": {"type": "array", "uniqueItems": True}})], "tool_choice": "required"}, "tools"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}, "chat_template_kwargs"),
        ({"extra_body": {"thinking_budget": 5}}, "thinking_budget"),
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
    assert str(info.value.param).partition(".")[0] == param and param in info.value.message
    assert ".gguf" not in info.value.message  # nor where it lies


def test_a_prompt_longer_than_the_context(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        client.chat.completions.create(model="assistant", messages=[{"role": "user", "content": "timer " * 4000}])
    assert info.value.code == "context_length_exceeded" and info.value.param == "messages"
    assert "exceeds the available context size" in info.value.message
    body: Any = info.value.body
    assert body["n_ctx"] == 2048 < body["n_prompt_tokens"]


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
