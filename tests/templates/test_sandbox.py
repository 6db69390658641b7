"""Nothing in the corpora renders, and each refusal comes quickly and is a TemplateError."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from edge.errors import TemplateError
from edge.templates import ChatTemplate
from tests.templates.corpus import BOMBS, ESCAPES

_MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("source", ESCAPES)
def test_escapes_are_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        ChatTemplate(source).render(_MESSAGES)
    assert _MESSAGES == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("source", BOMBS)
def test_bombs_are_stopped(source: str) -> None:
    template = ChatTemplate(source)
    start = time.thread_time()
    with pytest.raises(TemplateError):
        template.render(_MESSAGES)
    assert time.thread_time() - start < 0.2
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            template.render(_MESSAGES, clock=lambda: 0.0)  # tracing takes time; the steps alone must end it
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_corpora_are_large_enough() -> None:
    assert len(set(ESCAPES)) == len(ESCAPES) >= 60 and len(set(BOMBS)) == len(BOMBS) >= 60


def test_the_clock_stops_what_the_steps_do_not() -> None:
    """Each look at this clock takes a second."""
    seconds = iter(range(100))
    with pytest.raises(TemplateError, match="longer than 0.15 seconds"):
        ChatTemplate("{% for i in range(9999) %}{{ i }}{% endfor %}").render(
            _MESSAGES, clock=lambda: float(next(seconds))
        )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ x", "line 1"),
        ("a\nb\n{% if %}", "line 3"),
        ("{% endfor %}", "line 1"),
        ("{% unknown %}", "line 1"),
        ("{{ 1|nothing }}", "line 1: No filter named 'nothing'"),
        ("{{ 'a' is nothing }}", "line 1: No test named 'nothing'"),
        ("x" * (128 * 1024 + 1), "131073 characters long, at most 131072"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
        ("{% if a %}" * 2000, "chat template"),
        ("{% for a in b %}" * 300 + "{% endfor %}" * 300, "chat template"),
        ("{{ " + "9" * 5000 + " }}", "chat template"),
        ("{{ a" + ".b" * 20000 + " }}", "chat template"),
        ("{{ " + "-" * 20000 + "1 }}", "nested too deeply"),
    ],
)
def test_bad_sources_are_refused(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        ChatTemplate(source).render(_MESSAGES)
    assert message in str(caught.value) and len(str(caught.value)) < 600
