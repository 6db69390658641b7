"""The assistant on a terminal: a line is a request, consent is asked in line, timers ring between lines."""

from __future__ import annotations

import json
import sys
import threading

from edge.assistant.assistant import Assistant
from edge.assistant.bus import Event
from edge.assistant.consent import Answer
from edge.assistant.records import Call

__all__ = ["Terminal"]

_REASONS = {
    "first": "It changes something.",
    "untrusted": "Text of somebody else was read before: look closely.",
    "always_asks": "This is asked every time.",
}
_ANSWERS: dict[str, Answer] = {"y": "once", "yes": "once", "a": "always", "always": "always"}


class Terminal:
    """Reads lines until the input ends. In a pipe nothing is consented to unless `--allow` says so: every question is
    answered with no."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._asking = threading.Event()

    def run(self) -> int:
        assistant = self._assistant
        for notice in assistant.notices:
            print(notice, file=sys.stderr)
        conversation: int = assistant.conversations.create(assistant.now())["id"]
        end = assistant.bus.subscribe(self._tell)
        is_terminal = sys.stdin.isatty()
        try:
            while True:
                try:
                    line = input("> " if is_terminal else "")
                except EOFError:
                    return 0
                if line.strip():
                    self._answer(line, conversation)
        finally:
            end()

    def _answer(self, line: str, conversation: int) -> None:
        turn = self._assistant.start(line, conversation)
        try:
            self._assistant.wait(turn.id)
        except KeyboardInterrupt:
            self._assistant.stop(turn.id)
            self._assistant.wait(turn.id)
        turn = self._assistant.conversations.turn(turn.id)
        for note in turn.notes:
            print(f"({_harmless(note)})", file=sys.stderr)
        print(_harmless(turn.answer or turn.error or "(stopped)"), flush=True)

    def consent(self, call: Call) -> Answer:
        """Asks on the terminal."""
        print(f"{_harmless(call.as_json()['shown'])}\n  {_REASONS.get(call.reason or '', '')}", file=sys.stderr)
        if not sys.stdin.isatty():
            print("  Refused: nobody can be asked here; --allow names tools that may run.", file=sys.stderr)
            return "refuse"
        choices = "[y]es, [a]lways, [n]o" if call.may_remember else "[y]es, [n]o"
        try:
            answer = _ANSWERS.get(input(f"  Run it? {choices}: ").strip().casefold(), "refuse")
        except EOFError:
            return "refuse"
        return "once" if answer == "always" and not call.may_remember else answer

    def _tell(self, event: Event) -> None:
        if event.name in ("timer.ringing", "notice"):
            value = json.loads(event.data)
            print(
                f"\a* {_harmless(value['text'])}{' (it was due before)' if value.get('late') else ''}", file=sys.stderr
            )


def _harmless(text: str) -> str:
    """Without control characters, which could draw on the terminal."""
    return "".join(
        c if c == "\n" or (c >= " " and not "\x7f" <= c <= "\x9f") else "\N{REPLACEMENT CHARACTER}" for c in text
    )
