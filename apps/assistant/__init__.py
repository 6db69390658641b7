"""The local assistant: tools that act on this device, planned by a model that runs on it. Import as `edge.assistant`.

from edge.assistant import Assistant, AssistantSettings

with edge.load(sequences=2) as model, Assistant(model, AssistantSettings(Path("data"))) as assistant:
    print(assistant.ask("what is 12 times 7").answer)
"""

from __future__ import annotations

if __name__ != "edge.assistant":
    raise ImportError("import this package as edge.assistant")

from edge.assistant.assistant import Assistant
from edge.assistant.errors import AssistantError, Busy, Conflict, NotFound, StoreError, ToolFailure
from edge.assistant.records import Call, Turn
from edge.assistant.settings import AssistantSettings
from edge.assistant.tool import Result, Tool, parameters

__all__ = [
    "Assistant",
    "AssistantError",
    "AssistantSettings",
    "Busy",
    "Call",
    "Conflict",
    "NotFound",
    "Result",
    "StoreError",
    "Tool",
    "ToolFailure",
    "Turn",
    "parameters",
]
