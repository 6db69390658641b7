"""Fusion keeps every value to the bit, on the architectures and on random graphs that reuse values everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.graph.builder import GraphBuilder, Value
from edge.graph.fuse import FusedAttention, FusedLinear, fuse
from edge.graph.ops import Add, Embedding, Graph, GraphError, Mul, RmsNorm, RopeSpec, SelectRows, Silu
from edge.graph.reference import Reference, Weight
from edge.models import build
from tests.graph.fused_reference import run_fused
from tests.models.tiny import MODEL_TYPES, tensor_shapes, tiny_config

TOKENS, ROWS = [3, 1, 4, 1, 5, 9, 2], [0, 2, 6]
ROPE = RopeSpec(100.0, 4, True, 1.0, (1.0, 0.5))
OTHER_ROPE = RopeSpec(100.0, 4, False, 1.0, (1.0, 0.5))
WIDTH, HEADS, KV_HEADS, HEAD_DIM = 16, 4, 2, 4


def random_weights(graph: Graph) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(3)
    return {name: rng.standard_normal(shape) for name, shape in graph.weight_shapes.items()}


def assert_same_values(graph: Graph) -> None:
    """Every value that survives fusion has the very bits of the unfused graph, the logits among them."""
    weights = random_weights(graph)
    reference = Reference(graph, lambda name: Weight(weights[name], 0))
    reference.step(TOKENS, logit_rows=ROWS, keep=True)
    with np.errstate(over="ignore"):
        values = run_fused(fuse(graph), weights, TOKENS, ROWS)
    assert graph.output in values
    for i, value in values.items():
        np.testing.assert_array_equal(value, reference.values[graph.nodes[i].name], err_msg=graph.nodes[i].name)


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("tied", [False, True])
def test_architectures_keep_their_values_in_five_ops_a_layer(arch: str, tied: bool) -> None:
    config = tiny_config(arch, num_hidden_layers=3, tie_word_embeddings=tied)
    graph = build(config, tensor_shapes(config))
    assert_same_values(graph)
    nodes = fuse(graph)
    layer = [FusedLinear, FusedAttention, FusedLinear, FusedLinear, FusedLinear]
    ops = [node.op for node in nodes]
    if arch == "gemma3":  # norms before the residuals stay
        ops = [op for op in ops if not isinstance(op, (RmsNorm, Add))]
        assert len(nodes) - len(ops) == 3 * 4
    assert [type(op) for op in ops] == [Embedding, *layer * 3, SelectRows, FusedLinear]
    qkv, attention, out, glu, down = ops[1:6]
    assert isinstance(qkv, FusedLinear) and len(qkv.linears) == 3 and qkv.norm is not None and not qkv.residual
    assert isinstance(attention, FusedAttention) and attention.rope is not None
    assert (attention.q_norm is not None) == (attention.k_norm is not None) == (arch in ("qwen3", "gemma3"))
    assert isinstance(out, FusedLinear) and out.residual == (arch != "gemma3")
    assert (out.norm is not None) == arch.startswith("bitnet")
    assert isinstance(glu, FusedLinear) and glu.activation and glu.norm is not None and not glu.residual
    assert isinstance(down, FusedLinear) and down.residual == (arch != "gemma3") and not down.activation
    head = nodes[-1].op
    assert isinstance(head, FusedLinear) and head.norm is not None


def new_builder() -> GraphBuilder:
    """Modules m0, m1, ... (WIDTH x WIDTH), k0, ... (KV width), n0, ... and h0, ... (gains of a row and of a head)."""
    shapes: dict[str, tuple[int, ...]] = {"e.weight": (10, WIDTH)}
    for i in range(40):
        shapes |= {f"m{i}.weight": (WIDTH, WIDTH), f"k{i}.weight": (KV_HEADS * HEAD_DIM, WIDTH)}
        shapes |= {f"n{i}.weight": (WIDTH,), f"h{i}.weight": (HEAD_DIM,)}
        if i % 3 == 0:
            shapes[f"m{i}.bias"] = (WIDTH,)
    modules = {name.removesuffix(".weight"): name.removesuffix(".weight") for name in shapes if name.endswith("weight")}
    return GraphBuilder(shapes, modules)


class Composer:
    """Random but valid graphs: each call picks earlier values, so that norms, gates and residuals are often shared."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.b = new_builder()
        self.values: list[Value] = [self.b.embedding("e", 10, WIDTH)]
        self.count = 0
        self.layers = 0

    def pick(self) -> Value:
        return self.values[-1 - self.draw(st.integers(0, min(3, len(self.values) - 1)))]

    def step(self) -> None:
        self.count += 1
        n, kind = self.count, self.draw(st.integers(0, 6))
        if kind == 0:
            self.values.append(self.b.add(self.pick(), self.pick(), f"add{n}"))
        elif kind == 1:
            self.values.append(self.b.mul(self.pick(), self.pick(), f"mul{n}"))
        elif kind == 2:
            self.values.append(self.b.silu(self.pick(), f"silu{n}"))
        elif kind == 3:
            width = self.draw(st.sampled_from([WIDTH, HEAD_DIM]))
            self.values.append(self.b.rms_norm(self.pick(), f"{'n' if width == WIDTH else 'h'}{n}", 1e-5, width=width))
        elif kind == 4:
            self.attention(n)
        elif kind == 5:
            x = self.pick()
            gate, up = self.b.linear(x, f"m{n}", WIDTH), self.b.linear(x, f"m{n + 20}", WIDTH)
            gated = self.b.silu(gate, f"gate{n}")
            pair = (gated, up) if self.draw(st.booleans()) else (up, gated)
            self.values += [self.b.mul(*pair, f"glu{n}")] + ([up] if self.draw(st.booleans()) else [])
        else:
            self.values.append(self.b.linear(self.pick(), f"m{n}", WIDTH))

    def attention(self, n: int) -> None:
        x = self.pick()
        q = self.b.linear(x, f"m{n}", WIDTH)
        k, v = (self.b.linear(self.pick(), f"k{n + i}", KV_HEADS * HEAD_DIM) for i in (0, 20))
        if self.draw(st.booleans()):
            q = self.b.rms_norm(q, f"h{n}", 1e-5, width=HEAD_DIM)
        if self.draw(st.booleans()):
            k = self.b.rms_norm(k, f"h{n + 20}", 1e-5, width=HEAD_DIM)
        if self.draw(st.booleans()):
            q, k = (self.b.rope(x, ROPE, HEAD_DIM, f"rope{n}{name}") for x, name in ((q, "q"), (k, "k")))
        self.b.layer(self.layers)
        self.layers += 1
        out = self.b.attention(q, k, v, num_heads=HEADS, num_kv_heads=KV_HEADS, head_dim=HEAD_DIM, scale=0.5)
        self.b.end_layers()
        self.values.append(out)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    composer = Composer(draw)
    for _ in range(draw(st.integers(1, 12))):
        composer.step()
    x = composer.b.select_rows(composer.values[-1])
    logits = composer.b.linear(x, "m39", WIDTH, name="logits")
    graph = composer.b  # finish() would refuse the spare tensors
    used = {n: s for n, s in graph._used.items()}  # pyright: ignore[reportPrivateUsage]
    return Graph(tuple(graph._nodes), logits.node, used)  # pyright: ignore[reportPrivateUsage]


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_random_graphs_keep_their_values(graph: Graph) -> None:
    assert_same_values(graph)


