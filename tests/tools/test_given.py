"""`tools=` of chat and stream_chat: what is refused and where, and what the model is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import edge
from apps.assistant_model.chat_template import CHAT_TEMPLATE, tools_as_json
from edge.tools import MAX_CHARACTERS, MAX_TOOLS, function_tools

_PARAMETERS = {"type": "object", "properties": {"minutes": {"type": "integer", "description": "how long"}}}
_WATER = {"name": "water_plants", "description": "water the plants", "parameters": _PARAMETERS}
_LINE = "water the plants>water_plants(how long:minutes)\n"
_TOJSON = "{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% endfor %}"


def _prompt(lines: str) -> str:
    return f"<|tools|>\n{lines}<|user|>hello<|assistant|>"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Iterator[edge.Model]:
    """Random weights under the bundled model's template."""
    path = write_model(tmp_path_factory.mktemp("tools") / "assistant.gguf", template=CHAT_TEMPLATE, context=8192)
    with edge.load(path) as model:
        yield model


def test_both_forms_are_one() -> None:
    wrapped = {"type": "function", "function": _WATER}
    assert function_tools([_WATER]) == function_tools([wrapped]) == function_tools(({"function": _WATER},)) == [wrapped]
    assert function_tools([{"type": "function", **_WATER}]) == [wrapped]
    assert function_tools([]) == []


def test_optional_fields() -> None:
    bare = [{"type": "function", "function": {"name": "f"}}]
    assert function_tools([{"name": "f"}]) == bare
    assert function_tools([{"name": "f", "description": None, "parameters": None}]) == bare
    assert function_tools([{"name": "f", "strict": True}])[0]["function"]["strict"] is True  # the template's to judge


def test_what_the_caller_gave_is_not_changed() -> None:
    tool = {"type": "function", "function": {"name": "f", "description": None}}
    function_tools([tool])
    assert tool == {"type": "function", "function": {"name": "f", "description": None}}


def _nested() -> list[object]:
    held: list[object] = []
    held.append(held)
    return held


_REFUSED: list[tuple[Any, str]] = [
    ("x", r"^tools is of type str, it must be a list of function tools$"),
    ({"name": "f"}, r"^tools is of type dict, it must be a list"),
    (7, r"^tools is of type int"),
    ([{"name": "f"}, "g"], r"^tools\[1\] is of type str, it must be an object$"),
    ([None], r"^tools\[0\] is None"),
    ([{}], r"^tools\[0\] has no name$"),
    ([{"type": "function", "function": {}}], r"^tools\[0\].function has no name$"),
    ([{"type": "function", "function": []}], r"^tools\[0\].function is of type list, it must be an object$"),
    ([{"type": "retrieval"}], r"""^tools\[0\].type is 'retrieval', it must be "function"$"""),
    ([{"name": 3}], r"^tools\[0\].name is of type int, it must be text$"),
    ([{"name": ""}], r"^tools\[0\].name is '', it must be 1 to 64 letters"),
    ([{"function": {"name": "a b"}}], r"^tools\[0\].function.name is 'a b', it must be"),
    ([{"name": "f\n"}], r"^tools\[0\].name is 'f\\n'"),
    ([{"name": "é"}], r"^tools\[0\].name is 'é'"),
    ([{"name": "1f"}], r"^tools\[0\].name is '1f'"),
    ([{"name": "f" * 65}], r"^tools\[0\].name is 'f{65}'"),
    ([{"name": "f" * 999}], r"^tools\[0\].name is 'f{80}'\.\.\., it must be"),
    ([{"name": "f"}, {"name": "g"}, {"name": "f"}], r"^tools\[2\].name is 'f', which is already .* tools\[0\]$"),
    ([{"name": "f", "description": 3}], r"^tools\[0\].description is of type int, it must be text$"),
    ([{"name": "f", "parameters": []}], r"^tools\[0\].parameters is of type list, it must be an object$"),
    ([{"name": "f", "parameters": {}}], r"""^tools\[0\].parameters has no type, it must be "object"$"""),
    ([{"name": "f", "parameters": {"type": "array"}}], r"^tools\[0\].parameters.type is 'array', it must be"),
    (
        [{"name": "f", "parameters": {"type": "object", "properties": []}}],
        r"^tools\[0\].parameters.properties is of type list",
    ),
    (
        [{"name": "f", "parameters": {"type": "object", "properties": {"x": "str"}}}],
        r"^tools\[0\].parameters.properties\['x'\] is of type str, it must be an object$",
    ),
    ([{"name": "f", 3: 4}], r"^tools\[0\] has a key of type int, it must be text$"),
    ([{"name": f"f{n}"} for n in range(MAX_TOOLS + 1)], r"^tools holds 257 tools, at most 256 are allowed$"),
    ([{"name": "f", "description": "x" * MAX_CHARACTERS}], r"^tools is larger than 1048576 characters and values$"),
    ([{"name": "f", "extra": _nested()}], r"^tools is larger than"),
]


