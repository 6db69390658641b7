"""Answers of chats through the whole engine: thinking and calls told apart, forced, and fed back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.forcing import Forcing, ForcingRules

_NOW: dict[str, Any] = {"name": "now", "description": "the time", "parameters": {"type": "object", "properties": {}}}
_TOOLS = "{% if tools %}<tools>{{ tools | tojson }}</tools> <tool_call>{% endif %}"
_MESSAGES = (
    "{% for m in messages %}[{{ m.role }}]{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}"
    "{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}<|im_end|>{% endfor %}"
)
_SWITCH = "[assistant]{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
_OPENS = "[assistant]{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}</think>"


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Iterator[edge.Model]:
    """A template that takes tools and a switch; random weights, a byte is a token."""
    path = write_model(
        tmp_path_factory.mktemp("chat") / "thinker.gguf", template=_TOOLS + _MESSAGES + _SWITCH, context=4096
    )
    with edge.load(path, context=2048, sequences=4) as model:
        yield model


@pytest.fixture(scope="module")
def open_thinker(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Iterator[edge.Model]:
    """A template that opens the thinking itself."""
    source = _TOOLS + _MESSAGES + _OPENS.removesuffix("</think>") + "{# </think> #}"
    path = write_model(tmp_path_factory.mktemp("chat") / "open.gguf", template=source, context=4096)
    with edge.load(path) as model:
        yield model


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[edge.Model, str], None]:
    """Makes a model answer with a text, token by token, as if it had chosen them."""

    def script(model: edge.Model, text: str) -> None:
        ids = (*model.tokenizer.encode(text, add_special=False), 257)
        rules = ForcingRules(None, False, None, (), ids)

        def forcing(*_: object) -> Forcing:
            return Forcing(model.tokenizer, rules)

        monkeypatch.setattr("edge.chat_prompt.ChatPrompts._forcing", forcing)

    return script


def test_what_a_template_can_do(thinker: edge.Model, tiny_model: Path) -> None:
    assert thinker.thinks and thinker.takes_thinking and thinker.takes_tools and thinker.tool_format == "hermes"
    with edge.load(tiny_model) as model:
        assert (model.thinks, model.takes_thinking, model.tool_format) == (False, False, None)


def test_an_answer_in_parts(thinker: edge.Model, says: Callable[[edge.Model, str], None]) -> None:
    written = '<think>\nhm é\n</think>\n\nLook: <tool_call>{"name": "now"}</tool_call>'
    says(thinker, written)
    with thinker.stream_chat("hi", tools=[_NOW]) as stream:
        tokens = list(stream)
        answer = stream.completion()
    assert answer.reasoning == "hm é" and answer.content == "Look:" and answer.problems == ()
    assert answer.text == 'Look: <tool_call>{"name": "now"}</tool_call>' and answer.finish_reason == "stop"
    (call,) = answer.tool_calls
    assert (call.name, call.arguments, call.arguments_json) == ("now", {}, "{}") and len(call.id) == 9
    assert "".join(token.text for token in tokens) == answer.text
    assert "".join(token.reasoning for token in tokens) == answer.reasoning
    assert "".join(token.content for token in tokens) == answer.content
    assert [call for token in tokens for call in token.tool_calls] == [call]
    assert answer.as_message() == {
        "role": "assistant",
        "content": "Look:",
        "reasoning_content": "hm é",
        "tool_calls": [{"id": call.id, "type": "function", "function": {"name": "now", "arguments": {}}}],
    }


def test_what_is_no_call_stays_text(thinker: edge.Model, says: Callable[[edge.Model, str], None]) -> None:
    text = '<tool_call>{"name": "rm"}</tool_call>'
    says(thinker, text)
    answer = thinker.chat("hi", tools=[_NOW])
    assert (answer.content, answer.tool_calls, answer.problems) == (text, (), ("there is no tool 'rm'",))
    no_tools: list[Any] = [None, []]
    for tools in no_tools:  # nothing can be called
        answer = thinker.chat("hi", tools=tools)
        assert (answer.content, answer.tool_calls, answer.problems) == (text, (), ())


def test_a_call_is_forced(thinker: edge.Model) -> None:
    for choice in ("now", {"type": "function", "function": {"name": "now"}}):
        answer = thinker.chat("hi", tools=[_NOW], tool_choice=choice, max_tokens=50)
        assert answer.text.startswith('<tool_call>\n{"name": "now", "arguments": {')
        assert answer.problems or answer.tool_calls
    assert thinker.chat("hi", tools=[_NOW], tool_choice="required", max_tokens=30).text.startswith(
        '<tool_call>\n{"name":'
    )
    free = thinker.chat("hi", tools=[_NOW], max_tokens=9)
    auto = thinker.chat("hi", tools=[_NOW], max_tokens=9, tool_choice="auto")
    assert free.tokens == auto.tokens
    none = thinker.chat("hi", tools=[_NOW], tool_choice="none", max_tokens=9)
    assert none.tokens == thinker.chat("hi", max_tokens=9).tokens
    assert none.usage.prompt_tokens < free.usage.prompt_tokens  # the tools are not even shown


_LIGHT: dict[str, Any] = {
    "name": "light",
    "parameters": {
        "type": "object",
        "properties": {"room": {"enum": ["hall", "kitchen"]}, "on": {"type": "boolean"}},
        "required": ["room", "on"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_call_that_must_come_obeys_its_schema(
    thinker: edge.Model, open_thinker: edge.Model, temperature: float
) -> None:
    options: dict[str, Any] = {"temperature": temperature, "seed": 4, "max_tokens": 600, "tools": [_NOW, _LIGHT]}
    for model, budget in ((thinker, None), (open_thinker, 5)):
        answer = model.chat("hi", tool_choice="light", thinking_budget=budget, **options)
        (call,) = answer.tool_calls
        assert call.name == "light" and call.arguments["room"] in ("hall", "kitchen")
        assert type(call.arguments["on"]) is bool and set(call.arguments) == {"room", "on"}
        assert answer.finish_reason == "stop" and not answer.content and not answer.problems
        assert bool(answer.reasoning) == (budget is not None)
    options |= {"tools": [_LIGHT], "parallel_tool_calls": False}
    one = thinker.chat("hi", tool_choice="required", **options)
    assert len(one.tool_calls) == 1 and one.text.endswith("</tool_call>")


def test_an_answer_ends_with_its_first_call(thinker: edge.Model, says: Callable[[edge.Model, str], None]) -> None:
    says(thinker, '<tool_call>{"name": "now"}</tool_call> and <tool_call>{"name": "now"}</tool_call>')
    assert len(thinker.chat("hi", tools=[_NOW]).tool_calls) == 2
    one = thinker.chat("hi", tools=[_NOW], parallel_tool_calls=False)
    assert len(one.tool_calls) == 1 and one.finish_reason == "stop" and not one.content
    wrong: Any = "no"
    with pytest.raises(edge.RequestError, match="parallel_tool_calls is 'no'; it must be True or False"):
        thinker.chat("hi", tools=[_NOW], parallel_tool_calls=wrong)


def test_only_the_beginning_is_forced_without_a_grammar(thinker: edge.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.call_grammar.can_hold", lambda: False)
    answer = thinker.chat("hi", tools=[_LIGHT], tool_choice="light", max_tokens=80)
    assert answer.text.startswith('<tool_call>\n{"name": "light", "arguments": {') and answer.problems


def test_a_form_holds_behind_the_thinking(open_thinker: edge.Model) -> None:
    schema = {"enum": ["yes", "no"]}
    budget: dict[str, Any] = {"schema": schema, "thinking_budget": 9}
    answer = open_thinker.chat("hi", **budget)
    assert json.loads(answer.text) in ("yes", "no") and answer.finish_reason == "stop"
    data = b"".join(open_thinker.tokenizer.token_bytes(token) for token in answer.tokens)
    assert data[9:] == b"\n</think>" + answer.text.encode()
    # Without a budget it thinks as long as it likes, but cannot end before the form.
    cut = open_thinker.chat("hi", schema=schema, max_tokens=50, logit_bias={257: 100.0})
    assert cut.finish_reason == "length" and not cut.text and 257 not in cut.tokens
    with pytest.raises(edge.RequestError, match="schema holds the whole answer, so tool_choice cannot demand a call"):
        open_thinker.chat("hi", tools=[_NOW], tool_choice="now", schema=schema)


def test_forks_within_and_behind_the_thinking(open_thinker: edge.Model) -> None:
    options: dict[str, Any] = {"regex": "[a-z]{30}", "thinking_budget": 6, "temperature": 1.0, "seed": 1}
    alone = open_thinker.chat("hi", **options)
    for length in (3, 6 + len("\n</think>"), 30):
        with open_thinker.stream_chat("hi", **options) as stream:
            for _ in range(length):
                next(stream)
            forks = [stream.fork(), stream.fork(restart=True)]
            assert stream.completion().tokens == alone.tokens
            for fork in forks:
                text = fork.completion().text
                assert len(text) == 30 and text.islower() and text.isascii()


def test_a_thinking_budget(thinker: edge.Model, open_thinker: edge.Model) -> None:
    for budget in (0, 1, 7):
        answer = open_thinker.chat("hi", thinking_budget=budget, max_tokens=60)
        data = b"".join(open_thinker.tokenizer.token_bytes(token) for token in answer.tokens)
        assert data[budget : budget + len("\n</think>\n\n")] == b"\n</think>\n\n"
        assert len(answer.reasoning) <= budget and answer.text
    # Random weights never open a thinking of their own, so there is none to end.
    assert thinker.chat("hi", thinking_budget=0, max_tokens=20).tokens == thinker.chat("hi", max_tokens=20).tokens
    # A call that must come, comes behind the thinking that the prompt opened.
    answer = open_thinker.chat("hi", tools=[_NOW], tool_choice="now", thinking_budget=3, max_tokens=80)
    assert answer.text.startswith('<tool_call>\n{"name": "now"')


def test_forced_tokens_are_the_same_beside_others_and_in_forks(thinker: edge.Model) -> None:
    options: dict[str, Any] = {"tools": [_NOW], "tool_choice": "now", "max_tokens": 90, "temperature": 1.0, "seed": 3}
    alone = thinker.chat("hi", **options)
    streams = [thinker.stream_chat(text, **options) for text in ("one", "hi", "three")]
    fork = None
    for step in range(200):
        for stream in streams:
            next(stream, None)
        if step == 5:
            fork = streams[1].fork()
    assert fork is not None
    assert streams[1].completion().tokens == alone.tokens
    beginning = len('<tool_call>\n{"name": "now", "arguments":')
    assert fork.completion().tokens[:beginning] == alone.tokens[:beginning]
    for stream in streams:
        stream.close()


def test_forced_tokens_outlive_being_set_aside(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    path = write_model(tmp_path / "open.gguf", template=_MESSAGES + "[assistant]<think>{# </think> #}", context=1024)
    options: dict[str, Any] = {"thinking_budget": 300, "max_tokens": 500}
    with edge.load(path, sequences=3, kv_tokens=1024) as model:
        alone = [model.chat(text, **options).tokens for text in ("one", "two", "three")]
        streams = [model.stream_chat(text, **options) for text in ("one", "two", "three")]
        assert [stream.completion().tokens for stream in streams] == alone
        assert model.stats.preemptions > 0
        assert all(b"</think>" in bytes(tokens[300:315]) for tokens in alone)


def test_the_switch(thinker: edge.Model, tiny_model: Path) -> None:
    plain = thinker.chat("hi", max_tokens=1).usage.prompt_tokens
    assert thinker.chat("hi", thinking=True, max_tokens=1).usage.prompt_tokens == plain
    off = thinker.chat("hi", thinking=False, max_tokens=1).usage.prompt_tokens
    assert off == plain + len("<think></think>")
    given = thinker.chat("hi", template_options={"enable_thinking": False}, max_tokens=1)
    assert given.usage.prompt_tokens == off


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thinking": True}, "thinking: the chat template of .*tiny.gguf has no switch for it"),
        ({"thinking": "no"}, "thinking is 'no'; it must be True or False"),
        ({"thinking_budget": 5}, "thinking_budget: the chat template of .*tiny.gguf shows no thinking"),
        ({"thinking_budget": -1}, "thinking_budget is -1; it must be a whole number from 0"),
        ({"template_options": {"x": 1}}, "template_options: the chat template of .*tiny.gguf reads no variable 'x'"),
        ({"template_options": {"messages": []}}, "reads no variable 'messages'"),
        ({"tool_choice": "required"}, "tool_choice is 'required': edge does not know how the chat template"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens is 1 and max_completion_tokens 2"),
    ],
)
def test_what_cannot_be_done_is_refused(tiny_model: Path, options: dict[str, Any], message: str) -> None:
    with edge.load(tiny_model) as model, pytest.raises(edge.RequestError, match=message):
        model.chat("hi", **options)


def test_tokens_by_the_newer_name(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        assert len(model.chat("hi", max_completion_tokens=3).tokens) == 3
        assert len(model.chat("hi", max_completion_tokens=3, max_tokens=3).tokens) == 3


def test_a_session_keeps_thinking_and_calls_as_messages(
    thinker: edge.Model, tmp_path: Path, says: Callable[[edge.Model, str], None]
) -> None:
    says(thinker, '<think>hm</think>Ok <tool_call>{"name": "now"}</tool_call>')
    with thinker.session(tmp_path / "s.edge-session") as session:
        session.chat("hi", tools=[_NOW])
        said = session.messages[-1]
    assert said["content"] == "Ok" and said["reasoning_content"] == "hm" and said["tool_calls"]
    with thinker.session(tmp_path / "s.edge-session") as again:
        assert again.messages[-1] == said
        assert again.chat({"role": "tool", "content": "12:00"}, max_tokens=2).usage.cached_tokens > 0


def test_calls_of_openais_api_are_fed_back(thinker: edge.Model) -> None:
    """Arguments as JSON in a text, and no content."""

    def size(arguments: object, content: object) -> int:
        call = {"id": "a" * 9, "type": "function", "function": {"name": "now", "arguments": arguments}}
        said = {"role": "assistant", "content": content, "tool_calls": [call]}
        messages: list[Any] = [{"role": "user", "content": "hi"}, said, {"role": "tool", "content": "12"}]
        return thinker.chat(messages, max_tokens=1).usage.prompt_tokens

    assert size({"a": 1}, "") == size(json.dumps({"a": 1}), None)


def test_the_bundled_models_calls() -> None:
    with edge.load() as model:
        assert model.tool_format == "assistant" and not model.thinks
        answer = model.chat("set a timer for ten minutes")
        assert [(call.name, dict(call.arguments)) for call in answer.tool_calls] == [("set_timer", {"duration": "10m"})]
        assert answer.content == "" and json.loads(answer.text)[0]["name"] == "set_timer"
        # The call goes back into the prompt in the model's own words: nothing of it is read again.
        more = [
            {"role": "user", "content": "set a timer for ten minutes"},
            answer.as_message(),
            {"role": "user", "content": "hello"},
        ]
        assert model.chat(more).usage.cached_tokens >= answer.usage.prompt_tokens // 32 * 32
        forced = model.chat("it is cold in here", tool_choice="get_weather", max_tokens=40)
        assert [call.name for call in forced.tool_calls][:1] == ["get_weather"]
        with pytest.raises(edge.RequestError, match="tool_choice names 'rest', which is none of the model's own tools"):
            model.chat("hello", tool_choice="rest")
        spoken = model.chat("hello")
        assert spoken.content == spoken.text and not spoken.tool_calls and not spoken.problems
        none = model.chat("set a timer for ten minutes", tool_choice="none")
        assert not none.tool_calls
