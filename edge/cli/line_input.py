"""What somebody types: lines with editing and history, and messages of several lines."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.sessions.places import user_data_folder

__all__ = ["history_file", "read_message", "start_line_editing"]

PROMPT, MORE = "> ", "... "
_QUOTES = '"""'
_MAX_HISTORY = 1000


def history_file(environment: Mapping[str, str]) -> Path | None:
    """The file that EDGE_CHAT_HISTORY names, or else one in the user's data folder; None for "off" and no home."""
    named = environment.get("EDGE_CHAT_HISTORY", "")
    if named:
        return None if named == "off" else Path(named).expanduser()
    folder = user_data_folder(environment)
    return None if folder is None else folder / "chat_history"


def start_line_editing(path: Path | None) -> None:
    """Line editing for input(), where the system has it, with the lines of earlier chats; both on a terminal only."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    try:
        import readline
    except ImportError:
        return
    if path is None:
        return
    try:
        readline.read_history_file(path)
    except OSError:
        pass  # none yet, or not ours to read: the chat works without
    readline.set_history_length(_MAX_HISTORY)

    def keep() -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # what is typed is nobody else's business
            readline.write_history_file(path)
        except OSError as error:
            print(f"edge: the lines of this chat are not kept in {path}: {error.strerror}", file=sys.stderr)

    atexit.register(keep)


def read_message(read_line: Callable[[str], str], *, is_terminal: bool) -> str:
    '''A message: a line; lines that end in a backslash and the one behind them; or all between two """.

    Raises EOFError when there is none, KeyboardInterrupt.
    '''
    line = read_line(PROMPT if is_terminal else "")
    more = MORE if is_terminal else ""
    lines: list[str] = []
    if line.lstrip().startswith(_QUOTES):
        line = line.lstrip().removeprefix(_QUOTES)
        while not line.rstrip().endswith(_QUOTES):
            lines.append(line)
            try:
                line = read_line(more)
            except EOFError:
                return "\n".join(lines).strip("\n")
        lines.append(line.rstrip().removesuffix(_QUOTES))
        return "\n".join(lines).strip("\n")
    while line.endswith("\\"):
        lines.append(line[:-1])
        try:
            line = read_line(more)
        except EOFError:
            return "\n".join(lines)
    return "\n".join([*lines, line])
