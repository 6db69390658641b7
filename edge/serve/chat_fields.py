"""Fields that say how a conversation becomes a prompt: tools, which of them to call, and variables of the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from edge.generate_options import TemplateOptions
from edge.serve.api_error import refused, shown
from edge.serve.fields import Fields
from edge.tools import MAX_TOOLS, function_tools

if TYPE_CHECKING:
    from edge.model import Model

_MOST_TOKENS = 2**31 - 1


def take_tools(fields: Fields, model: Model, options: TemplateOptions) -> list[dict[str, Any]] | None:
    """The tools; `tool_choice` and `parallel_tool_calls` go into options."""
    items = fields.items("tools", MAX_TOOLS)
    tools = None if items is None else function_tools(items)
    choice, parallel = _choice(fields), fields.flag("parallel_tool_calls")
    for name, value in (("tool_choice", choice), ("parallel_tool_calls", parallel)):
        if value is not None and not tools:
            raise refused(name, "is allowed only with tools")
    if tools and model.tool_format is None:
        raise refused(
            "tools", "are not supported: this model takes none, or calls in a form that edge cannot read",
            "unsupported_parameter",
        )  # fmt: skip
    if choice is not None:
        options["tool_choice"] = choice
    if parallel is not None:
        options["parallel_tool_calls"] = parallel
    return tools


def _choice(fields: Fields) -> str | dict[str, Any] | None:
    value: object = fields.take("tool_choice")
    if value is None or (isinstance(value, str) and value in ("none", "auto", "required")):
        return value
    if not isinstance(value, dict):
        raise refused("tool_choice", f'is {shown(value)}, it must be "none", "auto", "required" or an object')
    choice = Fields(cast("object", value), "tool_choice")
    choice.choice("type", "function")
    function = choice.inner("function")
    if function is None:
        raise refused("tool_choice.function", "is missing", "missing_required_parameter")
    name = function.text("name")
    if name is None:
        raise refused("tool_choice.function.name", "is missing", "missing_required_parameter")
    function.end()
    choice.end()
    return {"type": "function", "function": {"name": name}}


def take_thinking(fields: Fields, options: TemplateOptions) -> None:
    """`thinking_budget`, `chat_template_kwargs` in vLLM's and llama.cpp's form, and `reasoning_effort`, which is one of
    those by a name of its own."""
    budget = fields.whole("thinking_budget", 0, _MOST_TOKENS)
    if budget is not None:
        options["thinking_budget"] = budget
    variables = fields.take("chat_template_kwargs")
    if variables is not None and not isinstance(variables, dict):
        raise refused("chat_template_kwargs", f"is {shown(variables)}, it must be an object", "invalid_type")
    values = dict(cast("dict[str, Any]", variables or {}))
    effort = fields.text("reasoning_effort", max_bytes=64)
    if effort is not None:
        if "reasoning_effort" in values:
            raise refused("reasoning_effort", "stands in chat_template_kwargs as well; give one of them")
        values["reasoning_effort"] = effort
    if values:
        options["template_options"] = values
