"""What is known of a model before anything is loaded: its configuration, its program, and the limits of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge import native
from edge.backends.protocol import Limits
from edge.backends.work import StepWork, step_work
from edge.errors import RequestError, UnsupportedModel
from edge.formats.adapter import Adapter
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.formats.types import GGMLType, type_name
from edge.graph import LoweredAdapters, NativeProgram, WeightRef, lower_adapters, lower_native
from edge.models import build

__all__ = [
    "KV_TYPES",
    "MATRIX_TYPES",
    "Compiled",
    "check_number",
    "compile_model",
    "states_limits",
    "window_blocks",
]

MAX_CHUNK = 4096
MAX_SEQUENCES = 256
STATES_SEQUENCES = 64  # texts that one step embeds
KV_TYPES = ("f16", "q8", "q4", "f32")
VECTOR_TYPES = frozenset({GGMLType.F32, GGMLType.F16, GGMLType.BF16})
# Everything but what only activations have, integers, and doubles.
MATRIX_TYPES = frozenset(GGMLType) - {
    GGMLType.Q8_1,
    GGMLType.Q8_K,
    GGMLType.I8,
    GGMLType.I16,
    GGMLType.I32,
    GGMLType.I64,
    GGMLType.F64,
}


class Compiled(NamedTuple):
    """A model's program, how large its steps may be, and what they must do.

    kv_type: as asked; of an encoder, which keeps no K and V beyond a layer, always "f32".
    """

    config: ModelConfig
    program: NativeProgram
    limits: Limits
    work: StepWork
    kv_type: str
    adapters: LoweredAdapters


def compile_model(
    file: GGUFFile,
    *,
    context: int | None,
    default_context: int,
    chunk: int,
    num_sequences: int,
    kv_type: str,
    kv_tokens: int | None = None,
    adapters: Sequence[Adapter] = (),
) -> Compiled:
    """context: tokens per sequence (None: the model's own, at most default_context). chunk: prompt tokens in a step.
    kv_tokens: whose K and V are kept at a time, of all sequences (None, or more: as many as they may have). adapters:
    that rows may use.

    Raises BadModelFile, UnsupportedModel (an adapter that was made for another model, too), RequestError for an option
    out of range.
    """
    check_number("chunk", chunk, 1, MAX_CHUNK)
    check_number("sequences", num_sequences, 1, MAX_SEQUENCES)
    if kv_type not in KV_TYPES:
        raise RequestError(f"kv_type is {kv_type!r}; it must be one of {', '.join(KV_TYPES)}")
    config = ModelConfig.from_gguf(file)
    longest = config.max_position_embeddings
    length = min(longest, default_context) if context is None else context
    check_number("context", length, 2, longest)
    config = config.for_context(length)
    blocks_each = -(-length // native.BLOCK_SIZE)
    num_blocks = blocks_each * num_sequences
    if kv_tokens is not None:
        check_number("kv_tokens", kv_tokens, length, 2**31 - 1)
        num_blocks = max(blocks_each, min(num_blocks, kv_tokens // native.BLOCK_SIZE))
    graph = build(config, {name: info.shape for name, info in file.tensors.items()})
    program = lower_native(graph)
    for ref in program.weights:
        _check_type(file, ref)
    for adapter in adapters:
        _check_adapter(file, adapter, config.vocab_size)
    work = step_work(config, graph, {name: (info.shape, info.type) for name, info in file.tensors.items()})
    adapted = lower_adapters(program, adapters)
    if config.is_encoder:
        limits = states_limits(config.vocab_size, length, max(chunk, length))
        return Compiled(config, program, limits, work, "f32", adapted)
    max_tokens = max(chunk, num_sequences)
    num_window_blocks = window_blocks(program.window, native.BLOCK_SIZE, num_sequences, max_tokens, num_blocks)
    limits = Limits(
        vocab_size=config.vocab_size,
        context=length,
        max_tokens=max_tokens,
        max_sequences=num_sequences,
        block_size=native.BLOCK_SIZE,
        num_blocks=num_blocks,
        window=program.window,
        num_window_blocks=num_window_blocks,
        num_adapters=len(adapters),
    )
    return Compiled(config, program, limits, work, kv_type, adapted)


def states_limits(vocab_size: int, context: int, max_tokens: int, *, window: int = 0) -> Limits:
    """Of a program whose output is the states of all tokens. Its sequences last for a step, or one for several: blocks
    for the longest, and for a full step of short ones."""
    max_sequences = min(STATES_SEQUENCES, max_tokens)
    num_blocks = max(-(-context // native.BLOCK_SIZE), max_tokens // native.BLOCK_SIZE + max_sequences)
    return Limits(
        vocab_size=vocab_size,
        context=context,
        max_tokens=max_tokens,
        max_sequences=max_sequences,
        block_size=native.BLOCK_SIZE,
        num_blocks=num_blocks,
        window=window,
        num_window_blocks=num_blocks if window else 0,
        max_logits=max_tokens,
    )


def window_blocks(window: int, block_size: int, num_sequences: int, max_tokens: int, num_blocks: int) -> int:
    """What sequences see and write at most, and one window more, for prompts that begin as others did."""
    if window == 0:
        return 0
    seen = (window - 1) // block_size + 3  # the window begins inside a block, and so does what is written
    return min(num_blocks, num_sequences * (seen + max_tokens // block_size) + seen)


def _check_type(file: GGUFFile, ref: WeightRef) -> None:
    allowed = MATRIX_TYPES if ref.kind == "matrix" else VECTOR_TYPES
    kind = file.tensors[ref.tensor].type
    if kind not in allowed:
        names = ", ".join(sorted(item.name for item in allowed))
        raise UnsupportedModel(
            file.path, f"tensor {ref.tensor} is {type_name(kind)}; this version runs a {ref.kind} of {names}"
        )


def _check_adapter(file: GGUFFile, adapter: Adapter, vocab_size: int) -> None:
    adapter.check_base(file)
    for info in adapter.file.tensors.values():
        if info.type not in MATRIX_TYPES:
            raise UnsupportedModel(
                adapter.path, f"tensor {info.name} is {type_name(info.type)}, which edge cannot read"
            )
    if max(adapter.invocation, default=0) >= vocab_size:
        raise UnsupportedModel(
            adapter.path, f"is invoked by token {max(adapter.invocation)}, the vocabulary has {vocab_size} tokens"
        )


def check_number(name: str, value: object, low: int, high: int) -> None:
    """RequestError when an option is no whole number from low to high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")
