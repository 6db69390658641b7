"""The conversation of `edge chat`, and of `edge run` without a prompt: Ctrl-C ends an answer, Ctrl-D leaves."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from edge.cli.answer import Answerer
from edge.cli.interrupt import forget_interrupt
from edge.errors import EdgeError

PROMPT = "> "


def chat_loop(answerer: Answerer) -> int:
    """Reads lines and answers them until the input ends; returns the exit code."""
    try:
        __import__("readline")  # line editing for input(), where the system has it
    except ImportError:
        pass
    model = answerer.model
    print(f"{model.path} · {model.backend} · context {model.context} tokens", file=sys.stderr)
    hint = "Ctrl-C ends an answer, Ctrl-D leaves."
    if not answerer.uses_template:
        hint += f" {answerer.template_note[0].upper()}{answerer.template_note[1:]}: every line is a prompt of its own."
    print(hint, file=sys.stderr)
    history: list[Mapping[str, Any]] = [] if answerer.session is None else list(answerer.session.messages)
    prompt = PROMPT if sys.stdin.isatty() else ""
    while True:
        try:
            line = input(prompt)
        except EOFError:
            if prompt:
                print()
            return 0
        except KeyboardInterrupt:
            forget_interrupt()
            print("\n(Ctrl-D leaves)", file=sys.stderr)
            continue
        if not line.strip():
            continue
        history.append({"role": "user", "content": line})
        try:
            completion = answerer.answer(history)
        except EdgeError as error:
            history.pop()  # the conversation goes on without the question that failed
            print(f"edge: {error}", file=sys.stderr)
            continue
        history.append({"role": "assistant", "content": completion.text})
