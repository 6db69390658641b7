"""How models write calls, by the chat template that taught them to.

The forms are those of the templates and model cards: Hermes and Qwen (NousResearch/Hermes-Function-Calling), Llama 3.1
and 3.2 (Meta's prompt-format pages), Mistral (mistral-common), Command R7B, Granite 3.3, and the bundled model's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.tools.call import Call

__all__ = ["CALL_ID", "FORMATS", "ToolFormat", "format_of"]

CALL_ID = "[CALL_ID]"  # between a name and its arguments_mark, by some versions of Mistral's format


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """One way to write calls.

    opening: what stands before the call or calls, "" when they begin the answer without a mark. closing: what stands
    behind them, "" for nothing. arguments_mark: stands between the name and the arguments, which are then all that is
    JSON. is_array: the calls of an answer are one JSON array, not objects of their own.
    """

    name: str
    told_by: tuple[str, ...]  # all of these stand in a template that teaches it
    opening: str
    closing: str = ""
    arguments_mark: str = ""
    is_array: bool = False
    bare: bool = False  # an answer that begins with the JSON itself is a call too
    has_python_calls: bool = False
    name_key: str = "name"
    arguments_key: str = "arguments"
    separator: str = ", "  # between the members of its JSON
    colon: str = ": "
    has_own_tools: bool = False  # the template names tools when the caller gives none

    @property
    def argument_keys(self) -> tuple[str, ...]:
        """Models mix them up."""
        return tuple(dict.fromkeys((self.arguments_key, "arguments", "parameters")))

    @property
    def marks(self) -> tuple[str, ...]:
        """Tokens that must be seen as text, where they are control tokens."""
        behind_name = (self.arguments_mark, CALL_ID) if self.arguments_mark else ()
        return tuple(filter(None, (self.opening.strip(), self.closing.strip(), *behind_name)))

    def examples(self, name: str | None) -> list[str]:
        """Calls that have in common only how any call begins; name: of that tool."""
        if name is None:
            return [self.write([Call(other, {})]) for other in ("a", "_", "Z0")]
        some: tuple[dict[str, Any], ...] = ({}, {"a": 1}, {"_": ""}, {"Z0": []})
        return [self.write([Call(name, arguments)]) for arguments in some]

    def write(self, calls: Sequence[Call]) -> str:
        """Calls as the model would write them."""
        if self.arguments_mark:
            return "".join(
                f"{self.opening}{call.name}{self.arguments_mark}{json.dumps(call.arguments, ensure_ascii=False)}"
                for call in calls
            )
        texts = [
            json.dumps(
                {self.name_key: call.name, self.arguments_key: call.arguments},
                ensure_ascii=False,
                separators=(self.separator, self.colon),
            )
            for call in calls
        ]
        if self.is_array:
            return f"{self.opening}[{self.separator.join(texts)}]{self.closing}"
        return "\n".join(f"{self.opening}{text}{self.closing}" for text in texts)


# The first that fits counts. Templates with <function=...> inside <tool_call> (Qwen3-Coder) teach another form.
FORMATS = (
    ToolFormat("assistant", ("'<|tools|>\\n'",), "", is_array=True, bare=True, separator=",", colon=":",
               has_own_tools=True),
    ToolFormat("mistral-args", ("[TOOL_CALLS]", "[ARGS]"), "[TOOL_CALLS]", arguments_mark="[ARGS]"),
    ToolFormat("mistral", ("[TOOL_CALLS]",), "[TOOL_CALLS]", is_array=True),
    ToolFormat("command-r", ("<|START_ACTION|>", "tool_name"), "<|START_ACTION|>", "<|END_ACTION|>", is_array=True,
               name_key="tool_name", arguments_key="parameters"),
    ToolFormat("granite", ("<|tool_call|>",), "<|tool_call|>", is_array=True),
    ToolFormat("hermes", ("<tool_call>",), "<tool_call>\n", "\n</tool_call>"),
    ToolFormat("llama3", ("<|start_header_id|>", '"parameters": '), "<|python_tag|>", bare=True,
               has_python_calls=True, arguments_key="parameters"),
)  # fmt: skip
_OTHER_FORMS = ("<function=",)


def format_of(template: str) -> ToolFormat | None:
    """The form of calls that a chat template teaches; None for one that edge cannot read: its calls stay text."""
    if any(mark in template for mark in _OTHER_FORMS):
        return None
    return next((form for form in FORMATS if all(mark in template for mark in form.told_by)), None)
