"""Parts of documents that commands write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.marked_parts import replaced

ROOT = Path(__file__).parents[2]
TEXT = "before\n<!-- speed: python -m x -->\nold\n<!-- end of speed -->\nafter\n"


def test_what_stands_between_the_marks_is_replaced() -> None:
    new = replaced(TEXT, "speed", "one\ntwo")
    assert new == "before\n<!-- speed: python -m x -->\none\ntwo\n<!-- end of speed -->\nafter\n"
    assert replaced(new, "speed", "old") == TEXT


@pytest.mark.parametrize(
    "text",
    ["", TEXT + TEXT, "<!-- end of speed -->\n<!-- speed: x -->\n", TEXT.replace("<!-- speed", "<!-- speeds")],
)
def test_marks_that_are_not_there_once_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="speed"):
        replaced(text, "speed", "new")


def test_the_assistants_page_has_the_parts_that_its_command_writes() -> None:
    text = (ROOT / "docs" / "assistant.md").read_text()
    for name in ("accuracy", "retrieval", "latency"):
        assert replaced(text, name, "").count(f"<!-- {name}: python -m scripts.assistant_tables") == 1
        assert re.search(rf"<!-- {name}:[^\n]*\n(?:.+\n|\n)+?<!-- end of {name} -->", text), "it is written"
