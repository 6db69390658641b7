"""The native op list: packed as the header declares it, and complete enough to be read back."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.formats.config import RopeScaling
from edge.graph import NativeProgram, lower_native
from edge.graph.builder import GraphBuilder
from edge.graph.ops import Graph, GraphError, Rows
from edge.models import build
from tests.models.tiny import MODEL_TYPES, tensor_shapes, tiny_config

HEADER = (Path(__file__).parents[2] / "native/include/edge/program.h").read_text()
EMBED, RMS_NORM, LINEAR, ATTENTION, ADD, MUL, ACTIVATION, SELECT_ROWS = range(1, 9)


class Op(NamedTuple):
    kind: int
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    weights: tuple[int, ...]
    biases: tuple[int, ...]
    norms: tuple[int, ...]
    residual: int
    activation: int
    layer: int
    kv_source_layer: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rope: int
    eps: float
    scale: float
    window: int
    mode: int


def unpack(program: NativeProgram) -> list[Op]:
    ops: list[Op] = []
    for f in struct.iter_unpack("=23i2f2i", program.ops):
        fields: list[Any] = [f[0], f[1:4], f[4:7], f[7:10], f[10:13], f[13:15], *f[15:27]]
        ops.append(Op._make(fields))
    return ops


def lowered(arch: str, **changes: Any) -> NativeProgram:
    config = tiny_config(arch, **changes)
    return lower_native(build(config, tensor_shapes(config)))


def test_struct_fields_stand_as_in_the_header() -> None:
    body = re.search(r"typedef struct edge_op \{(.*?)\} edge_op;", HEADER, re.S)
    assert body is not None
    fields = re.findall(r"(int32_t|float) (\w+)(?:\[(\d)\])?;", body[1])
    names = ["kind", "in", "out", "weight", "bias", "norm", "residual", "activation", "layer", "kv_source_layer"]
    assert [name for _, name, _ in fields] == [
        *names, "num_heads", "num_kv_heads", "head_dim", "rope", "eps", "scale", "window", "mode"
    ]  # fmt: skip
    letters = "".join(("i" if kind == "int32_t" else "f") * int(size or 1) for kind, _, size in fields)
    assert letters == "i" * 23 + "ff" + "ii"
    assert re.search(r"edge_buffer \{\s*uint64_t offset;.*?\n\s*int32_t width;.*?\n\s*int32_t rows;", HEADER)


def test_numbers_are_those_of_the_header() -> None:
    kinds = [(name, int(number)) for name, number in re.findall(r"EDGE_OP_(\w+) = (\d+)", HEADER)]
    names = "EMBED RMS_NORM LINEAR ATTENTION ADD MUL ACTIVATION SELECT_ROWS LAYER_NORM"
    assert kinds == [(name, i + 1) for i, name in enumerate(names.split())]
    activations = [(name, int(number)) for name, number in re.findall(r"EDGE_ACT_(\w+) = (\d+)", HEADER)]
    assert activations == [("NONE", 0), ("SILU", 1), ("GELU", 2), ("RELU2", 3), ("GELU_ERF", 4)]
    assert (Rows.TOKENS.value, Rows.LOGITS.value) == (0, 1)


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3"])
def test_a_layer_in_five_ops(arch: str) -> None:
    program = lowered(arch)
    ops = unpack(program)
    assert len(ops) == program.num_ops and len(program.ops) == 108 * program.num_ops
    assert [op.kind for op in ops] == [EMBED, *[LINEAR, ATTENTION, LINEAR, LINEAR, LINEAR] * 2, SELECT_ROWS, LINEAR]
    names = [w.tensor for w in program.weights]

    def tensors(numbers: tuple[int, ...]) -> list[str]:
        return [names[i] for i in numbers if i >= 0]

    embed, qkv, attention, out, glu, down = ops[:6]
    assert tensors(embed.weights) == ["token_embd.weight"] and embed.scale == 1.0
    assert tensors(qkv.weights) == [f"blk.0.attn_{x}.weight" for x in "qkv"]
    assert tensors(qkv.biases) == ([f"blk.0.attn_{x}.bias" for x in "qkv"] if arch == "qwen2" else [])
    assert tensors(qkv.norms) == ["blk.0.attn_norm.weight"] and qkv.eps == struct.unpack("f", struct.pack("f", 1e-5))[0]
    assert attention.ins == qkv.outs and attention.scale == 0.25 and attention.rope == 0
    assert (attention.num_heads, attention.num_kv_heads, attention.head_dim) == (4, 2, 16)
    assert (attention.layer, attention.kv_source_layer) == (0, 0) and (ops[7].layer, ops[7].kv_source_layer) == (1, 1)
    norms = ["blk.0.attn_q_norm.weight", "blk.0.attn_k_norm.weight"]
    assert tensors(attention.norms) == (norms if arch == "qwen3" else [])
    assert out.residual == embed.outs[0] and out.ins[0] == attention.outs[0] and out.norms == (-1, -1)
    assert tensors(glu.weights) == ["blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"] and glu.activation == 1
    assert tensors(glu.norms) == ["blk.0.ffn_norm.weight"] and glu.outs[1:] == (-1, -1) and glu.residual == -1
    assert down.residual == out.outs[0] and tensors(down.weights) == ["blk.0.ffn_down.weight"]
    assert ops[-1].outs[0] == program.logits_buffer and all(op.window == op.mode == 0 for op in ops)
    assert (program.num_layers, program.num_kv_heads, program.head_dim, program.width) == (2, 2, 16, 96)


def test_rows_of_a_joined_tensor_are_matrices() -> None:
    program = lowered("phi3")
    qkv, glu = unpack(program)[1], unpack(program)[4]
    parts = [program.weights[i] for i in (*qkv.weights, *glu.weights[:2])]
    assert [(part.name, part.shape) for part in parts] == [
        ("blk.0.attn_qkv.weight[0:64]", (64, 48)),
        ("blk.0.attn_qkv.weight[64:96]", (32, 48)),
        ("blk.0.attn_qkv.weight[96:128]", (32, 48)),
        ("blk.0.ffn_up.weight[0:80]", (80, 48)),
        ("blk.0.ffn_up.weight[80:160]", (80, 48)),
    ]


def test_layers_with_a_window_come_last_in_the_arenas() -> None:
    """gemma3's layer 0 has one, layer 1 has not; each rotates by a theta of its own."""
    program = lowered("gemma3")
    ops = [op for op in unpack(program) if op.kind == ATTENTION]
    assert [(op.layer, op.kv_source_layer, op.window) for op in ops] == [(1, 1, 9), (0, 0, 0)]
    assert (program.num_layers, program.num_window_layers, program.window) == (1, 1, 9)
    assert [program.ropes[op.rope].theta for op in ops] == [10000.0, 10000.0] and ops[0].rope == ops[1].rope
    apart = lowered("gemma3", rope_theta=1e6)
    assert [rope.theta for rope in apart.ropes] == [10000.0, 1e6]
    assert unpack(program)[0].scale == struct.unpack("f", struct.pack("f", 48**0.5))[0]


