"""The conversation on a terminal, driven through a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PATIENCE = 30.0


class Terminal:
    """`edge ARGS` on a pseudo-terminal."""

    def __init__(self, environment: dict[str, str], *args: str, term: str = "dumb") -> None:
        self._main, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", *args],
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment | {"TERM": term},
            start_new_session=True,
            close_fds=True,
        )
        os.close(other)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Reads until `text` has come since the last call."""
        assert self.appears(text, within=PATIENCE), f"no {text!r} in {self.seen!r}"

    def appears(self, text: str, *, within: float) -> bool:
        """Whether `text` comes within so many seconds; what stood before it counts as read."""
        deadline = time.monotonic() + within
        while text not in self.seen:
            if time.monotonic() >= deadline:
                return False
            self._read()
        self.seen = self.seen.split(text, 1)[1]
        return True

    def enter(self, text: str) -> None:
        os.write(self._main, text.encode())

    def exit_code(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read()
        return self.process.wait(1)

    def _read(self) -> None:
        if select.select([self._main], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self._main, 65536).decode(errors="replace")
            except OSError:
                pass  # Linux: the other side is closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._main)


def test_two_questions_and_goodbye(edge_environment: dict[str, str], tiny_model: Path) -> None:
    with Terminal(edge_environment, "run", str(tiny_model), "--max-tokens", "6") as terminal:
        terminal.wait_for("Ctrl-D leaves")
        terminal.wait_for("> ")
        terminal.enter("hello\n")
        terminal.wait_for("measured: ")
        terminal.wait_for("> ")
        terminal.enter("and you?\n")
        terminal.wait_for("measured: ")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0


def test_interrupt_ends_the_answer_and_not_the_chat(
    edge_environment: dict[str, str], tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    model = write_model(tmp_path / "long.gguf", context=200_000)
    with Terminal(edge_environment, "run", str(model), "--context", "200000") as terminal:
        terminal.wait_for("> ")
        terminal.enter("hello\n")
        time.sleep(1)
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for("ended by cancelled")
        terminal.wait_for("> ")
        for _ in range(20):  # readline writes the prompt before it starts to listen, and until then drops a Ctrl-C
            terminal.process.send_signal(signal.SIGINT)
            if terminal.appears("(Ctrl-D leaves)", within=1.0):
                break
        else:
            pytest.fail("Ctrl-C at the prompt says nothing")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0


def test_a_conversation_that_outgrows_the_context_goes_on(edge_environment: dict[str, str], tiny_model: Path) -> None:
    with Terminal(edge_environment, "run", str(tiny_model), "--max-tokens", "4") as terminal:
        terminal.wait_for("> ")
        terminal.enter("x" * 250 + "\n")
        terminal.wait_for("exceeds the available context size of 256")
        terminal.wait_for("> ")
        terminal.enter("hello\n")
        terminal.wait_for("measured: ")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0


def test_tools_hold_for_the_whole_conversation(
    edge_environment: dict[str, str], tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    template = "{{ tools[0].function.name }}{% for m in messages %}{{ m.content }}{% endfor %}"
    model = write_model(tmp_path / "tools.gguf", template=template)
    (tmp_path / "tools.json").write_text('[{"name": "abcdefgh"}]')
    options = ("--tools", str(tmp_path / "tools.json"), "--max-tokens", "1")
    with Terminal(edge_environment, "run", str(model), *options) as terminal:
        terminal.wait_for("> ")
        terminal.enter("x\n")
        terminal.wait_for("measured: 9 prompt")  # a byte is a token: the name and the question
        terminal.wait_for("> ")
        terminal.enter("y\n")
        terminal.wait_for("measured: 1")  # ten and what the answer's byte became
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0


@pytest.mark.parametrize("option", ["--raw"])
def test_without_template_lines_are_prompts(edge_environment: dict[str, str], tiny_model: Path, option: str) -> None:
    with Terminal(edge_environment, "run", str(tiny_model), option, "--max-tokens", "4") as terminal:
        terminal.wait_for("every line is a prompt of its own")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0
