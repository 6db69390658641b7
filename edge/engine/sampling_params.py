"""How an answer is chosen and when it ends: one request's parameters, validated once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from edge.errors import RequestError

MAX_TOP_K = 2**31 - 1
MAX_SEED = 2**64 - 1
MAX_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Defaults are greedy: the same answer every time.

    Order of application (edge/sampling.h): penalties, bias, temperature, softmax, top_k, top_p, min_p.
    Raises RequestError naming the field, the value and the limit.
    """

    max_tokens: int | None = None  # None: until the model ends or the context is full
    temperature: float = 0.0  # 0: greedy
    top_k: int = 0  # 0: off
    top_p: float = 1.0  # 1: off
    min_p: float = 0.0  # 0: off; relative to the most probable token
    repetition_penalty: float = 1.0  # 1: off (CTRL, Keskar et al. 2019)
    presence_penalty: float = 0.0  # 0: off
    frequency_penalty: float = 0.0  # 0: off; times how often a token is there already
    seed: int | None = None  # None: a fresh one, reported with the answer
    logit_bias: Mapping[int, float] = field(default_factory=dict[int, float])  # token id -> added logit; -inf forbids
    stop: str | Sequence[str] = ()  # strings that end the answer and are not part of it
    logprobs: int | None = None  # None: off; otherwise of the token and of so many most probable ones

    def __post_init__(self) -> None:
        if self.max_tokens is not None:
            _check_int("max_tokens", self.max_tokens, 1, 2**31 - 1)
        _check_float("temperature", self.temperature, 0.0, math.inf, "at least 0")
        _check_int("top_k", self.top_k, 0, MAX_TOP_K)
        _check_float("top_p", self.top_p, 0.0, 1.0, "above 0 and at most 1", open_low=True)
        _check_float("min_p", self.min_p, 0.0, 1.0, "at least 0 and below 1", open_high=True)
        _check_float("repetition_penalty", self.repetition_penalty, 0.0, math.inf, "above 0", open_low=True)
        _check_float("presence_penalty", self.presence_penalty, -2.0, 2.0, "from -2 to 2")
        _check_float("frequency_penalty", self.frequency_penalty, -2.0, 2.0, "from -2 to 2")
        if self.logprobs is not None:
            _check_int("logprobs", self.logprobs, 0, MAX_LOGPROBS)
        if self.seed is not None:
            _check_int("seed", self.seed, 0, MAX_SEED)
        for token, bias in self.logit_bias.items():
            _check_int("logit_bias", token, 0, 2**31 - 1)
            _check_bias(token, bias)
        object.__setattr__(self, "logit_bias", MappingProxyType(dict(self.logit_bias)))
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)
        for text in stop:
            if not isinstance(text, str) or not text:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise RequestError(f"stop holds {text!r}; every stop string must be text of at least one character")
        object.__setattr__(self, "stop", stop)

    @property
    def stop_strings(self) -> tuple[str, ...]:
        """`stop`, always as a tuple."""
        return tuple(self.stop)

    @property
    def is_plain_greedy(self) -> bool:
        """Whether the largest logit decides, as the model computed it."""
        changed = self.repetition_penalty != 1.0 or self.presence_penalty or self.frequency_penalty or self.logit_bias
        return self.temperature == 0.0 and not changed

    @property
    def needs_history(self) -> bool:
        """Whether the penalties look at the tokens so far."""
        return self.repetition_penalty != 1.0 or self.presence_penalty != 0.0


def _check_int(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")


def _check_bias(token: int, bias: object) -> None:
    if isinstance(bias, bool) or not isinstance(bias, (int, float)) or not bias < math.inf:
        raise RequestError(f"logit_bias of token {token} is {bias!r}; it must be a number (-inf forbids the token)")


def _check_float(
    name: str, value: object, low: float, high: float, limits: str, *, open_low: bool = False, open_high: bool = False
) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if good and isinstance(value, (int, float)):
        good = (low < value if open_low else low <= value) and (value < high if open_high else value <= high)
    if not good:
        raise RequestError(f"{name} is {value!r}; it must be {limits}")
