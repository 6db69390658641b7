"""One answer as a client sees it: text that may be shown already, calls, why it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge.errors import Cancelled
from edge.results import Completion, Token
from edge.tools import ToolCall

if TYPE_CHECKING:
    from edge.tokenizer import Tokenizer


class Shown(NamedTuple):
    """What a token or the end adds to an answer."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()


class Choice:
    """has_calls: calls are parted from the text; otherwise they are in it as the model wrote them."""

    def __init__(self, index: int, *, has_calls: bool = False) -> None:
        self.index = index
        self.text = ""
        self.reasoning = ""
        self.calls: list[ToolCall] = []
        self.tokens: list[Token] = []
        self.completion: Completion | None = None
        self._has_calls = has_calls

    def push(self, token: Token) -> Shown:
        """Takes a token."""
        self.tokens.append(token)
        shown = Shown(token.text, token.reasoning)
        if self._has_calls:
            shown = Shown(token.content, token.reasoning, token.tool_calls)
        self.text += shown.text
        self.reasoning += shown.reasoning
        self.calls += shown.calls
        return shown

    def end(self, completion: Completion) -> None:
        """Takes the end. Cancelled: the server ended it."""
        if completion.finish_reason == "cancelled":
            raise Cancelled("the answer was cancelled")
        self.completion = completion

    @property
    def finish_reason(self) -> str | None:
        if self.completion is None:
            return None
        reason = self.completion.finish_reason
        return "tool_calls" if self.calls and reason == "stop" else reason


def usage_of(choices: list[Choice], n: int) -> dict[str, Any]:
    """Tokens of all prompts, each once, and of all answers."""
    usages = [choice.completion.usage for choice in choices if choice.completion is not None]
    prompt, cached = sum(u.prompt_tokens for u in usages[::n]), sum(u.cached_tokens for u in usages[::n])
    answer = sum(usage.completion_tokens for usage in usages)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def timings_of(choices: list[Choice]) -> dict[str, Any] | None:
    """What a single answer took, measured, in llama.cpp's names; times in milliseconds."""
    completion = choices[0].completion
    if len(choices) > 1 or completion is None:
        return None
    usage, timings = completion.usage, completion.timings
    return {
        "cache_n": usage.cached_tokens,
        "prompt_n": usage.prompt_tokens - usage.cached_tokens,
        "prompt_ms": _milliseconds(timings.prefill_seconds),
        "prompt_per_second": timings.prefill_tok_s,
        "predicted_n": usage.completion_tokens,
        "predicted_ms": _milliseconds(timings.decode_seconds),
        "predicted_per_second": timings.decode_tok_s,
        "first_token_ms": _milliseconds(timings.time_to_first_token),
    }


def chat_logprobs(tokens: list[Token], tokenizer: Tokenizer) -> dict[str, Any]:
    """`logprobs` of a chat choice, for these tokens."""

    def entry(token_id: int, logprob: float) -> dict[str, Any]:
        data = tokenizer.token_bytes(token_id, skip_special=False)
        return {"token": data.decode(errors="replace"), "logprob": logprob, "bytes": list(data)}

    content = [
        {
            **entry(token.id, token.logprobs.logprob),
            "top_logprobs": [entry(top_id, logprob) for top_id, logprob in token.logprobs.top],
        }
        for token in tokens
        if token.logprobs is not None
    ]
    return {"content": content, "refusal": None}


def completion_logprobs(tokens: list[Token], tokenizer: Tokenizer, offset: int) -> dict[str, Any]:
    """`logprobs` of a completion choice, for these tokens; offset: characters of the text before them."""
    texts: list[str] = []
    values: list[float] = []
    tops: list[dict[str, float]] = []
    offsets: list[int] = []
    for token in tokens:
        if token.logprobs is None:
            continue
        texts.append(_text(token.id, tokenizer))
        values.append(token.logprobs.logprob)
        top: dict[str, float] = {}
        for token_id, logprob in token.logprobs.top:
            top.setdefault(_text(token_id, tokenizer), logprob)  # ids whose bytes are no characters look alike
        tops.append(top)
        offsets.append(offset)
        offset += len(token.text)
    return {"tokens": texts, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets}


def _text(token_id: int, tokenizer: Tokenizer) -> str:
    return tokenizer.token_bytes(token_id, skip_special=False).decode(errors="replace")


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3)
