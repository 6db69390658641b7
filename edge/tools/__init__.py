"""Tools of a conversation: what the caller gives a model, and the calls that the model writes."""

from __future__ import annotations

from edge.tools.call import Call, ToolCall
from edge.tools.choice import Choice, ToolChoice, choice_of
from edge.tools.formats import FORMATS, ToolFormat, format_of
from edge.tools.given import MAX_CHARACTERS, MAX_TOOLS, function_tools
from edge.tools.parser import CallParser, Said

__all__ = [
    "FORMATS",
    "MAX_CHARACTERS",
    "MAX_TOOLS",
    "Call",
    "CallParser",
    "Choice",
    "Said",
    "ToolCall",
    "ToolChoice",
    "ToolFormat",
    "choice_of",
    "format_of",
    "function_tools",
]
