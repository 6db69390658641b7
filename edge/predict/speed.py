"""The prediction: each matrix takes what reading it or multiplying by it takes, whichever is longer (a roofline,
Williams et al. 2009); what steps took besides, and attention, are as measured steps say. Whatever is not in the profile
is named, and what is left is then a limit, not a prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from edge.backends.compiled import Compiled, check_number
from edge.backends.work import Matrix, StepWork
from edge.formats.types import type_name
from edge.packed.options import SMALLEST_BYTES
from edge.predict.figures import FEW, MANY, Figures
from edge.predict.measured import MeasuredSteps, attention_macs, heads_per_kv_head
from edge.profiles import Profile
from edge.tuning import Choice
from edge.tuning.figures import disk_bytes_s

__all__ = ["Estimate", "Prediction", "Question", "predict_speed"]

SHORT_DEPTH = 32  # positions in front of a token: the mean of 64 tokens from the start, as `edge bench` decodes
PROMPT_TOKENS = 512  # where the context has room for them
_LEAST_KNOWN = 0.9  # of a step's multiply-adds: a limit by fewer says nothing


@dataclass(frozen=True, slots=True)
class Question:
    """One sequence of a model with these settings. isa None: not known. residency None: weights packed at load.
    context: positions; the deepest token has all others in front. prompt None: PROMPT_TOKENS, or what fits."""

    work: StepWork
    kv_type: str
    isa: str | None
    residency: str | None
    decode_threads: int
    prefill_threads: int
    chunk: int
    context: int
    prompt: int | None = None

    @classmethod
    def of(
        cls,
        compiled: Compiled,
        choice: Choice,
        levels: Sequence[str],
        *,
        kv_type: str,
        has_packed_file: bool = True,
        prompt: int | None = None,
    ) -> Question:
        """What a load with these choices runs. levels: what the machine can run, lowest first.

        RequestError: a prompt that the context has no room for.
        """
        if prompt is not None:
            check_number("prompt", prompt, 1, compiled.limits.context - 1)
        large = compiled.work.num_bytes >= SMALLEST_BYTES  # others are packed in memory at every load
        return cls(
            compiled.work,
            kv_type,
            choice.isa or (levels[-1] if levels else None),
            choice.residency if has_packed_file and large else None,
            choice.decode_threads,
            choice.prefill_threads,
            choice.chunk,
            compiled.limits.context,
            prompt,
        )

    @property
    def prompt_tokens(self) -> int:
        return min(PROMPT_TOKENS, self.context - 1) if self.prompt is None else self.prompt


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens a second, of steps alone: no tokenizer, no sampling. at_most: something of `missing` was left out, so it
    is a limit. The milliseconds of all tokens: of matrices, of attention, of what else a step does, and of waiting for
    layers that the disk has not given yet."""

    tok_s: float
    at_most: bool
    tokens: int
    weights_ms: float
    attention_ms: float
    rest_ms: float
    waiting_ms: float = 0.0

    @property
    def seconds(self) -> float:
        return self.tokens / self.tok_s


