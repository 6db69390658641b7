"""A tool of one's own beside the built-in ones: the model sees its name, its description and its schema.

    python examples/own_tool.py "/roll_dice count=3"

The bundled model was made for the built-in tools and knows others badly; a larger one (edge.load("model.gguf")) calls
this one by itself. A request that begins with / is the call itself.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import edge
from edge.assistant import Assistant, AssistantSettings, Result, Tool, ToolFailure, parameters


def roll(arguments: dict[str, Any]) -> Result:
    count = arguments.get("count", 1)
    if count > 20:
        raise ToolFailure("At most twenty dice fit on the table.")
    dice = [random.randint(1, 6) for _ in range(count)]
    return Result(f"{' and '.join(map(str, dice))}, {sum(dice)} in all.", {"dice": dice})


DICE = Tool(
    name="roll_dice",
    description="roll dice",
    parameters=parameters(count={"type": "integer", "description": "how many", "minimum": 1}),
    run=roll,
    effect="read",  # it changes nothing, so nobody is asked
)


def main(request: str) -> None:
    with tempfile.TemporaryDirectory() as data, edge.load(sequences=2) as model:
        with Assistant(model, AssistantSettings(Path(data)), tools=[DICE]) as assistant:
            print(assistant.ask(request).answer)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "/roll_dice count=2")
