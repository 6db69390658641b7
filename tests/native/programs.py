"""A program small enough to pack by hand: embedding, attention with one KV head, a head. Weights are F32."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field, replace
from random import Random

from edge import native

F32 = 0
HIDDEN, VOCAB, HEADS, HEAD_DIM = 32, 10, 2, 16
EMBED, LINEAR, ATTENTION, SELECT_ROWS = 1, 3, 4, 8


@dataclass(frozen=True, slots=True)
class Op:
    """edge_op, with its neutral values."""

    kind: int
    ins: tuple[int, ...] = ()
    outs: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    layer: int = -1
    heads: tuple[int, int, int] = (0, 0, 0)  # num_heads, num_kv_heads, head_dim
    rope: int = -1
    scale: float = 1.0

    def pack(self) -> bytes:
        lists = ((self.ins, 3), (self.outs, 3), (self.weights, 3), ((), 3), ((), 2))
        numbers = [i for values, size in lists for i in (*values, *[-1] * (size - len(values)))]
        return struct.pack(
            "=23i2f2i",
            *(self.kind, *numbers, -1, 0, self.layer, self.layer, *self.heads, self.rope, 1e-5, self.scale, 0, 0),
        )


@dataclass(frozen=True, slots=True)
class Spec:
    """What native.Program needs, as plain values that a test can change."""

    ops: tuple[Op, ...] = (
        Op(EMBED, (), (0,), (0,)),
        Op(LINEAR, (0,), (1, 2, 3), (1, 2, 3)),
        Op(ATTENTION, (1, 2, 3), (4,), (), layer=0, heads=(HEADS, 1, HEAD_DIM), rope=0, scale=0.25),
        Op(SELECT_ROWS, (4,), (5,)),
        Op(LINEAR, (5,), (6,), (4,)),
    )
    widths: tuple[int, ...] = (HIDDEN, HIDDEN, HEAD_DIM, HEAD_DIM, HIDDEN, HIDDEN, VOCAB)
    logit_buffers: frozenset[int] = frozenset({5, 6})
    max_tokens: int = 16
    max_logits: int = 16
    ropes: tuple[native.Rope, ...] = field(
        default=(native.Rope(10000.0, HEAD_DIM, False, 1.0, (1.0,) * (HEAD_DIM // 2)),)
    )

    def buffers(self) -> tuple[bytes, int]:
        """(packed edge_buffer structs, bytes of the arena)."""
        packed, end = b"", 0
        for i, width in enumerate(self.widths):
            of_logits = i in self.logit_buffers
            packed += struct.pack("=Qii", end, width, int(of_logits))
            size = 4 * width * (self.max_logits if of_logits else self.max_tokens)
            end += -(-size // 64) * 64
        return packed, end


def make_weights(seed: int = 0) -> list[native.Weights]:
    """Embedding, q, k, v, head."""
    random = Random(seed)
    shapes = ((VOCAB, HIDDEN), (HIDDEN, HIDDEN), (HEAD_DIM, HIDDEN), (HEAD_DIM, HIDDEN), (VOCAB, HIDDEN))
    return [
        native.Weights.matrix(F32, rows, cols, array("f", (random.uniform(-0.5, 0.5) for _ in range(rows * cols))))
        for rows, cols in shapes
    ]


def make_program(
    weights: list[native.Weights], spec: Spec | None = None, *, isa: str | None = None, max_threads: int = 2
) -> native.Program:
    spec = Spec() if spec is None else spec
    buffers, arena_bytes = spec.buffers()
    return native.Program(
        ops=b"".join(op.pack() for op in spec.ops),
        buffers=buffers,
        arena_bytes=arena_bytes,
        ropes=spec.ropes,
        weights=weights,
        logits_buffer=len(spec.widths) - 1,
        isa=isa,
        max_tokens=spec.max_tokens,
        max_logits=spec.max_logits,
        max_sequences=3,
        kv=native.KVShape("f32", 1, 1, HEAD_DIM),
        max_threads=max_threads,
        max_positions=1024,
    )


def with_op(spec: Spec, index: int, op: Op) -> Spec:
    return replace(spec, ops=(*spec.ops[:index], op, *spec.ops[index + 1 :]))
