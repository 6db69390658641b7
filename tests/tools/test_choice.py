"""What tool_choice may be."""

from __future__ import annotations

from typing import Any

import pytest

from edge.errors import RequestError
from edge.tools import Choice, choice_of, function_tools

_TOOLS = function_tools([{"name": "now"}, {"name": "rest"}])


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        (None, Choice()),
        ("auto", Choice()),
        ("none", Choice("none")),
        ("required", Choice("required")),
        ("now", Choice("required", "now")),
        ({"type": "function", "function": {"name": "rest"}}, Choice("required", "rest")),
    ],
)
def test_choices(value: Any, choice: Choice) -> None:
    assert choice_of(value, _TOOLS) == choice


@pytest.mark.parametrize(
    ("value", "tools", "message"),
    [
        ("later", _TOOLS, "tool_choice names 'later'; the tools are now, rest"),
        ("required", [], "tool_choice is 'required', and there are no tools"),
        ({"type": "function"}, _TOOLS, "tool_choice must be"),
        ({"type": "x", "function": {"name": "now"}}, _TOOLS, "tool_choice must be"),
        ({"type": "function", "function": {"name": 1}}, _TOOLS, "tool_choice must be"),
    ],
)
def test_refused_choices(value: Any, tools: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        choice_of(value, tools)