@pytest.mark.parametrize(("arch", "activation"), [("gemma3", 2), ("phi3", 1), ("bitnet", 1), ("bitnet-b1.58", 3)])
def test_gates_have_their_activation(arch: str, activation: int) -> None:
    gates = [op.activation for op in unpack(lowered(arch)) if op.kind == LINEAR and op.activation]
    assert gates == [activation] * 2


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_every_number_is_in_range_and_made_before_it_is_read(arch: str) -> None:
    program = lowered(arch, tie_word_embeddings=arch != "llama")
    made: set[int] = set()
    for at, op in enumerate(unpack(program)):
        read = {i for i in (*op.ins, op.residual) if i >= 0}
        assert read <= made
        assert all(program.buffers[i].first_op <= at <= program.buffers[i].last_op for i in read)
        written = {i for i in op.outs if i >= 0}
        assert not written & (made | read)
        assert all(program.buffers[i].first_op == at for i in written)
        made |= written
        vectors = [i for i in (*op.biases, *op.norms) if i >= 0]
        assert all(program.weights[i].kind == "matrix" for i in op.weights if i >= 0)
        assert all(program.weights[i].kind == "vector" for i in vectors)
    assert made == set(range(len(program.buffers)))
    assert program.buffers[program.logits_buffer].last_op == program.num_ops - 1


def test_a_tied_head_is_the_same_weight() -> None:
    program = lowered("llama", tie_word_embeddings=True)
    ops = unpack(program)
    assert ops[0].weights[0] == ops[-1].weights[0] == 0
    assert [w.tensor for w in program.weights].count("token_embd.weight") == 1
    assert len({w.tensor for w in program.weights}) == len(program.weights)


def test_rope_is_shared_by_all_layers() -> None:
    (rope,) = lowered("qwen3", rope_scaling=RopeScaling("linear", 2.0, 64)).ropes
    assert rope.neox and rope.dims == 16 and rope.frequency_scale == (0.5,) * 8 and rope.theta == 10000.0


def test_arena() -> None:
    program = lowered("llama")
    shared, apart = program.arena(7, 3), program.arena(7, 3, share=False)
    assert shared.num_bytes < apart.num_bytes
    for arena in (shared, apart):
        buffers = list(struct.iter_unpack("=Qii", arena.buffers))
        assert len(arena.buffers) == 16 * len(program.buffers)
        assert [(width, rows) for _, width, rows in buffers] == [(b.width, b.rows.value) for b in program.buffers]
        ends = [offset + 4 * width * (3 if rows else 7) for offset, width, rows in buffers]
        assert arena.num_bytes - 64 < max(ends) <= arena.num_bytes
    for tokens, logits in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            program.arena(tokens, logits)


def test_values_are_found_in_their_buffers() -> None:
    program = lowered("qwen3")
    number = program.buffer_of("blk.1.ffn_residual")
    assert number is not None and program.buffers[number].width == 48
    assert program.buffer_of("blk.1.ffn_silu") is None
    assert program.buffer_of("logits") == program.logits_buffer


def test_what_the_engine_cannot_run_is_said() -> None:
    shapes = {"e.weight": (10, 16), "q.weight": (16, 16), "k.weight": (8, 16), "v.weight": (8, 16)}
    b = GraphBuilder(shapes, {name: name for name in "eqkv"} | {f"model.layers.{{i}}.{name}": name for name in "eqkv"})
    x = b.embedding("e", 10, 16)
    q, k, v = b.linear(x, "q", 16), b.linear(x, "k", 8), b.linear(x, "v", 8)
    b.layer(1)
    a = b.attention(q, k, v, num_heads=4, num_kv_heads=2, head_dim=4, scale=0.5)
    b.layer(2)
    with pytest.raises(GraphError, match="stores K and V as layer 0"):
        b.shared_attention(a, 0)
    one = b.shared_attention(a, 1)
    b.layer(3)
    with pytest.raises(GraphError, match=r"one shape .* layers \[1, 3\]"):
        lower_native(b.finish(b.attention(one, k, v, num_heads=8, num_kv_heads=4, head_dim=2, scale=0.5)))
    config = tiny_config()
    graph = build(config, tensor_shapes(config))
    unselected = Graph(graph.nodes[:-3], graph.nodes[-4].number, graph.weight_shapes)
    with pytest.raises(GraphError, match="rows of tokens"):
        lower_native(unselected)