@pytest.mark.parametrize(("tools", "message"), _REFUSED)
def test_refusals_name_the_place(tools: Any, message: str) -> None:
    with pytest.raises(edge.RequestError, match=message):
        function_tools(tools)


def test_names_at_the_limits() -> None:
    for name in ("f", "_", "F" * 64, "a.b-c_9"):
        assert function_tools([{"name": name}])[0]["function"]["name"] == name
    assert len(function_tools([{"name": f"f{n}"} for n in range(MAX_TOOLS)])) == MAX_TOOLS


def test_chat_puts_the_tools_into_the_prompt(assistant: edge.Model) -> None:
    def tokens(prompt: str) -> tuple[int, ...]:
        return assistant.generate(prompt, parse_special=True, max_tokens=8).tokens

    given = assistant.chat("hello", tools=[_WATER], max_tokens=8)
    assert given.tokens == tokens(_prompt(_LINE))
    with assistant.stream_chat("hello", tools=[_WATER], max_tokens=8) as stream:
        assert "".join(token.text for token in stream) == given.text
    assert assistant.chat("hello", tools=[], max_tokens=8).tokens == tokens(_prompt(""))
    default = assistant.chat("hello", max_tokens=8)
    assert default.usage.prompt_tokens > 1000
    assert default.tokens == assistant.chat("hello", tools=None, max_tokens=8).tokens
    assert assistant.chat("hello", tools=tools_as_json(), max_tokens=1).usage.prompt_tokens > 2000


def test_chat_refuses_malformed_tools(assistant: edge.Model) -> None:
    with pytest.raises(edge.RequestError, match=r"^tools\[0\].name is 'a b'"):
        assistant.chat("hello", tools=[{"name": "a b"}])
    schema = {"type": "object", "properties": {"x": {"default": b""}}}
    with pytest.raises(edge.RequestError, match=r"tools\[0\].*\.default is of type bytes"):
        assistant.chat("hello", tools=[{"name": "f", "parameters": schema}])


def test_control_tokens_in_tools_stay_text(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    """In names too, and in a template that writes them as they are. A byte is a token, so is a control token."""
    path = write_model(tmp_path / "tojson.gguf", template=_TOJSON, context=2048)

    def tool(text: str) -> dict[str, Any]:
        properties = {text: {"type": text, "enum": [text], "role": text}}
        return {"name": "f", "description": text, "parameters": {"type": "object", "properties": properties}}

    with edge.load(path) as model:
        forged, plain = (
            model.chat("hello", tools=[tool(text)], max_tokens=1).usage.prompt_tokens
            for text in ("<|im_end|>", "-" * len("<|im_end|>"))
        )
    assert forged == plain


def test_a_template_without_tools_refuses_them(tiny_model: Path, bare_model: Path) -> None:
    with edge.load(tiny_model) as model:
        assert not model.takes_tools
        with pytest.raises(edge.RequestError, match=r"tools: the chat template of .*tiny.gguf never mentions them"):
            model.chat("hello", tools=[_WATER])
        # No tools are given, so nothing is left out.
        assert model.chat("hello", tools=[], max_tokens=2).tokens == model.chat("hello", max_tokens=2).tokens
    with edge.load(bare_model) as model:
        assert not model.takes_tools
        with pytest.raises(edge.RequestError, match="no chat template"):
            model.chat("hello", tools=[_WATER])


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (CHAT_TEMPLATE, True),
        ("{% if tools %}x{% endif %}", True),
        ("{% if tools is defined %}x{% endif %}", True),
        ("{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}", True),
        ("{% macro m() %}{{ tools | tojson }}{% endmacro %}{{ m() }}", True),
        ("tools {# tools #}{{ 'tools' }}{{ messages[0].tools }}", False),
        ("{% set tools = [] %}{{ tools }}", False),
        ("{% for tools in messages %}{{ tools }}{% endfor %}", False),
    ],
)
def test_what_counts_as_taking_tools(source: str, reads: bool) -> None:
    from edge.templates import ChatTemplate

    assert ("tools" in ChatTemplate(source).variables) is reads
