"""Layers that read the K and V of an earlier one: equal bits to the reference, and no place in the arena for them."""

from __future__ import annotations

import numpy as np
import pytest

from edge.formats.types import GGMLType
from edge.graph import lower_native
from edge.graph.builder import GraphBuilder, Value
from edge.graph.native import NativeProgram
from edge.graph.ops import Attention, Graph, GraphError
from edge.graph.reference import KVType, Reference
from edge.graph.rope import rope_spec
from edge.models import qwen3
from tests.graph.native_model import NativeModel, Tensor, as_tensors
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config

SOURCES = (0, 1, 1, 0, 4)  # by layer: whose K and V it reads; its own where that is itself
CONFIG = tiny_config("qwen3", num_hidden_layers=len(SOURCES), hidden_size=64, intermediate_size=96)
TOKENS = [(31 * i + 7) % 96 for i in range(45)]  # past the end of a KV block


def shared_shapes() -> dict[str, tuple[int, ...]]:
    """A layer that shares has neither k and v nor a norm for k."""
    borrowed = {
        f"blk.{i}.attn_{name}" for i, source in enumerate(SOURCES) if source != i for name in ("k", "v", "k_norm")
    }
    return {
        name: shape for name, shape in tensor_shapes(CONFIG).items() if name.removesuffix(".weight") not in borrowed
    }


def shared_model(kind: GGMLType = GGMLType.F32) -> tuple[Graph, dict[str, Tensor]]:
    shapes, rope, dim = shared_shapes(), rope_spec(CONFIG, "neox"), CONFIG.head_dim
    b = GraphBuilder(shapes, qwen3.MODULES)

    def head(x: Value, name: str, heads: int) -> Value:
        projected = b.linear(x, f"self_attn.{name}_proj", heads * dim)
        return b.rope(b.rms_norm(projected, f"self_attn.{name}_norm", 1e-5, width=dim), rope, dim, f"{name}_rope")

    x = b.embedding("model.embed_tokens", 96, CONFIG.hidden_size)
    for i, source in enumerate(SOURCES):
        b.layer(i)
        h = b.rms_norm(x, "input_layernorm", 1e-5)
        q = head(h, "q", 4)
        if source == i:
            k, v = head(h, "k", 2), b.linear(h, "self_attn.v_proj", 2 * dim)
            a = b.attention(q, k, v, num_heads=4, num_kv_heads=2, head_dim=dim, scale=dim**-0.5)
        else:
            a = b.shared_attention(q, source)
        x = b.add(x, b.linear(a, "self_attn.o_proj", CONFIG.hidden_size), "attn_residual")
        h = b.rms_norm(x, "post_attention_layernorm", 1e-5)
        glu = b.mul(b.silu(b.linear(h, "mlp.gate_proj", 96), "ffn_silu"), b.linear(h, "mlp.up_proj", 96), "ffn_glu")
        x = b.add(x, b.linear(glu, "mlp.down_proj", CONFIG.hidden_size), "ffn_residual")
    b.end_layers()
    logits = b.linear(b.rms_norm(b.select_rows(x), "model.norm", 1e-5), "lm_head", 96, name="logits")
    return b.finish(logits), as_tensors(random_tensors(shapes, seed=9), (kind,))


def compare(graph: Graph, tensors: dict[str, Tensor], kv_type: KVType) -> bool:
    """A prompt, then tokens one by one; whether every value has the reference's bits."""
    model = Reference(graph, lambda name: tensors[name].weight(), mode="engine", kv_type=kv_type)
    equal = True
    with NativeModel(graph, tensors, kv_type=kv_type, num_threads=2) as engine:
        for start, end in ((0, 40), (40, 43), (43, 44), (44, 45)):
            wanted = model.step(TOKENS[start:end], range(start, end), keep=True)
            equal &= np.array_equal(engine.step(TOKENS[start:end], start), wanted)
            equal &= all(np.array_equal(value, model.values[name]) for name, value in engine.values().items())
    return equal


@pytest.mark.parametrize("kv_type", ["f16", "q8", "q4", "f32"])
def test_equal_bits_to_the_reference(kv_type: KVType) -> None:
    assert compare(*shared_model(), kv_type)


def test_quantised_weights() -> None:
    assert compare(*shared_model(GGMLType.Q8_0), "f16")


def test_only_layers_that_store_have_a_place_in_the_arena() -> None:
    program: NativeProgram = lower_native(shared_model()[0])
    assert program.num_layers == 3


def test_another_source_gives_other_logits() -> None:
    graph, tensors = shared_model()
    right = Reference(graph, lambda name: tensors[name].weight()).step(TOKENS)
    nodes = tuple(
        node._replace(op=node.op._replace(layer=0))
        if isinstance(node.op, Attention) and len(node.inputs) == 1 and node.op.layer == 1
        else node
        for node in graph.nodes
    )
    wrong = Reference(graph._replace(nodes=nodes), lambda name: tensors[name].weight()).step(TOKENS)
    assert np.linalg.norm(right - wrong) > 1e-2 * np.linalg.norm(right)


def test_a_source_that_stores_nothing_is_refused() -> None:
    graph, _ = shared_model()
    nodes = tuple(
        node._replace(op=node.op._replace(layer=3))
        if isinstance(node.op, Attention) and len(node.inputs) == 1
        else node
        for node in graph.nodes
    )
    with pytest.raises(GraphError, match=r"no layer stores: \[3\]"):
        lower_native(graph._replace(nodes=nodes))