def finished(b: GraphBuilder, x: Value) -> Graph:
    logits = b.linear(b.select_rows(x), "m39", WIDTH, name="logits")
    return Graph(tuple(b._nodes), logits.node, dict(b._used))  # pyright: ignore[reportPrivateUsage]


def kinds(graph: Graph) -> list[str]:
    assert_same_values(graph)
    return [type(node.op).__name__ for node in fuse(graph)]


def test_a_norm_that_others_read_is_kept() -> None:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    h = b.rms_norm(x, "n0", 1e-5)
    assert kinds(finished(b, b.add(b.mul(h, b.linear(h, "m1", WIDTH), "mul"), x, "sum"))).count("RmsNorm") == 1


def test_a_norm_of_heads_is_not_folded_into_a_projection() -> None:
    b = new_builder()
    h = b.rms_norm(b.embedding("e", 10, WIDTH), "h0", 1e-5, width=HEAD_DIM)
    assert "RmsNorm" in kinds(finished(b, b.linear(h, "m1", WIDTH)))


def test_a_gate_that_others_read_is_kept() -> None:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    gate = b.silu(b.linear(x, "m0", WIDTH), "gate")
    both = b.mul(gate, b.linear(x, "m1", WIDTH), "glu")
    found = kinds(finished(b, b.mul(both, gate, "again")))
    assert "Silu" in found and found.count("Mul") == 2


def test_more_than_three_projections_are_split() -> None:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    parts = [b.linear(x, f"m{i}", WIDTH) for i in range(5)]
    total = parts[0]
    for i, part in enumerate(parts[1:]):
        total = b.mul(total, part, f"mul{i}")
    linears = [node.op for node in fuse(finished(b, total)) if isinstance(node.op, FusedLinear)]
    assert [len(op.linears) for op in linears] == [3, 2, 1]


def test_both_sides_of_a_sum_are_projections() -> None:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    found = fuse(finished(b, b.add(b.linear(x, "m0", WIDTH), b.linear(x, "m1", WIDTH), "sum")))
    assert [isinstance(n.op, FusedLinear) and n.op.residual for n in found] == [False, False, True, False, False]


def attention_graph(q_rope: RopeSpec | None, k_rope: RopeSpec | None, reuse: bool = False) -> Graph:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    q, k, v = b.linear(x, "m0", WIDTH), b.linear(x, "k0", 8), b.linear(x, "k1", 8)
    q = q if q_rope is None else b.rope(q, q_rope, HEAD_DIM, "q_rope")
    k = k if k_rope is None else b.rope(k, k_rope, HEAD_DIM, "k_rope")
    b.layer(0)
    a = b.attention(q, k, v, num_heads=HEADS, num_kv_heads=KV_HEADS, head_dim=HEAD_DIM, scale=0.5)
    b.end_layers()
    return finished(b, b.add(a, q, "sum") if reuse else a)


def test_what_has_no_native_form_is_refused() -> None:
    fuse(attention_graph(ROPE, ROPE))
    fuse(attention_graph(None, None))
    for graph in (attention_graph(ROPE, None), attention_graph(ROPE, OTHER_ROPE)):
        with pytest.raises(GraphError, match="rotated differently"):
            fuse(graph)
    with pytest.raises(GraphError, match="native form"):
        fuse(attention_graph(ROPE, ROPE, reuse=True))
    b = new_builder()
    x = b.rope(b.embedding("e", 10, WIDTH), ROPE, HEAD_DIM, "turned")
    with pytest.raises(GraphError, match="turned: rope has a native form only"):
        fuse(finished(b, x))


def test_plain_ops_stay() -> None:
    b = new_builder()
    x = b.embedding("e", 10, WIDTH)
    y = b.mul(b.silu(b.add(x, x, "twice"), "act"), x, "mul")
    ops = [type(node.op) for node in fuse(finished(b, b.rms_norm(y, "h3", 1e-5, width=HEAD_DIM)))]
    assert ops == [Embedding, Add, Silu, Mul, RmsNorm, SelectRows, FusedLinear]
