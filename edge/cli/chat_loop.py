"""The conversation of `edge chat`, and of `edge run` without a prompt: Ctrl-C ends an answer, Ctrl-D leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from edge.cli.answer import Answerer
from edge.cli.chat_commands import UNNAMED, ChatCommands
from edge.cli.interrupt import forget_interrupt
from edge.cli.line_input import history_file, read_message, start_line_editing
from edge.errors import EdgeError
from edge.generate_options import Message


def chat_loop(answerer: Answerer) -> int:
    """Reads messages and answers them until the input ends; returns the exit code."""
    start_line_editing(history_file(os.environ))
    model = answerer.model
    print(f"{model.path} · {model.backend} · context {model.context} tokens", file=sys.stderr)
    hint = "Ctrl-C ends an answer, Ctrl-D leaves, /help lists commands."
    if not answerer.uses_template:
        hint += f" {answerer.template_note[0].upper()}{answerer.template_note[1:]}: every line is a prompt of its own."
    elif answerer.session is None:
        answerer.session = model.session(UNNAMED, adapter=answerer.adapter)
    print(hint, file=sys.stderr)
    commands = ChatCommands(answerer)
    try:
        while True:
            try:
                messages = _next_messages(commands)
                if messages:
                    commands.answered(answerer.answer(messages))
            except EOFError:
                return 0
            except EdgeError as error:
                print(f"edge: {error}", file=sys.stderr)  # the conversation goes on without the question that failed
    finally:
        commands.close()


def _next_messages(commands: ChatCommands) -> Sequence[Message]:
    """What to tell the model; nothing after an empty line or a command."""
    is_terminal = sys.stdin.isatty()
    try:
        line = read_message(input, is_terminal=is_terminal)
    except EOFError:
        if is_terminal:
            print()
        raise
    except KeyboardInterrupt:
        forget_interrupt()
        print("\n(Ctrl-D leaves)", file=sys.stderr)
        return ()
    if not line.strip():
        return ()
    if line.startswith("/") and not line.startswith("//"):
        return commands.run(line)
    return [{"role": "user", "content": line.removeprefix("/") if line.startswith("//") else line}]
