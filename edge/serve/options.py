"""Fields that say how an answer is chosen, common to chat and completions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from edge.engine import Priority
from edge.generate_options import GenerateOptions
from edge.serve.api_error import refused, shown
from edge.serve.fields import Fields, as_list

MAX_CHOICES = 8
MAX_STOPS = 16
MAX_STOP_BYTES = 256
MAX_BIASES = 1024
MAX_LABEL_BYTES = 512
_MOST_TOKENS = 2**31 - 1
_TOKEN_ID = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the answers are handed over. include_usage and return_progress: of a stream."""

    n: int
    stream: bool
    include_usage: bool
    return_progress: bool
    priority: Priority
    service_tier: str | None


def take_options(fields: Fields) -> GenerateOptions:
    """Takes the fields that both endpoints have; the engine checks the ranges of numbers."""
    options = GenerateOptions()
    for name in ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty"):
        value = fields.number(name)
        if value is not None:
            options[name] = value
    top_k = fields.whole("top_k", 0, 2**31 - 1)
    if top_k is not None:
        options["top_k"] = top_k
    max_tokens = fields.whole("max_tokens", 1, _MOST_TOKENS)
    if max_tokens is not None:
        options["max_tokens"] = max_tokens
    seed = fields.whole("seed", 0, 2**64 - 1)
    if seed is not None:
        options["seed"] = seed
    stop = _stop(fields)
    if stop:
        options["stop"] = stop
    bias = _bias(fields)
    if bias:
        options["logit_bias"] = bias
    return options


def take_delivery(fields: Fields) -> Delivery:
    """Takes what says how answers are delivered, and labels that are for the operator of a service."""
    n = fields.whole("n", 1, MAX_CHOICES)
    stream = fields.flag("stream") or False
    stream_options = fields.inner("stream_options")
    include_usage = False
    if stream_options is not None:
        if not stream:
            raise refused("stream_options", "is allowed only with stream: true")
        include_usage = stream_options.flag("include_usage") or False
        stream_options.unsupported("include_obfuscation", "streams are not padded", allowed=(False,))
        stream_options.end()
    return_progress = fields.flag("return_progress") or False
    if return_progress and not stream:
        raise refused("return_progress", "is allowed only with stream: true")
    fields.text("user", max_bytes=MAX_LABEL_BYTES)  # a label: nothing here depends on who asks
    tier = fields.choice("service_tier", "auto", "default", "flex")
    return Delivery(
        n=1 if n is None else n,
        stream=stream,
        include_usage=include_usage,
        return_progress=return_progress,
        priority="background" if tier == "flex" else "interactive",
        service_tier=None if tier is None else "flex" if tier == "flex" else "default",
    )


def _stop(fields: Fields) -> tuple[str, ...]:
    value = fields.take("stop")
    if value is None:
        return ()
    values = as_list(value)
    if values is None:
        values = [value]
    if len(values) > MAX_STOPS:
        raise refused("stop", f"holds {len(values)} texts, at most {MAX_STOPS} are allowed")
    for text in values:
        if not isinstance(text, str):
            raise refused("stop", f"holds {shown(text)}, it must be text or a list of texts", "invalid_type")
        if not 1 <= len(text.encode(errors="replace")) <= MAX_STOP_BYTES:
            raise refused("stop", f"holds a text that is not 1 to {MAX_STOP_BYTES} bytes long")
    return tuple(values)


def _bias(fields: Fields) -> dict[int, float]:
    value = fields.take("logit_bias")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused("logit_bias", f"is {shown(value)}, it must be an object", "invalid_type")
    pairs = cast("dict[str, Any]", value)
    if len(pairs) > MAX_BIASES:
        raise refused("logit_bias", f"names {len(pairs)} tokens, at most {MAX_BIASES} are allowed")
    bias: dict[int, float] = {}
    for token, amount in pairs.items():
        if not _TOKEN_ID.fullmatch(token):
            raise refused("logit_bias", f"has the key {shown(token)}, it must be a token id")
        if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not -100 <= amount <= 100:
            raise refused("logit_bias", f"of token {token} is {shown(amount)}, it must be from -100 to 100")
        bias[int(token)] = float(amount)
    return bias
