"""A model's way to write calls as a grammar, for answers that must call something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.grammar import CallFormat, Grammar, can_hold, tool_call_grammar
from edge.tokenizer import Tokenizer
from edge.tools import ToolFormat

__all__ = ["call_grammar"]


def call_grammar(
    form: ToolFormat, tools: Sequence[Mapping[str, Any]], tokenizer: Tokenizer, *, parallel: bool
) -> Grammar | None:
    """A grammar of calls of these tools, whose arguments obey the tools' schemas. parallel: one or more calls, not one.

    None where no grammar can hold them: llguidance is not installed, or the name stands outside of the JSON.
    RequestError: a schema that cannot be enforced.
    """
    if form.arguments_mark or not can_hold():
        return None
    return tool_call_grammar(tools, _call_format(form), tokenizer, parallel=parallel)


def _call_format(form: ToolFormat) -> CallFormat:
    json_form = {
        "name_key": form.name_key,
        "arguments_key": form.arguments_key,
        "comma": form.separator,
        "colon": form.colon,
    }
    if form.is_array:
        return CallFormat(begin=f"{form.opening}[", end=f"]{form.closing}", separator=form.separator, **json_form)
    return CallFormat(prefix=form.opening, suffix=form.closing, **json_form)
