"""How answers look: in a pipe, on a terminal, with and without colour, as Markdown."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.markdown import Block, Blocks
from edge.cli.screen import Screen, call_text, takes_colour
from edge.results import Token
from edge.tools import ToolCall

_CALL = ToolCall("abcdefghi", "now", {"where": "Rome\x1b[2J", "n": 1})
_ANSWER = [
    Token("", 1, reasoning="hm\x1b"),
    Token("", 1, reasoning=" ok"),
    Token("Yes\x07. ", 2, content="Yes\x07."),
    Token('[{"name":"now"}]', 3, content="", tool_calls=(_CALL,)),
]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(out: io.StringIO, *, names_calls: bool) -> str:
    screen = Screen(out, names_calls=names_calls)
    for token in _ANSWER:
        screen.show(token)
    screen.end()
    return out.getvalue()


def test_in_a_pipe_there_is_the_answer_alone() -> None:
    assert _shown(io.StringIO(), names_calls=False) == 'Yes\x07. [{"name":"now"}]\n'
    assert _shown(io.StringIO(), names_calls=True) == 'Yes\x07.\n-> now(where="Rome\\u001b[2J", n=1)\n'


def test_on_a_terminal_thinking_is_dim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert _shown(_Terminal(), names_calls=True).startswith("\x1b[2mhm ok\n\x1b[22m\nYes.\n-> now(")
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        assert _shown(_Terminal(), names_calls=True).startswith("[thinking]\nhm ok\n[/thinking]\nYes.\n-> now(")
        assert "\x1b" not in _shown(_Terminal(), names_calls=True)
        monkeypatch.setenv("TERM", "xterm")


def test_lines_end() -> None:
    for texts, expected in (([], "\n"), (["a"], "a\n"), (["a\n"], "a\n"), (["a", "\n", "b"], "a\nb\n")):
        out = io.StringIO()
        screen = Screen(out)
        for text in texts:
            screen.show(Token(text, 1, content=text))
        screen.end()
        assert out.getvalue() == expected
    out = io.StringIO()
    screen = Screen(out)
    screen.end(failed=True)
    assert out.getvalue() == ""


def test_what_takes_colour() -> None:
    assert takes_colour(_Terminal(), {"TERM": "xterm", "NO_COLOR": ""})
    assert not takes_colour(_Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not takes_colour(_Terminal(), {"TERM": "dumb"}) and not takes_colour(_Terminal(), {})
    assert not takes_colour(io.StringIO(), {"TERM": "xterm"})


def test_long_values_of_a_call_are_cut() -> None:
    assert len(call_text(ToolCall("a", "f", {"x": "y" * 10_000}))) < 250


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("one\ntwo\n\nthree", ["one\ntwo\n\n", "three"]),
        ("```py\na\n\nb\n```\nc", ["```py\na\n\nb\n```\n", "c"]),
        ("~~~\n```\n~~~\nx", ["~~~\n```\n~~~\n", "x"]),
        ("````\n```\n````\n", ["````\n```\n````\n"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nx\n", ["| a | b |\n|---|---|\n| 1 | 2 |\n\n", "x\n"]),
        ("```\nopen", ["```\nopen"]),
        ("", []),
    ],
)
def test_blocks(text: str, blocks: list[str]) -> None:
    for size in (1, 3, 1000):
        cutter = Blocks()
        found = [block for at in range(0, len(text), size) for block in cutter.push(text[at : at + size])]
        assert [*found, *cutter.finish()] == [Block(block) for block in blocks]


def test_long_code_is_drawn_in_pieces() -> None:
    cutter = Blocks()
    lines = [f"line {number}\n" for number in range(30)]
    found = [block for text in ["```py\n", *lines, "```\n", "end"] for block in cutter.push(text)]
    found += cutter.finish()
    assert [block.goes_on for block in found] == [False, True, True, False]
    code = [block.text for block in found[:-1]]
    assert found[-1].text == "end" and all(text.startswith("```py\n") and text.endswith("```\n") for text in code)
    assert "".join(text.removeprefix("```py\n").removesuffix("```\n") for text in code) == "".join(lines)


@given(st.text(alphabet="`~a \n#|-", max_size=60), st.integers(1, 7))
def test_blocks_do_not_depend_on_pieces(text: str, size: int) -> None:
    def blocks(size: int) -> list[Block]:
        cutter = Blocks()
        found = [block for at in range(0, len(text), size) for block in cutter.push(text[at : at + size])]
        return [*found, *cutter.finish()]

    assert blocks(size) == blocks(max(1, len(text)))
