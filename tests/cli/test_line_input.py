"""Messages of one line and of several, and where lines are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.line_input import history_file, read_message


def _read(text: str) -> tuple[str, list[str]]:
    """The message of a text, and the prompts that were shown."""
    lines, prompts = iter(text.split("\n")), list[str]()

    def read_line(prompt: str) -> str:
        prompts.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    return read_message(read_line, is_terminal=True), prompts


@pytest.mark.parametrize(
    ("typed", "message", "num_lines"),
    [
        ("hello", "hello", 1),
        ("", "", 1),
        ("a\\\nb\\\n\\\nc", "a\nb\n\nc", 4),
        ("a\\", "a", 2),  # the input ends behind the backslash
        ('"""a"""', "a", 1),
        ('"""\na\n\n  b \\\n"""', "a\n\n  b \\", 5),
        ('  """a\nb"""  ', "a\nb", 2),
        ('"""a\nb', "a\nb", 3),
        ('say """a""" twice', 'say """a""" twice', 1),
    ],
)
def test_messages(typed: str, message: str, num_lines: int) -> None:
    assert _read(typed) == (message, ["> ", *["... "] * (num_lines - 1)])


def test_the_end_and_a_pipe() -> None:
    def no_line(prompt: str) -> str:
        assert prompt == ""
        raise EOFError

    with pytest.raises(EOFError):
        read_message(no_line, is_terminal=False)


def test_history_file() -> None:
    assert history_file({"EDGE_CHAT_HISTORY": "off", "HOME": "/home/me"}) is None
    assert history_file({"EDGE_CHAT_HISTORY": "/x/y"}) == Path("/x/y")
    assert history_file({"XDG_DATA_HOME": "/data"}) == Path("/data/edge/chat_history")
    assert history_file({}) is None