@dataclass(frozen=True, slots=True)
class Prediction:
    """decode: of a token behind SHORT_DEPTH others; deep: behind a full context; prefill: of a prompt, whose seconds
    are the time to the first token. None: the profile says nothing of it. basis: from what; missing: what was not
    there."""

    source: str
    decode: Estimate | None
    decode_depth: int
    deep: Estimate | None
    deep_depth: int
    prefill: Estimate | None
    basis: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def ttft_seconds(self) -> float | None:
        return None if self.prefill is None else self.prefill.seconds

    def while_streaming(self, num_bytes: int, chunk: int, profile: Profile) -> Prediction:
        """The same for weights of which every step reads so many bytes from the disk, while it computes: a step takes
        what reading or computing takes, whichever is longer. chunk: tokens of a prompt that one step computes."""
        rate = disk_bytes_s(profile)

        def slower(estimate: Estimate | None) -> Estimate | None:
            if estimate is None:
                return None
            if rate is None:
                return replace(estimate, at_most=True)
            reading = -(-estimate.tokens // chunk) * num_bytes / rate
            waiting = max(0.0, reading - estimate.seconds)
            tok_s = estimate.tokens / (estimate.seconds + waiting)
            return replace(estimate, tok_s=tok_s, waiting_ms=1e3 * waiting)

        how = f"{num_bytes / 1e6:.0f} MB from the disk in every step"
        known = () if rate is None else (f"{how}, by reads of {rate / 1e6:.0f} MB/s beside the computing",)
        return replace(
            self,
            decode=slower(self.decode),
            deep=slower(self.deep),
            prefill=slower(self.prefill),
            basis=(*self.basis, *known),
            missing=self.missing if rate is not None else (*self.missing, f"reading {how}"),
        )

    def as_json(self) -> dict[str, Any]:
        """Flat where a reader looks first; "at_most" beside every figure that is a limit."""

        def figure(name: str, estimate: Estimate | None) -> dict[str, Any]:
            speed = None if estimate is None else estimate.tok_s
            return {f"{name}_tok_s": speed, f"{name}_at_most": estimate is not None and estimate.at_most}

        return {
            "predicted": True,
            "source": self.source,
            **figure("decode", self.decode),
            "decode_depth": self.decode_depth,
            **figure("deep_decode", self.deep),
            "deep_decode_depth": self.deep_depth,
            **figure("prefill", self.prefill),
            "prompt_tokens": None if self.prefill is None else self.prefill.tokens,
            "ttft_seconds": self.ttft_seconds,
            "parts": {
                name: None if item is None else asdict(item)
                for name, item in (("decode", self.decode), ("deep_decode", self.deep), ("prefill", self.prefill))
            },
            "basis": list(self.basis),
            "missing": list(self.missing),
        }


def predict_speed(profile: Profile, source: str, question: Question) -> Prediction:
    """source: names the profile. Nothing fails: what the profile does not hold is in `missing`."""
    costs = _Costs(profile, question)
    short = min(SHORT_DEPTH, question.context - 1)
    deep = question.context - 1
    return Prediction(
        source=source,
        decode=costs.decode(short),
        decode_depth=short,
        deep=costs.decode(deep),
        deep_depth=deep,
        prefill=costs.prefill(question.prompt_tokens),
        basis=_said(costs.basis),
        missing=_said(costs.missing),
    )


@dataclass(slots=True)
class _Sum:
    """Seconds that add up; partial: something was left out. asked, known: multiply-adds, all and those with figures."""

    weights: float = 0.0
    attention: float = 0.0
    rest: float = 0.0
    partial: bool = False
    asked: int = 0
    known: int = 0

    def estimate(self, tokens: int) -> Estimate | None:
        total = self.weights + self.attention + self.rest
        if self.known < _LEAST_KNOWN * self.asked or total <= 0:
            return None
        parts = (1e3 * self.weights, 1e3 * self.attention, 1e3 * self.rest)
        return Estimate(tokens / total, self.partial, tokens, *parts)


class _Costs:
    """What each part of a step costs. basis and missing (sentences -> weight types) fill up while it is asked."""

    def __init__(self, profile: Profile, question: Question) -> None:
        self._question = question
        self._figures = Figures(profile, question.isa, question.residency)
        measured = MeasuredSteps(profile, self._figures)
        self._rest_of_layer = cache(measured.rest_of_layer)  # every chunk of a prompt asks the same
        self._attention_per_value = cache(measured.attention_per_value)
        self._attention_per_mac = cache(measured.attention_per_mac)
        self.basis: dict[str, list[str]] = {}
        self.missing: dict[str, list[str]] = {}

    def decode(self, depth: int) -> Estimate | None:
        question, total = self._question, _Sum()
        self._step(total, 1, depth, question.decode_threads, logits=True)
        return total.estimate(1)

    def prefill(self, num_tokens: int) -> Estimate | None:
        question, total = self._question, _Sum()
        for start in range(0, num_tokens, question.chunk):
            tokens = min(question.chunk, num_tokens - start)
            self._step(total, tokens, start, question.prefill_threads, logits=start + tokens == num_tokens)
        return total.estimate(num_tokens)

    def _step(self, total: _Sum, tokens: int, depth: int, threads: int, *, logits: bool) -> None:
        work = self._question.work
        step_bytes = work.num_bytes + work.seen(depth) * work.kv_bytes(self._question.kv_type)
        cached = self._figures.cached_share(step_bytes, threads)
        if cached >= 0.01:
            _add(
                self.basis,
                f"{100 * cached:.0f} % of the weights from a cache, {_threads(threads)}, {depth} tokens in front",
            )
        for matrix, count in work.matrices.items():
            self._matrix(total, matrix, count, tokens, threads, cached)
        if logits and work.head is not None:
            self._matrix(total, work.head, 1, 1, threads, cached)
        self._attention(total, tokens, depth, threads)
        rest = self._rest_of_layer(work.hidden_size, tokens, threads)
        if rest is None:
            self._miss(total, f"what {_steps(tokens)} with {_threads(threads)} cost beside matrices and attention")
        else:
            total.rest += work.num_layers * tokens * rest
            _add(self.basis, "what a step costs besides, and attention, by measured steps")

    def _matrix(self, total: _Sum, matrix: Matrix, count: int, tokens: int, threads: int, cached: float) -> None:
        kind, isa = type_name(matrix.type), self._question.isa or "an instruction set that is not known"
        macs = count * tokens * matrix.num_weights
        total.asked += macs
        read = self._read(total, matrix.packed_bytes, threads, cached)
        kernel = self._figures.kernel_seconds(matrix, tokens, threads, cached)
        if kernel is None:
            panel = f"{MANY} tokens" if tokens > FEW else "one token"
            self._miss(total, f"kernels on {isa} with {panel}, {_threads(threads)}", kind)
            if tokens > FEW:  # a prompt is bound by its products: without a figure for those there is no limit to name
                kernel = self._figures.peak_seconds(tokens * matrix.num_weights, threads)
                if kernel is None:
                    return
                _add(self.basis, f"products by the integer peak of {isa}")
        else:
            _add(self.basis, f"kernels on {isa} with {_threads(threads)}", kind)
        if kernel is None and read is None:
            return
        total.known += macs
        total.weights += count * max(kernel or 0.0, read or 0.0)

    def _read(self, total: _Sum, num_bytes: int, threads: int, cached: float) -> float | None:
        """Seconds; by the data sheet where nobody measured."""
        rate, most = self._figures.read_bytes_s(threads), self._figures.most_bytes_s()
        if rate is not None:
            note = "" if self._figures.knows_caches else ", as if no cache held any"
            _add(self.basis, f"weights by reads of {rate / 1e9:.3g} GB/s with {_threads(threads)}{note}")
            return self._figures.read_seconds(num_bytes, threads, cached)
        self._miss(total, f"reads of memory with {_threads(threads)}")
        if most is None:
            return None
        _add(self.basis, f"weights by the memory's peak, {most / 1e9:.3g} GB/s, as if no cache held any")
        return num_bytes / most

    def _attention(self, total: _Sum, tokens: int, depth: int, threads: int) -> None:
        work, question = self._question.work, self._question
        seen = work.seen(depth)
        positions = tokens + seen
        read = self._figures.read_seconds(positions * work.kv_bytes(question.kv_type), threads, 0.0) or 0.0
        group = heads_per_kv_head(work)
        if tokens == FEW:
            each, amount = self._attention_per_value(group, threads), float(positions * work.kv_values)
        else:
            each, amount = self._attention_per_mac(group, threads), attention_macs(work, seen, tokens)
        if question.kv_type != "f16":
            each = None
            self._miss(total, f"attention over {question.kv_type}: steps were measured with f16")
        elif each is None:
            self._miss(total, f"attention of {_steps(tokens)} with {_threads(threads)}")
        total.attention += max(read, 0.0 if each is None else each * amount)

    def _miss(self, total: _Sum, what: str, kind: str | None = None) -> None:
        total.partial = True
        _add(self.missing, what, kind)


def _add(sentences: dict[str, list[str]], sentence: str, kind: str | None = None) -> None:
    kinds = sentences.setdefault(sentence, [])
    if kind is not None and kind not in kinds:
        kinds.append(kind)


def _said(sentences: dict[str, list[str]]) -> tuple[str, ...]:
    """Each once, with the weight types that it is about."""
    return tuple(sentence + (f": {', '.join(kinds)}" if kinds else "") for sentence, kinds in sentences.items())


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def _steps(tokens: int) -> str:
    return "steps of one token" if tokens == 1 else "steps of a prompt"
