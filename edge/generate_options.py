"""What a caller gives a model: messages, tools, and keywords that say how an answer is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from edge.grammar import Grammar

__all__ = ["ChatOptions", "GenerateOptions", "Message", "TemplateOptions", "Tool"]

Message: TypeAlias = Mapping[str, Any]
Tool: TypeAlias = Mapping[str, Any]


class GenerateOptions(TypedDict, total=False):
    """Keywords of stream and generate; see SamplingParams for meaning and limits.

    At most one of schema (a JSON schema as a dict, or a class with `model_json_schema()`), regex (of the whole answer)
    and grammar (Lark or GBNF) holds the answer to a form; see docs/structured-output.md. None: free text. adapter: the
    name of one that the model was loaded with; None: the model alone.
    """

    max_tokens: int | None
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    seed: int | None
    logit_bias: Mapping[int, float]
    stop: str | Sequence[str]
    logprobs: int | None
    schema: Any
    regex: str | None
    grammar: str | Grammar | None
    adapter: str | None


class TemplateOptions(TypedDict, total=False):
    """Keywords that say how a conversation becomes a prompt; see Model.stream_chat."""

    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    thinking: bool | None
    thinking_budget: int | None
    template_options: Mapping[str, Any] | None


class ChatOptions(GenerateOptions, TemplateOptions, total=False):
    """Keywords of chat and stream_chat."""

    max_completion_tokens: int | None
