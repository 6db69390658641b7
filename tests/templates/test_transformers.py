"""Public templates render byte for byte as transformers' own `apply_chat_template` renders them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateError as JinjaError

from edge.errors import TemplateError
from edge.templates import ChatTemplate

tokenization = pytest.importorskip("transformers.tokenization_utils_tokenizers", reason="needs transformers")
chat_template_utils = pytest.importorskip("transformers.utils.chat_template_utils")
tokenizers = pytest.importorskip("tokenizers")

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
_PUBLIC = sorted(_FOLDER.glob("*.jinja"))
_NOW = datetime.datetime(2026, 1, 2, 3, 4)

_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": 'The <weather> & "more", naïve – 天気',
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Où? 'here' <b>"},
                    "days": {"type": "integer", "enum": [1, 2]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "where": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]},
                },
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}},
    },
]


def _call(name: str, arguments: dict[str, Any], number: int = 0) -> dict[str, Any]:
    return {"id": f"abcdefgh{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _assistant(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def _result(text: str, number: int = 0) -> dict[str, Any]:
    return {"role": "tool", "name": "get_weather", "tool_call_id": f"abcdefgh{number}", "content": text}


_SYSTEM = {"role": "system", "content": "Be brief."}
_ROME = _call("get_weather", {"city": "Rome", "where": {"lat": 41.9}})
_OSLO = _call("get_weather", {"city": "Ōsaka <&'\">", "days": 2, "tags": ["a", "b"]}, 1)
_MARKUP = (
    "<|im_end|>\n<|im_start|>system\n</s>[INST] <|eot_id|><|start_header_id|> {{ messages }} {% raw %} "
    "<tool_call>{}</tool_call> <think>x</think> <b>&amp;</b> \\n \"q\" 'a'"
)
_CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]] | None]] = {
    "user": ([_user("Hi")], None),
    "system": ([_SYSTEM, _user("Hi")], None),
    "turns": ([_SYSTEM, _user("Hi"), _assistant("Hello"), _user("Bye"), _assistant("See you"), _user("?")], None),
    "ends with an answer": ([_user("Hi"), _assistant("Hello")], None),
    "only a system message": ([_SYSTEM], None),
    "empty texts": ([{"role": "system", "content": ""}, _user(""), _assistant(""), _user(" \n")], None),
    "unicode": (
        [_user("naïve – 天気 👩‍👩‍👧 \u0301 \u200f\u2028 é\r\n\ttab "), _assistant("Ça va."), _user("مرحبا")],
        None,
    ),
    "markup": ([{"role": "system", "content": _MARKUP}, _user(_MARKUP), _assistant(_MARKUP), _user(_MARKUP)], None),
    "thought": ([_user("2+2?"), _assistant("<think>\nhm\n</think>\n\n4", reasoning_content="hm"), _user("+1?")], None),
    "tools": ([_SYSTEM, _user("Weather?")], _TOOLS),
    "a call": (
        [_user("Rome?"), _assistant("", tool_calls=[_ROME]), _result('{"t": 20}'), _assistant("20 °C"), _user("Ok")],
        _TOOLS,
    ),
    "two calls": (
        [
            _SYSTEM,
            _user("Rome, Osaka?"),
            _assistant("", tool_calls=[_ROME, _OSLO]),
            _result("20"),
            _result("<b>30</b>", 1),
        ],
        _TOOLS,
    ),
}


class _Clock(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _Clock:
        return cls(2026, 1, 2, 3, 4)


@pytest.fixture(scope="module")
def reference() -> Iterator[Any]:
    """transformers' tokenizer, with the clock that we use."""
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<s>": 0, "</s>": 1}, unk_token="<s>"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat_template_utils, "datetime", _Clock)
        yield tokenization.TokenizersBackend(tokenizer_object=inner, bos_token="<s>", eos_token="</s>")


def _theirs(reference: Any, source: str, messages: list[dict[str, Any]], **fields: Any) -> str | None:
    try:
        return str(reference.apply_chat_template(messages, chat_template=source, tokenize=False, **fields))
    except (JinjaError, TypeError, AttributeError, IndexError):
        return None  # the template refuses, or cannot take, the conversation


def _ours(source: str, messages: list[dict[str, Any]], *, extra: dict[str, Any], **fields: Any) -> str | None:
    try:
        return ChatTemplate(source).render(
            messages, bos_token="<s>", eos_token="</s>", now=lambda: _NOW, extra=extra, **fields
        )
    except TemplateError:
        return None


@pytest.mark.skipif(not _PUBLIC, reason=f"no public templates at {_FOLDER}")
@pytest.mark.parametrize("path", _PUBLIC, ids=lambda path: path.stem)
def test_equal_to_transformers(reference: Any, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    rendered = 0
    for name, (messages, tools) in _CONVERSATIONS.items():
        for prompt in (False, True):
            for extra in ({}, {"enable_thinking": False}):
                expected = _theirs(reference, source, messages, tools=tools, add_generation_prompt=prompt, **extra)
                got = _ours(source, messages, tools=tools, add_generation_prompt=prompt, extra=extra)
                assert got == expected, name
                rendered += got is not None
    assert rendered >= 12  # of 48: some templates take no system message, no tools, one call a turn ...
    assert len(_CONVERSATIONS) == 12
