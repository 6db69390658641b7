"""Completion in the shells themselves: a line is typed at a terminal, Tab pressed, and the shell asked for its line."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from tests.cli.test_help_and_completion import models

# How a shell is started without anybody's settings, and told to complete and to write its line to $LINE at Ctrl-X b.
SHELLS = {
    "bash": (
        ("bash", "--norc", "--noprofile", "-i"),
        'eval "$(edge completion bash)"; show() { echo "$READLINE_LINE" > "$LINE"; }; bind -x \'"\\C-xb": show\'',
    ),
    "zsh": (
        ("zsh", "-f", "-i"),
        'autoload -Uz compinit; compinit -u -D; eval "$(edge completion zsh)"; '
        "show() { print -r -- \"$BUFFER\" > $LINE }; zle -N show; bindkey '^Xb' show",
    ),
    "fish": (
        ("fish", "--no-config", "-i"),
        "edge completion fish | source; function show; commandline > $LINE; end; bind \\cxb show",
    ),
}
SECONDS = 30  # the machine may be busy


class Terminal:
    """A shell that someone sits at."""

    def __init__(self, descriptor: int, line: Path) -> None:
        self.descriptor = descriptor
        self.line = line
        self.screen = b""

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def look(self, seconds: float) -> None:
        while select.select([self.descriptor], [], [], seconds)[0]:
            self.screen += os.read(self.descriptor, 65536)

    def completed(self, typed: str) -> str:
        """What the line is after Tab."""
        self.line.unlink(missing_ok=True)
        self.type(typed + "\t\x18b\x15")  # Tab, its line written, Ctrl-U: an empty line
        deadline = time.monotonic() + SECONDS
        while not self.line.exists() or not (shown := self.line.read_text().strip()):
            assert time.monotonic() < deadline, f"{typed!r}: {self.screen[-2000:].decode(errors='replace')}"
            self.look(0.05)
        return shown


@contextmanager
def terminal(shell: str, folder: Path) -> Generator[Terminal]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (folder / "bin").mkdir()
    (edge := folder / "bin" / "edge").write_text(f'#!/bin/sh\nexec {sys.executable} -m edge "$@"\n')
    edge.chmod(0o755)
    command, setup = SHELLS[shell]
    line = folder / "line"
    variables = environment(models(folder / "models"))
    variables |= {"LINE": str(line), "HOME": str(folder), "TERM": "xterm", "PS1": "> "}
    variables["PATH"] = f"{folder / 'bin'}:{variables['PATH']}"
    child, descriptor = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, variables)
    try:
        opened = Terminal(descriptor, line)
        opened.type(f"{setup}; echo loa''ded\n")
        deadline = time.monotonic() + SECONDS
        while b"loaded" not in opened.screen:
            assert time.monotonic() < deadline, opened.screen
            opened.look(0.2)
        yield opened
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(descriptor)


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_models_and_files(shell: str, tmp_path: Path) -> None:
    (tmp_path / "some-model.gguf").write_bytes(b"x")
    with terminal(shell, tmp_path) as opened:
        assert opened.completed("edge compl") == "edge completion"
        assert opened.completed("edge run --temperat") == "edge run --temperature"
        assert opened.completed("edge plan me/tiny:Q8") == "edge plan me/tiny:Q8_0"
        assert opened.completed("edge plan ME/t") == "edge plan me/tiny:Q"  # as far as two models agree
        opened.type(f"cd {tmp_path}\n")
        assert opened.completed("edge show some-m") == "edge show some-model.gguf"


def lines(shell: Iterable[str], folder: Path) -> list[str]:
    done = subprocess.run(list(shell), env=environment(models(folder)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_fish_says_what_an_option_does_to_its_end(tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    (tmp_path / "edge").write_text(f'#!/bin/sh\nexec {sys.executable} -m edge "$@"\n')
    (tmp_path / "edge").chmod(0o755)
    script = f"set PATH {tmp_path} $PATH; edge completion fish | source; complete -C 'edge run --temp'"
    assert lines(("fish", "--no-config", "-c", script), tmp_path / "models") == [
        "--temperature\tRandomness. 0: greedy, always the same answer."
    ]
