"""What the native engine will allocate for a model, found out without loading it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from edge import native
from edge.backends.adapters import adapter_sizes, adapter_type
from edge.backends.compiled import Compiled
from edge.formats.gguf import GGUFFile
from edge.graph import NativeProgram

__all__ = ["EngineSizes", "engine_sizes"]


class EngineSizes(NamedTuple):
    """Bytes. matrices: all of them, packed. largest: source and packed form of the matrix that needs most while it is
    packed. in_memory: the same beside all that are packed before it, the largest first. adapters: their matrices.
    kv_block: one block of positions, all layers that see everything. window_block: one of those with a window.
    program: op list, arena and scratch."""

    matrices: int
    largest: int
    in_memory: int
    vectors: int
    adapters: int
    kv_block: int
    window_block: int
    program: int


def engine_sizes(file: GGUFFile, compiled: Compiled, *, kv_type: str, num_threads: int) -> EngineSizes:
    """Makes the program for weights that are not there, and asks it: the rule of what it allocates is its own."""
    program, limits = compiled.program, compiled.limits
    tensors = [(ref, file.tensors[ref.tensor]) for ref in program.weights]
    sizes = [native.weights_sizes(info.type, *ref.shape) for ref, info in tensors if ref.kind == "matrix"]
    low_rank = adapter_sizes(compiled.adapters)
    largest = max(packed for _, packed in (*sizes, *low_rank))
    nothing = native.Region.allocate(largest + native.OVERREAD_BYTES)  # pages that nobody touches are not there
    weights = [
        native.Weights.mapped(info.type, ref.shape[0], ref.shape[1], nothing, 0)
        if ref.kind == "matrix"
        else native.Weights.vector(info.type, ref.shape[0], bytes(info.num_bytes))
        for ref, info in tensors
    ]
    weights += [
        native.Weights.mapped(adapter_type(matrix), matrix.num_rows, matrix.cols, nothing, 0)
        for matrix in compiled.adapters.matrices
    ]
    geometry = native.KVShape(kv_type, program.num_layers, program.num_kv_heads, program.head_dim)
    arena = program.arena(limits.max_tokens, limits.num_logits)
    try:
        planned = native.Program(
            ops=program.ops,
            buffers=arena.buffers,
            arena_bytes=arena.num_bytes,
            ropes=program.ropes,
            weights=weights,
            logits_buffer=program.logits_buffer,
            isa="scalar",
            max_tokens=limits.max_tokens,
            max_logits=limits.num_logits,
            max_sequences=limits.max_sequences,
            kv=geometry,
            max_threads=num_threads,
            max_positions=limits.context,
            num_window_layers=program.num_window_layers,
            loras=compiled.adapters.loras,
            num_adapters=compiled.adapters.num_adapters,
        )
        program_bytes = planned.num_bytes
        planned.close()
        vector_bytes = sum(item.packed_bytes for item in weights if item.is_vector)
    finally:
        for item in weights:
            item.close()
        nothing.close()
    return EngineSizes(
        matrices=sum(packed for _, packed in sizes),
        largest=max(source + packed for source, packed in sizes),
        in_memory=_in_memory(sizes),
        vectors=vector_bytes,
        adapters=sum(packed for _, packed in low_rank),
        kv_block=_block_bytes(kv_type, program, program.num_layers),
        window_block=_block_bytes(kv_type, program, program.num_window_layers),
        program=program_bytes,
    )


def _in_memory(sizes: list[tuple[int, int]]) -> int:
    largest_first = sorted(sizes, key=lambda matrix: -matrix[0])
    packed = itertools.accumulate(packed for _, packed in largest_first)
    return max(source + done for (source, _), done in zip(largest_first, packed, strict=True))


def _block_bytes(kv_type: str, program: NativeProgram, num_layers: int) -> int:
    return native.kv_block_bytes(kv_type, num_layers, program.num_kv_heads, program.head_dim) if num_layers else 0
