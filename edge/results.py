"""What an answer is made of: tokens, the finished text, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.engine.logprobs import TokenLogprobs
from edge.engine.sequence import FinishReason
from edge.tools.call import ToolCall


@dataclass(frozen=True, slots=True)
class Token:
    """One step of an answer. `text` may be empty: part of a character, held back as the start of a stop string, or
    thinking.

    Joined, the texts of all tokens are the answer; those of chats are also told apart: `reasoning` is what the model
    thinks before it answers, `content` the answer without calls of tools, `tool_calls` those that are complete with
    this token. problems: why something in `content` that looks like a call is none. logprobs: when the request asked
    for them; None for what only ends the text, with the id of the last token.
    """

    text: str
    id: int
    reasoning: str = ""
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    problems: tuple[str, ...] = ()
    logprobs: TokenLogprobs | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts. `completion_tokens` is without the token that ended the answer.

    cached_tokens: of the prompt, those whose K and V were there already. prepared_tokens: of these, those that this
    request brought in from a prompt prepared on disk. handed_tokens: of the prompt, those that another engine read
    (`Completion.prefill_backend`).
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prepared_tokens: int = 0
    handed_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Timings:
    """Measured seconds and rates; None where there was nothing to measure."""

    time_to_first_token: float | None  # from the call to the first token, tokenizer and waiting included
    prefill_seconds: float | None  # from the first step to the first token
    decode_seconds: float | None  # from the first token to the last one chosen
    prefill_tok_s: float | None
    decode_tok_s: float | None


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer. `str(completion)` is its text.

    text: without thinking, calls as the model wrote them. content, reasoning, tool_calls, problems: as in Token.
    finish_reason: "stop" (an end token or a stop string), "length" (max_tokens, or the context is full), "cancelled".
    prefill_backend: the other engine that read a part of the prompt, now or for an earlier one whose K and V it found;
    None: there was none.
    template: where the chat template came from, None when the prompt was used as it is. seed: gives this answer again.
    """

    text: str
    tokens: tuple[int, ...]
    finish_reason: FinishReason
    usage: Usage
    timings: Timings
    backend: str
    template: str | None
    seed: int
    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    problems: tuple[str, ...] = ()
    prefill_backend: str | None = None

    def __str__(self) -> str:
        return self.text

    def as_message(self) -> dict[str, Any]:
        """The answer as a message of the conversation that goes on. What of it the model reads again, its thinking
        for one, is the chat template's choice."""
        message: dict[str, Any] = {"role": "assistant", "content": self.content}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = [call.as_message() for call in self.tool_calls]
        return message
