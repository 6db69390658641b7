"""Rendering follows Hugging Face: its filters and tags, errors with lines, and data that stays data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from edge.errors import RequestError, TemplateError
from edge.templates import ChatTemplate, render

_USER = [{"role": "user", "content": "<b>é</b> \"q\" 'a'"}]


def _render(source: str, messages: list[Any] | None = None, **fields: Any) -> str:
    return ChatTemplate(source).render(_USER if messages is None else messages, **fields)


def test_variables() -> None:
    source = "{{ bos_token }}|{{ eos_token }}|{{ add_generation_prompt }}|{{ tools is none }}|{{ documents }}|{{ x }}"
    assert render(source, _USER, bos_token="<s>", eos_token="</s>", extra={"x": 1}) == "<s>|</s>|True|True|None|1"
    assert render(source, _USER, bos_token="", eos_token="", add_generation_prompt=False) == "||False|True|None|"


def test_tojson_escapes_nothing_for_html() -> None:
    assert _render("{{ messages[0].content|tojson }}") == '"<b>é</b> \\"q\\" \'a\'"'
    assert _render("{{ {'b': 1, 'a': [none, true, 1.5]}|tojson }}") == '{"b": 1, "a": [null, true, 1.5]}'
    assert _render("{{ {'b': 1, 'a': 2}|tojson(indent=2, sort_keys=true) }}") == '{\n  "a": 2,\n  "b": 1\n}'
    assert _render("{{ 'é'|tojson(ensure_ascii=true) }}") == '"\\u00e9"'
    assert _render("{{ {'a': 1}|tojson(separators=(',', ':')) }}") == '{"a":1}'


def test_blocks_are_trimmed_as_in_hugging_face() -> None:
    assert _render("  {% if true %}\n  x\n  {% endif %}\ny\n") == "  x\ny"


def test_generation_tag_and_loop_controls() -> None:
    assert _render("a{% generation %}b{{ 1 }}{% endgeneration %}c") == "ab1c"
    assert (
        _render(
            "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% elif i > 3 %}{% break %}{% endif %}"
            "{{ i }}{% endfor %}"
        )
        == "013"
    )


def test_loops_know_their_length() -> None:
    source = (
        "{% for m in 'abc' %}{{ loop.index }}/{{ loop.length }}{{ m }}{% if not loop.last %},{% endif %}{% endfor %}"
    )
    assert _render(source) == "1/3a,2/3b,3/3c"
    assert _render("{% for m in [] %}x{% else %}none{% endfor %}{% for m in nothing %}x{% endfor %}") == "none"
    assert _render("{% for a, b in {'x': 1}.items() %}{{ a }}{{ b }}{% endfor %}") == "x1"
    assert (
        _render(
            "{% for x in [1, [2]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}"
            "{% endfor %}"
        )
        == "1(2)"
    )


def test_methods_of_plain_values() -> None:
    assert (
        _render("{{ ' a,b '.strip().split(',')[1].upper() }}{{ '-'.join(['x', 'y']) }}{{ 'x'.startswith('x') }}")
        == "Bx-yTrue"
    )
    assert (
        _render("{{ {'a': 1}.get('b', 2) }}{{ {'a': 1}.keys()|list }}{{ '{}-{b:>3}'.format(1, b=2) }}") == "2['a']1-  2"
    )
    assert (
        _render("{{ '%s/%02d' % ('a', 7) }}{{ 'ab' * 2 }}{{ [1] + [2] }}{{ 2 ** 3 }}{{ 7 % 4 }}") == "a/07abab[1, 2]83"
    )


def test_date_is_the_callers() -> None:
    now = lambda: datetime(2026, 7, 4, 5, 6)  # noqa: E731
    assert _render("{{ strftime_now('%d %b %Y %-H') }}", now=now) == "04 Jul 2026 5"


def test_errors_name_the_line() -> None:
    with pytest.raises(TemplateError, match="^chat template, line 3: no system role$"):
        _render("a\n{% if true %}\n{{ raise_exception('no system role') }}\n{% endif %}")
    with pytest.raises(TemplateError, match="^chat template, line 2: 'nothing' is undefined$"):
        _render("a\n{{ nothing.x }}")
    with pytest.raises(TemplateError, match="^chat template, line 2: division by zero$"):
        _render("\n{{ 1 / 0 }}")
    with pytest.raises(TemplateError, match="^chat template, line 1: 'NoneType' object is not iterable$"):
        _render("{% for t in tools %}{% endfor %}")


def test_messages_are_copied_and_checked() -> None:
    messages = ({"role": "user", "content": [{"type": "text", "text": "a"}]},)
    assert ChatTemplate("{{ messages[0].content[0].text }}{{ messages|length }}").render(messages) == "a1"
    for value, message in (
        (object(), r"messages\[0\].content is of type object"),
        (b"x", r"messages\[0\].content is of type bytes"),
        ({1: 2}, r"messages\[0\].content has a key of type int"),
    ):
        with pytest.raises(RequestError, match=message):
            _render("", [{"role": "user", "content": value}])
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(RequestError, match="nested more than 64 deep"):
        _render("", [{"role": "user", "content": deep}])


def test_shield_is_applied_to_texts_but_not_to_roles() -> None:
    source = "{% for m in messages %}{{ m.role }}:{{ m.content }}{{ m.extra[0].text }}{% endfor %}{{ tools[0].name }}"
    messages = [{"role": "user", "content": "a", "extra": [{"type": "text", "text": "b"}]}]
    assert _render(source, messages, tools=[{"name": "t"}], shield=str.upper) == "user:ABT"


def test_large_conversations_fit() -> None:
    """The budget grows with the conversation: it is for templates that make much out of little."""
    messages = [{"role": "user", "content": f"message {number} " + "x" * 2000} for number in range(2000)]
    source = "{% for m in messages %}<|{{ m.role }}|>\n{{ m['content'] | trim + '<|end|>' }}\n{% endfor %}"
    out = ChatTemplate(source).render(messages)
    assert len(out) > 4_000_000 and out.endswith("x<|end|>\n")


def test_one_template_serves_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    template = ChatTemplate("{% for i in range(200) %}{{ messages[0].content }}{% endfor %}")

    def render_number(number: int) -> str:
        return template.render([{"role": "user", "content": str(number)}])

    with ThreadPoolExecutor(4) as pool:
        outs = list(pool.map(render_number, range(8)))
    assert outs == [str(n) * 200 for n in range(8)]
