"""The JSON of answers: OpenAI's objects for chat and completions, whole and in pieces."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from edge.results import Completion, Token
from edge.serve.choice import Choice, chat_logprobs, completion_logprobs, timings_of, usage_of
from edge.tools import ToolCall

if TYPE_CHECKING:
    from edge.serve.requests import Ask
    from edge.tokenizer import Tokenizer


class Reply(Protocol):
    """Builds what one request is answered with."""

    choices: list[Choice]

    def begin(self) -> list[dict[str, Any]]:
        """Chunks before anything was made."""
        ...

    def push(self, index: int, token: Token) -> list[dict[str, Any]]:
        """Chunks that a token of a choice makes."""
        ...

    def end(self, index: int, completion: Completion) -> list[dict[str, Any]]:
        """Chunks that its end makes."""
        ...

    def last(self) -> dict[str, Any]:
        """The chunk that has the usage."""
        ...

    def progress(self, prefill: tuple[int, int, int], seconds: float) -> dict[str, Any]:
        """A chunk that says how far prompts are read."""
        ...

    def whole(self) -> dict[str, Any]:
        """The answer in one piece, when all choices have ended."""
        ...


class _Reply:
    def __init__(self, ask: Ask, model_name: str, fingerprint: str, tokenizer: Tokenizer, kind: str) -> None:
        self._ask = ask
        self._tokenizer = tokenizer
        self._kind = kind
        self._head: dict[str, Any] = {
            "id": f"{'chatcmpl' if ask.messages else 'cmpl'}-{uuid.uuid4().hex}",
            "object": kind,
            "created": int(time.time()),
            "model": ask.adapter or model_name,
            "system_fingerprint": fingerprint,
        }
        if ask.delivery.service_tier is not None:
            self._head["service_tier"] = ask.delivery.service_tier
        self.choices = [Choice(index, has_calls=ask.has_tools) for index in range(ask.num_choices)]

    def last(self) -> dict[str, Any]:
        chunk = self._chunk([])
        if self._ask.delivery.include_usage:
            chunk["usage"] = usage_of(self.choices, self._ask.delivery.n)
        timings = timings_of(self.choices)
        if timings is not None:
            chunk["timings"] = timings
        return chunk

    def progress(self, prefill: tuple[int, int, int], seconds: float) -> dict[str, Any]:
        cached, processed, total = prefill
        progress = {"total": total, "cache": cached, "processed": processed, "time_ms": round(1000 * seconds)}
        return self._chunk([]) | {"prompt_progress": progress}

    def _all(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        whole = self._head | {"choices": choices, "usage": usage_of(self.choices, self._ask.delivery.n)}
        timings = timings_of(self.choices)
        return whole if timings is None else whole | {"timings": timings}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self._head | {"choices": choices}


class ChatReply(_Reply):
    """`chat.completion` and its chunks."""

    def __init__(self, ask: Ask, model_name: str, fingerprint: str, tokenizer: Tokenizer) -> None:
        kind = "chat.completion.chunk" if ask.delivery.stream else "chat.completion"
        super().__init__(ask, model_name, fingerprint, tokenizer, kind)

    def begin(self) -> list[dict[str, Any]]:
        return [self._delta(choice, {"role": "assistant", "content": ""}) for choice in self.choices]

    def push(self, index: int, token: Token) -> list[dict[str, Any]]:
        choice = self.choices[index]
        shown = choice.push(token)
        delta: dict[str, Any] = {}
        if shown.reasoning:
            delta["reasoning_content"] = shown.reasoning
        if shown.text:
            delta["content"] = shown.text
        if shown.calls:
            first = len(choice.calls) - len(shown.calls)
            delta["tool_calls"] = [{"index": first + i, **_call(call)} for i, call in enumerate(shown.calls)]
        return [self._delta(choice, delta, [token])] if delta or token.logprobs is not None else []

    def end(self, index: int, completion: Completion) -> list[dict[str, Any]]:
        choice = self.choices[index]
        choice.end(completion)
        ended = self._delta(choice, {})
        ended["choices"][0]["finish_reason"] = choice.finish_reason
        return [ended]

    def whole(self) -> dict[str, Any]:
        return self._all([self._choice(choice) for choice in self.choices])

    def _choice(self, choice: Choice) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None}
        if choice.reasoning:
            message["reasoning_content"] = choice.reasoning
        if choice.calls:
            message |= {"content": choice.text or None, "tool_calls": [_call(call) for call in choice.calls]}
        logprobs = chat_logprobs(choice.tokens, self._tokenizer) if self._ask.logprobs else None
        return {
            "index": choice.index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish_reason,
        }  # fmt: skip

    def _delta(self, choice: Choice, delta: dict[str, Any], tokens: list[Token] | None = None) -> dict[str, Any]:
        logprobs = chat_logprobs(tokens, self._tokenizer) if tokens and self._ask.logprobs else None
        return self._chunk([{"index": choice.index, "delta": delta, "logprobs": logprobs, "finish_reason": None}])


class CompletionReply(_Reply):
    """`text_completion`, whole or in pieces. echo: texts of the prompts, which the answers begin with."""

    def __init__(
        self, ask: Ask, model_name: str, fingerprint: str, tokenizer: Tokenizer, echo: list[str] | None
    ) -> None:
        super().__init__(ask, model_name, fingerprint, tokenizer, "text_completion")
        self._echo = echo

    def begin(self) -> list[dict[str, Any]]:
        return [self._text(choice, self._prompt(choice)) for choice in self.choices] if self._echo else []

    def push(self, index: int, token: Token) -> list[dict[str, Any]]:
        choice = self.choices[index]
        offset = len(choice.text)
        text = choice.push(token).text
        if not text and token.logprobs is None:
            return []
        logprobs = completion_logprobs([token], self._tokenizer, offset) if self._ask.logprobs else None
        return [self._text(choice, text, logprobs)]

    def end(self, index: int, completion: Completion) -> list[dict[str, Any]]:
        choice = self.choices[index]
        choice.end(completion)
        return [self._text(choice, "")]

    def whole(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = []
        for choice in self.choices:
            logprobs = completion_logprobs(choice.tokens, self._tokenizer, 0) if self._ask.logprobs else None
            chunk = self._text(choice, self._prompt(choice) + choice.text, logprobs)
            choices.append(chunk["choices"][0])
        return self._all(choices)

    def _prompt(self, choice: Choice) -> str:
        return self._echo[choice.index // self._ask.delivery.n] if self._echo else ""

    def _text(self, choice: Choice, text: str, logprobs: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._chunk(
            [{"index": choice.index, "text": text, "logprobs": logprobs, "finish_reason": choice.finish_reason}]
        )


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}
