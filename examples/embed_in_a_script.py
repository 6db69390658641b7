"""The assistant inside a script: requests in, answers and state out, consent by a rule of one's own.

python examples/embed_in_a_script.py "add milk to the shopping list" "read the shopping list"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

import edge
from edge.assistant import Assistant, AssistantSettings, Call


def consent(call: Call) -> Literal["once", "refuse"]:
    """Lists may change; nothing else may."""
    return "once" if call.tool in ("add_to_list", "remove_from_list") else "refuse"


def main(requests: list[str]) -> None:
    with tempfile.TemporaryDirectory() as data, edge.load(sequences=2) as model:
        with Assistant(model, AssistantSettings(Path(data)), consent=consent) as assistant:
            conversation = None
            for request in requests:
                turn = assistant.ask(request, conversation)
                conversation = turn.conversation
                print(f"{request}\n  {turn.answer}")
            print(assistant.lists.all())


if __name__ == "__main__":
    main(sys.argv[1:] or ["add milk and bread to the shopping list", "turn off the hall light"])
