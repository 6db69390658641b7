"""What a caller gives a model: messages, tools, and keywords that say how an answer is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

__all__ = ["GenerateOptions", "Message", "Tool"]

Message: TypeAlias = Mapping[str, Any]
Tool: TypeAlias = Mapping[str, Any]


class GenerateOptions(TypedDict, total=False):
    """Keywords of stream, generate, chat and stream_chat; see SamplingParams for meaning and limits."""

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
