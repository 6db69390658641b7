"""Whether a plan keeps a budget, and which nearest settings would."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from edge import device
from edge.errors import DoesNotFit
from edge.formats.gguf import GGUFFile
from edge.memory.budget import Budget
from edge.memory.plan import (
    GRAMMAR_BYTES,
    GRAMMAR_BYTES_PER_TOKEN,
    NUMPY_BYTES,
    MemoryPlan,
    Settings,
    compiled_for,
    plan_memory,
)
from edge.memory.streaming import num_streamable
from edge.native import BLOCK_SIZE

__all__ = ["fitting", "nearest_plans", "require_budget", "require_fit", "with_embeddings", "with_grammar"]

LEAST_CONTEXT = 256  # tokens; with less a model is of no use
MIB = 2**20


def fitting(file: GGUFFile, settings: Settings, budget: Budget, wanted: MemoryPlan) -> tuple[MemoryPlan, ...]:
    """The plans nearest to these settings, whose own is `wanted`, that keep the budget: with the largest context that
    fits as they are, with K and V as q8, with one sequence, and with all layers streamed. The largest context first."""
    return nearest_plans(partial(plan_memory, file), _nearby(file, settings, wanted), wanted.context, budget)


def nearest_plans(
    plan_of: Callable[[Settings], MemoryPlan], candidates: Iterable[Settings], context: int, budget: Budget
) -> tuple[MemoryPlan, ...]:
    """Of each candidate the plan with the largest context up to `context` that keeps the budget, the largest first."""
    found: list[MemoryPlan] = []
    for changed in candidates:
        plan = _largest_context(partial(_plan_with, plan_of, changed), context, budget)
        if plan is not None and plan not in found:
            found.append(plan)
    return tuple(sorted(found, key=lambda plan: (-plan.context, -plan.num_sequences)))


def _nearby(file: GGUFFile, settings: Settings, wanted: MemoryPlan) -> Iterator[Settings]:
    yield settings
    if settings.kv_type != "q8":
        yield replace(settings, kv_type="q8")
    if settings.num_sequences > 1:
        yield replace(settings, num_sequences=1)
    groups = num_streamable(compiled_for(file, settings), wanted)
    if groups:
        yield replace(settings, streamed_groups=groups, no_cache=False)


def _plan_with(plan_of: Callable[[Settings], MemoryPlan], settings: Settings, context: int) -> MemoryPlan:
    return plan_of(replace(settings, context=context))


def _largest_context(plan_of: Callable[[int], MemoryPlan], wanted: int, budget: Budget) -> MemoryPlan | None:
    """The plan of `wanted` tokens or of the most whole blocks that fit, by bisection; None when the least does not."""
    if (plan := plan_of(wanted)).total_bytes <= budget.num_bytes:
        return plan
    low, high = LEAST_CONTEXT // BLOCK_SIZE, wanted // BLOCK_SIZE + 1  # in blocks: low may fit, high does not
    if low >= high or plan_of(low * BLOCK_SIZE).total_bytes > budget.num_bytes:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if plan_of(middle * BLOCK_SIZE).total_bytes <= budget.num_bytes else (low, middle)
    return plan_of(low * BLOCK_SIZE)


def require_fit(
    file: GGUFFile, settings: Settings, budget: Budget, plan: MemoryPlan, *, resident_because: str | None = None
) -> None:
    """DoesNotFit with the figures, and what would fit, when the plan of these settings is over the budget.

    resident_because: why no layers may be streamed, None when they may."""
    require_budget(file.path, budget, plan, lambda: fitting(file, settings, budget, plan), resident_because)


def require_budget(
    path: str | os.PathLike[str],
    budget: Budget,
    plan: MemoryPlan,
    fitting: Callable[[], Iterable[MemoryPlan]],
    resident_because: str | None = None,
) -> None:
    """As `require_fit`, for a plan of any backend. fitting: what would fit."""
    if plan.total_bytes <= budget.num_bytes:
        return
    others = "; or ".join(_in_words(other, plan) for other in fitting())
    raise DoesNotFit(
        f"{path} needs {_mib(plan.total_bytes)} MiB with a context of {plan.context} ({_items(plan)}), "
        f"{budget.source} allows {_mib(budget.num_bytes)} MiB: "
        + (f"it would fit with {others}" if others else "no context would fit; a smaller model or fewer bits would")
        + (f"; layers are not streamed, since {resident_because}" if resident_because else "")
    )


def with_grammar(plan: MemoryPlan, vocab_size: int, memory: int | None) -> MemoryPlan:
    """The plan of a loaded model once its answers are held to grammars. memory: as the user said, beside the limits of
    the machine. DoesNotFit with the figures."""
    grown = replace(plan, grammar_bytes=GRAMMAR_BYTES + GRAMMAR_BYTES_PER_TOKEN * vocab_size)
    budget = Budget.of(memory, device.memory())
    if grown.total_bytes > budget.num_bytes:
        raise DoesNotFit(
            f"structured output needs {_mib(grown.grammar_bytes)} MiB for a vocabulary of {vocab_size} tokens, beside "
            f"{_mib(plan.running_bytes)} MiB planned for the model; {budget.source} allows "
            f"{_mib(budget.num_bytes)} MiB: load the model with a smaller context, or allow more"
        )
    return grown


def with_embeddings(plan: MemoryPlan, num_bytes: int, memory: int | None) -> MemoryPlan:
    """The plan of a loaded decoder once it embeds. num_bytes: of its second program and that one's KV. memory, errors:
    as `with_grammar`."""
    grown = replace(plan, embeddings_bytes=NUMPY_BYTES + num_bytes)
    budget = Budget.of(memory, device.memory())
    if grown.total_bytes > budget.num_bytes:
        raise DoesNotFit(
            f"embeddings need {_mib(grown.embeddings_bytes)} MiB beside {_mib(plan.running_bytes)} MiB planned for the "
            f"model; {budget.source} allows {_mib(budget.num_bytes)} MiB: load it with a smaller context, or allow more"
        )
    return grown


def _in_words(other: MemoryPlan, plan: MemoryPlan) -> str:
    changes = [f"context {other.context}"]
    if other.kv_type != plan.kv_type:
        changes.append(f"kv type {other.kv_type}")
    if other.num_sequences != plan.num_sequences:
        changes.append(f"{other.num_sequences} sequence")
    if other.streamed_layers != plan.streamed_layers:
        changes.append(f"{other.streamed_layers} layers streamed from the disk")
    return f"{' and '.join(changes)} ({_mib(other.total_bytes)} MiB)"


def _items(plan: MemoryPlan) -> str:
    parts = {
        "weights": plan.weights_bytes,
        **({"buffers of streamed layers": plan.ring_bytes} if plan.streamed_layers else {}),
        **({"adapters": plan.adapters_bytes} if plan.adapters_bytes else {}),
        **({"another engine for prompts": plan.prefill_bytes} if plan.prefill_bytes else {}),
        "KV": plan.kv_bytes,
        "work space": plan.program_bytes,
        "tokenizer": plan.tokenizer_bytes,
        "program itself": plan.process_bytes,
    }
    return ", ".join(f"{name} {_mib(num_bytes)}" for name, num_bytes in parts.items())


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / MIB:.0f}"
