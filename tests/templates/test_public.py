"""Public templates render as plain Jinja2 renders them with Hugging Face's settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edge.errors import TemplateError
from edge.templates import ChatTemplate

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
_PUBLIC = sorted(_FOLDER.glob("*.jinja"))
_NOW = datetime(2026, 1, 2, 3, 4)

_WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'The <weather> & "more"',
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "é"},
                "days": {"type": "integer", "enum": [1, 2]},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["city"],
        },
    },
}
_CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
_CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "user": [{"role": "user", "content": "Hi"}],
    "system": [
        {"role": "system", "content": "Be <b>brief</b>."},
        {"role": "user", "content": " Hi é\n"},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello"},
        {"role": "user", "content": "Bye"},
    ],
    "tools": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [_CALL]},
        {"role": "tool", "name": "weather", "tool_call_id": "abcdefghi", "content": '{"t": 20}'},
        {"role": "assistant", "content": "20 degrees"},
        {"role": "user", "content": "Thanks"},
    ],
}


class _Generation(Extension):
    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("write"), [], [], body).set_lineno(line)

    def write(self, caller: Callable[[], str]) -> str:
        return caller()


def _reference(source: str, **variables: Any) -> str:
    """What transformers does."""

    def tojson(value: object, ensure_ascii: bool = False, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, **options)

    def raise_exception(message: str) -> None:
        raise JinjaError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = tojson
    functions = {"raise_exception": raise_exception, "strftime_now": _NOW.strftime}
    return environment.from_string(source).render(documents=None, **functions, **variables)


def _both(source: str, messages: list[dict[str, Any]], **fields: Any) -> tuple[str | None, str | None]:
    """What the reference and we render; None for a refusal."""
    fields = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "tools": None, **fields}
    try:
        expected = _reference(source, messages=messages, **fields)
    except (JinjaError, TypeError, RecursionError):
        expected = None
    try:
        got = ChatTemplate(source).render(messages, now=lambda: _NOW, **fields)
    except TemplateError:
        got = None
    return expected, got


@pytest.mark.skipif(not _PUBLIC, reason=f"no public templates at {_FOLDER}")
@pytest.mark.parametrize("path", _PUBLIC, ids=lambda path: path.stem)
def test_public_templates(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    rendered = 0
    for messages in _CONVERSATIONS.values():
        for tools in (None, [_WEATHER]):
            for add_generation_prompt in (False, True):
                expected, got = _both(source, messages, tools=tools, add_generation_prompt=add_generation_prompt)
                assert got == expected
                rendered += got is not None
    assert rendered >= 4  # one conversation at least, or nothing was compared


_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": _TEXT}), max_size=5
)
_CHATML = (
    "{%- for message in messages %}\n  {{- '<|im_start|>' + message.role + '\\n' + message['content']|trim }}"
    "<|im_end|>\n"
    "{% endfor %}\n{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@settings(max_examples=60, deadline=None)
@given(messages=_MESSAGES, tools=st.none() | st.just([_WEATHER]))
def test_random_conversations(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> None:
    sources = [_CHATML, *(path.read_text(encoding="utf-8") for path in _PUBLIC if path.stem.startswith("Qwen-Qwen3"))]
    for source in sources:
        expected, got = _both(source, messages, tools=tools)
        assert got == expected


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                *("{{ messages[0].content }}", "{{ x }}", "{{ 'a' ~ x ~ 1 }}", "{% set x = [1, 'b', none] %}"),
                *("{% for y in x or 'ab' %}{{ loop.index0 }}{{ y }}{{ loop.nextitem }}{% endfor %}", "{{ x|tojson }}"),
                *("{{ x|join('-') }}", "{{ 'ab'|upper|center(7) }}", "{{ [3, 1, 2]|sort|first }}", "\n  text \n"),
                *("{% macro m(a, b='d') %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(b=2) }}",),
                *("{% if x is defined and x is not none %}yes{% elif messages %}no{% endif %}", "{{- ' s ' -}}"),
                *(
                    "{{ messages|map(attribute='role')|list }}",
                    "{{ messages|selectattr('role', 'equalto', 'user')|list }}",
                ),
                *("{% set n = namespace(v=0) %}{% for m in messages %}{% set n.v = n.v + 1 %}{% endfor %}{{ n.v }}",),
                *("{{ messages[0].content|replace('a', '<')|e }}", "{{ {'k': (1, 2)} }}", "{{ [1, 2][::-1] }}"),
                *(
                    "{% call m2() %}in{% endcall %}",
                    "{% macro m2() %}<{{ caller() }}>{% endmacro %}{% call m2() %}i{% endcall %}",
                ),
                *(
                    "{% set c %}cap{{ x }}{% endset %}{{ c|length }}{{ c }}",
                    "{% filter upper %}f{{ x }}{% endfilter %}",
                ),
                *("{{ 'a' if x else 'b' }}", "{{ '%s-%s'|format('p', 2) }}", "{{ x is mapping }}{{ x is string }}"),
                *(
                    "{{ 'a b c'.split()|last }}",
                    "{{ messages[1:]|length }}",
                    "{{ 5 // 2 }}{{ 5 / 2 }}{{ -5 }}{{ 2 > 1 }}",
                ),
            ]
        ),
        max_size=8,
    ),
    content=_TEXT,
)
def test_random_templates(pieces: list[str], content: str) -> None:
    expected, got = _both("".join(pieces), [{"role": "user", "content": content}])
    assert got == expected
