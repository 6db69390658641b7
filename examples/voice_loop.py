"""The skeleton of a voice assistant: bring `listen` and `speak`, and the loop does the rest. Here both are text.

    printf 'set a timer for one second\nyes\nwhat time is it\n' | python examples/voice_loop.py

What changes something is read out and wants a "yes". A timer that rings is spoken as soon as it rings, whatever is
being said.
"""

from __future__ import annotations

import json
import queue
import sys
import tempfile
import threading
from pathlib import Path
from typing import Literal

import edge
from edge.assistant import Assistant, AssistantSettings, Call


def listen() -> str | None:
    """The next thing that is said, None when nobody will say more. Yours: a speech recogniser."""
    line = sys.stdin.readline()
    return line.strip() if line else None


def speak(text: str) -> None:
    """Yours: a speech synthesiser."""
    print(text, flush=True)


def main() -> None:
    speech: queue.Queue[str | None] = queue.Queue()

    def consent(call: Call) -> Literal["once", "refuse"]:
        speech.put(f"{call.tool.replace('_', ' ')}, {', '.join(map(str, call.arguments.values()))}. Shall I?")
        return "once" if (listen() or "").casefold() in ("yes", "yes please", "do it") else "refuse"

    def speaker() -> None:  # one voice: sentences one after another
        while (text := speech.get()) is not None:
            speak(text)

    voice = threading.Thread(target=speaker)
    voice.start()
    try:
        with tempfile.TemporaryDirectory() as data, edge.load(sequences=2) as model:
            with Assistant(model, AssistantSettings(Path(data)), consent=consent) as assistant:
                assistant.warm_up()
                assistant.bus.subscribe(
                    lambda event: speech.put(json.loads(event.data)["text"]) if event.name == "timer.ringing" else None
                )
                conversation = None
                while (said := listen()) is not None:
                    if said:
                        turn = assistant.ask(said, conversation)
                        conversation = turn.conversation
                        speech.put(turn.answer or turn.error or "That did not work.")
    finally:
        speech.put(None)
        voice.join()


if __name__ == "__main__":
    main()
