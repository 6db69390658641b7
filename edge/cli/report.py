"""What an answer took: one truthful line for people, one object for programs. Every number is measured."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edge.device import peak_memory_bytes

if TYPE_CHECKING:
    from edge.backends.weights import WeightsInfo
    from edge.model import Model
    from edge.results import Completion

GIB = 2**30


def rate(value: float) -> str:
    """Tokens per second with two significant figures below ten."""
    return f"{value:.1f} tok/s" if value < 10 else f"{value:.0f} tok/s"


def size(num_bytes: int) -> str:
    """Bytes in GiB from half of one on, otherwise in MiB, with a decimal below a hundred, or KiB."""
    if num_bytes >= GIB // 2:
        return f"{num_bytes / GIB:.1f} GiB"
    mib = num_bytes / 2**20
    if mib >= 1:
        return f"{mib:.0f} MiB" if mib >= 99.95 else f"{mib:.1f} MiB"
    return f"{num_bytes / 2**10:.0f} KiB"


def summary_line(completion: Completion, weights: WeightsInfo, template_note: str) -> str:
    """`measured: 17 prompt (0 cached) 210 tok/s · TTFT 0.12 s · 96 tokens 31 tok/s · native/avx2 · ...`."""
    usage, timings = completion.usage, completion.timings
    prepared = f", {usage.prepared_tokens} of them prepared" if usage.prepared_tokens else ""
    prompt = f"{usage.prompt_tokens} prompt ({usage.cached_tokens} cached{prepared})"
    answer = f"{usage.completion_tokens} token{'' if usage.completion_tokens == 1 else 's'}"
    parts = [prompt if timings.prefill_tok_s is None else f"{prompt} {rate(timings.prefill_tok_s)}"]
    if timings.time_to_first_token is not None:
        parts.append(f"TTFT {timings.time_to_first_token:.2f} s")
    parts.append(answer if timings.decode_tok_s is None else f"{answer} {rate(timings.decode_tok_s)}")
    parts += [_engines(completion), *_weights(weights), f"peak {size(peak_memory_bytes())}", template_note]
    if completion.finish_reason != "stop":
        parts.append(f"ended by {completion.finish_reason}")
    return "measured: " + " · ".join(parts)


def _engines(completion: Completion) -> str:
    """What computed the answer, and what read its prompt where that was another one."""
    if completion.prefill_backend is None:
        return completion.backend
    handed = completion.usage.handed_tokens
    read = f"{handed} prompt tokens" if handed else "a cached beginning"
    return f"{completion.backend}, {read} by {completion.prefill_backend}"


def _weights(weights: WeightsInfo) -> list[str]:
    """How a packed file is held; nothing for weights packed at load."""
    if weights.residency == "memory":
        return []
    if weights.residency == "streamed":
        how = "past the page cache" if weights.direct else "through the page cache"
        kept = [] if weights.resident_bytes is None else [f"{size(weights.resident_bytes)} of weights resident"]
        return [*kept, f"{size(weights.streamed_bytes)} streamed for each step, {how}"]
    if weights.resident_bytes is None:
        return [f"{size(weights.packed_bytes)} {weights.residency}"]
    return [f"{size(weights.resident_bytes)} of {size(weights.packed_bytes)} {weights.residency}"]


def as_json(completion: Completion, model: Model, template_note: str) -> dict[str, Any]:
    """The object that `edge run --json` prints. Times in seconds, rates in tokens per second, sizes in bytes."""
    usage, timings = completion.usage, completion.timings
    return {
        "text": completion.text,
        "content": completion.content,
        "reasoning": completion.reasoning,
        "tool_calls": [call.as_message() for call in completion.tool_calls],
        "problems": list(completion.problems),
        "finish_reason": completion.finish_reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "prepared_tokens": usage.prepared_tokens,
            "handed_tokens": usage.handed_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
        "timings": {
            "measured": True,
            "load_seconds": model.load_seconds,
            "time_to_first_token": timings.time_to_first_token,
            "prefill_seconds": timings.prefill_seconds,
            "decode_seconds": timings.decode_seconds,
            "prefill_tok_s": timings.prefill_tok_s,
            "decode_tok_s": timings.decode_tok_s,
        },
        "peak_memory_bytes": peak_memory_bytes(),
        "weights": dataclasses.asdict(model.weights),
        "model": model.path,
        "backend": completion.backend,
        "prefill_backend": completion.prefill_backend,
        "prefill": None if model.prefill is None else dataclasses.asdict(model.prefill),
        "placement": model.step_backend.placement,
        "isa": model.isa,
        "kv_type": model.kv_type,
        "threads": model.num_threads,
        "decode_threads": model.decode_threads,
        "tuning": dataclasses.asdict(model.tuning),
        "context": model.context,
        "template": completion.template,
        "template_note": template_note,
        "seed": completion.seed,
        "tokens": list(completion.tokens),
    }
