"""The memory plan of a folder for NPUs, from its checked files alone, where the CPU computes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from edge.backends.compiled import MAX_CHUNK, check_number
from edge.memory.budget import Budget
from edge.memory.fit import nearest_plans
from edge.memory.onnx import PACKAGE_BYTES
from edge.memory.plan import (
    PROCESS_BYTES,
    THREAD_BYTES,
    TOKENIZER_BYTES,
    TOKENIZER_BYTES_PER_TOKEN,
    MemoryPlan,
    Settings,
)
from edge.npu.borders import Borders
from edge.npu.folder import NpuFolder
from edge.npu.manifest import Phase

__all__ = ["fitting_npu", "plan_npu", "plan_npu_reader"]

NODE_BYTES = 12 * 2**10  # of a node in a session, measured of graphs of 1,200
ROWS_AT_A_TIME = 8  # of activations that are alive together, as codes and as floats


def plan_npu(folder: NpuFolder, settings: Settings) -> MemoryPlan:
    """RequestError for settings out of range. What a provider's compiler takes is not known, and not in it."""
    plan, vocab_size = _of_graphs(folder, settings, ("prefill", "decode")), folder.manifest.vocab_size
    head = sum(identity[2] for identity in folder.head.files.values()) + _head_bytes(folder)
    return replace(
        plan,
        weights_bytes=plan.weights_bytes + head,
        program_bytes=plan.program_bytes + 4 * vocab_size * max(plan.chunk, plan.num_sequences),
    )


def plan_npu_reader(folder: NpuFolder, settings: Settings) -> MemoryPlan:
    """The same of a folder that reads prompts for another engine: the graphs of chunks alone, and no head; windows'
    K and V of the whole context."""
    plan, bits = _of_graphs(folder, settings, ("prefill",)), folder.manifest.kv_bits
    per_position = sum(2 * slots.kv_heads * slots.head_dim for slots in folder.manifest.passed(plan.context))
    passed = per_position * plan.context * bits // 8
    return replace(plan, kv_bytes=plan.kv_bytes + passed)


def _of_graphs(folder: NpuFolder, settings: Settings, phases: tuple[Phase, ...]) -> MemoryPlan:
    """With what holds K and V, and nothing that makes logits."""
    manifest = folder.manifest
    check_number("chunk", settings.chunk, 1, MAX_CHUNK)
    chunk = min(settings.chunk, manifest.chunk)
    check_number("sequences", settings.num_sequences, 1, chunk)
    context = min(manifest.context, settings.default_context) if settings.context is None else settings.context
    check_number("context", context, 2, manifest.context)
    parts = [part for phase in phases for part in folder.graphs[phase]]
    sizes = {path: identity[2] for part in parts for path, identity in part.files.items()}
    nodes = sum(len(part.model.graph.nodes) for part in parts)
    return MemoryPlan(
        weights_bytes=sum(sizes.values()) + NODE_BYTES * nodes,
        kv_bytes=_kv_bytes(folder) * settings.num_sequences,
        program_bytes=_program_bytes(folder, len(phases)),
        tokenizer_bytes=TOKENIZER_BYTES + TOKENIZER_BYTES_PER_TOKEN * manifest.vocab_size,
        process_bytes=PROCESS_BYTES + PACKAGE_BYTES + len(phases) * THREAD_BYTES * settings.num_threads,
        packing_bytes=0,
        context=context,
        num_sequences=settings.num_sequences,
        kv_type=f"{manifest.kv_bits}-bit",
        chunk=chunk,
        num_threads=settings.num_threads,
    )


def fitting_npu(folder: NpuFolder, settings: Settings, budget: Budget, wanted: MemoryPlan) -> tuple[MemoryPlan, ...]:
    """The plans nearest to these settings, whose own is `wanted`, that keep the budget. The slots of K and V are there
    for every context: it is never a smaller one that fits."""
    return nearest_plans(partial(plan_npu, folder), _nearby(settings), wanted.context, budget)


def _nearby(settings: Settings) -> Iterator[Settings]:
    if settings.num_sequences > 1:
        yield replace(settings, num_sequences=1)


def _kv_bytes(folder: NpuFolder) -> int:
    past = Borders.of(folder.manifest, "decode").past
    return sum(_product(shape) * folder.table[name].dtype.itemsize for name, shape in past.items())


def _head_bytes(folder: NpuFolder) -> int:
    """The head's codes once more, in the kernels' order."""
    return max((tensor.num_bytes for tensor in folder.head.model.graph.initializers.values()), default=0)


def _program_bytes(folder: NpuFolder, num_phases: int) -> int:
    """The largest weights as floats, which the CPU provider makes of them for every product, in each phase's graphs;
    and activations."""
    manifest = folder.manifest
    weights = widest = 0
    for part in folder.graphs["prefill"]:
        for tensor in part.model.graph.initializers.values():
            if len(tensor.shape) == 2:
                weights, widest = max(weights, _product(tensor.shape)), max(widest, *tensor.shape)
    scores = max(
        (max(manifest.hidden_size // kv.head_dim, kv.kv_heads) * (manifest.masks[kv.mask].slots + manifest.chunk)
         for kv in manifest.kv), default=0,
    )  # fmt: skip
    return num_phases * 4 * weights * 2 + 4 * ROWS_AT_A_TIME * max(widest, scores) * (manifest.chunk + 1)


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
