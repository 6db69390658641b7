"""The graph with fixed shapes computes what the model's definition says, for every architecture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.errors import NumericalError, UnsupportedModel
from edge.export.npu.evaluate import evaluate
from edge.export.npu.lower import HIDDEN, HIDDEN_OUT, lower
from edge.export.npu.static import StaticGraph
from edge.formats.config import RopeScaling
from edge.graph.ops import Graph, Linear
from edge.graph.reference import Reference
from edge.models import build
from tests.models.tiny import F32, MODEL_TYPES, provider, random_tensors, tensor_shapes, tiny_config
from tests.npu.models import last_hidden

TOKENS = [int(i) for i in np.random.default_rng(5).integers(0, 96, 48)]
YARN = RopeScaling("yarn", 4.0, 64)


def model(model_type: str, **changes: Any) -> tuple[Graph, dict[str, F32]]:
    config = tiny_config(model_type, **changes)
    shapes = tensor_shapes(config)
    return build(config, shapes), random_tensors(shapes)


def static_hidden(graph: Graph, tensors: dict[str, F32], static: StaticGraph) -> F32:
    scale = np.float32(getattr(graph.nodes[0].op, "scale", 1.0))
    outputs = evaluate(static, lambda name: tensors[name], [tensors["token_embd.weight"][TOKENS] * scale])
    return np.concatenate([chunk[HIDDEN_OUT][0] for chunk in outputs])


@pytest.mark.parametrize("tokens", [1, 8, 16])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_equals_the_definition(model_type: str, tokens: int) -> None:
    graph, tensors = model(model_type)
    found = static_hidden(graph, tensors, lower(graph, tokens=tokens, context=64))
    reference = Reference(graph, provider(tensors))
    reference.step(TOKENS, keep=True)
    wanted = reference.values[last_hidden(graph)]
    assert np.abs(found - wanted).max() < 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("model_type", ["llama", "qwen3"])
@pytest.mark.parametrize("changes", [{"rope_dims": 8}, {"rope_scaling": YARN}, {"num_key_value_heads": 4}])
def test_rotations_and_heads(model_type: str, changes: dict[str, Any]) -> None:
    """Pairs that are neighbours, rotations of a part of a head, scaled frequencies, as many KV heads as heads."""
    graph, tensors = model(model_type, **changes)
    found = static_hidden(graph, tensors, lower(graph, tokens=16, context=48))
    reference = Reference(graph, provider(tensors))
    reference.step(TOKENS, keep=True)
    wanted = reference.values[last_hidden(graph)]
    assert np.abs(found - wanted).max() < 2e-5 * np.abs(wanted).max()


def test_shapes_are_fixed_and_windows_keep_only_what_is_seen() -> None:
    graph, _ = model("gemma3")
    static = lower(graph, tokens=16, context=64)
    assert [(mask.window, mask.slots) for mask in static.masks] == [(9, 9), (0, 64)]
    assert static.inputs["past_k.0"] == (1, 2, 16, 9) and static.inputs["past_v.1"] == (1, 2, 64, 16)
    assert static.inputs[HIDDEN] == (1, 16, 48)
    assert static.outputs["new_k.0"] == (1, 2, 16, 16) and static.outputs[HIDDEN_OUT] == (1, 16, 48)
    assert all(size > 0 for shape in static.shapes().values() for size in shape)
    one = lower(graph, tokens=1, context=64)
    assert [op.kind for op in one.ops] == [op.kind for op in static.ops]
    assert one.weights == static.weights and one.shapes().keys() == static.shapes().keys()


def test_a_position_too_many_is_seen() -> None:
    """The comparison fails where a mask shows one position more than the window has."""
    graph, tensors = model("gemma3")
    static = lower(graph, tokens=8, context=64)
    wide = tuple(mask._replace(window=mask.window + 1) if mask.window else mask for mask in static.masks)
    found = static_hidden(graph, tensors, static._replace(masks=wide))
    wanted = static_hidden(graph, tensors, static)
    assert np.abs(found - wanted).max() > 1e-3 * np.abs(wanted).max()


def test_what_is_not_finite_is_refused() -> None:
    graph, tensors = model("llama")
    tensors["blk.0.ffn_up.weight"][0] = np.inf
    with pytest.raises(NumericalError, match=r"blk\.0\."):
        static_hidden(graph, tensors, lower(graph, tokens=16, context=48))


def test_a_query_with_a_second_reader_is_refused() -> None:
    graph, _ = model("llama")
    node = next(n for n in graph.nodes if isinstance(n.op, Linear))
    more = node._replace(number=len(graph.nodes), name="more", inputs=(node.number,))
    twice = graph._replace(nodes=(*graph.nodes, more))
    with pytest.raises(UnsupportedModel, match="read by more than attention"):
        lower(twice, tokens=4, context=8)
