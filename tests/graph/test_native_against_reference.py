"""The native engine computes the reference's very bits, at the logits and at every value between two fused ops.

The reference follows the engine's arithmetic but runs the unfused graph; only its angles come from NumPy's sine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.backends.compiled import MATRIX_TYPES
from edge.formats.config import ModelConfig, RopeScaling
from edge.formats.types import GGMLType
from edge.graph.ops import Attention, Graph, Node, Rope
from edge.graph.reference import KVType, Reference
from edge.models import build
from tests.graph.native_model import NativeModel, Tensor, as_tensors, relative_error
from tests.models.tiny import MODEL_TYPES, random_tensors, tensor_shapes, tiny_config
from tests.quant.random_blocks import BLOCK_TYPES

NOTICED = 2e-3  # relative L2 error of logits that any of the planted faults exceeds
FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)
QUANTIZED = tuple(kind for kind in BLOCK_TYPES if kind in MATRIX_TYPES)
MIXED = (
    GGMLType.Q4_K,
    GGMLType.Q8_0,
    GGMLType.F16,
    GGMLType.Q6_K,
    GGMLType.Q4_0,
    GGMLType.NVFP4,
    GGMLType.Q2_K,
)
TOKENS = [(37 * i + 11) % 96 for i in range(45)]  # past the end of a KV block


def wide_config(arch: str, **changes: Any) -> ModelConfig:
    """Every matrix has a multiple of 256 columns, so that every format fits."""
    sizes = {"hidden_size": 256, "intermediate_size": 512, "head_dim": 64, "rope_dims": 64}
    return tiny_config(arch, **(sizes | changes))


def model(arch: str, kinds: tuple[GGMLType, ...], **changes: Any) -> tuple[Graph, dict[str, Tensor]]:
    config = wide_config(arch, **changes)
    shapes = tensor_shapes(config)
    return build(config, shapes), as_tensors(random_tensors(shapes, seed=5), kinds)


def reference(graph: Graph, tensors: dict[str, Tensor], kv_type: KVType) -> Reference:
    return Reference(graph, lambda name: tensors[name].weight(), mode="engine", kv_type=kv_type)


def compare(graph: Graph, tensors: dict[str, Tensor], kv_type: KVType) -> None:
    """A prompt, then three tokens one by one; logits and every value that the engine keeps."""
    model = reference(graph, tensors, kv_type)
    with NativeModel(graph, tensors, kv_type=kv_type) as engine:
        for start, end in ((0, 42), (42, 43), (43, 44), (44, 45)):
            wanted = model.step(TOKENS[start:end], range(start, end), keep=True)
            found = engine.step(TOKENS[start:end], start)
            for name, value in engine.values().items():  # in the order in which they are computed
                np.testing.assert_array_equal(value, model.values[name], err_msg=name)
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("kind", FLOATS, ids=lambda kind: kind.name)
def test_float_weights(arch: str, kind: GGMLType) -> None:
    compare(*model(arch, (kind,)), "f32")


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("kind", QUANTIZED, ids=lambda kind: kind.name)
def test_quantized_weights(arch: str, kind: GGMLType) -> None:
    compare(*model(arch, (kind,)), "f16")


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_mixed_formats_in_one_layer(arch: str) -> None:
    """q, k and v, and gate and up, have different types: their input is quantised once per kind."""
    compare(*model(arch, tuple(kind for kind in MIXED if kind in MATRIX_TYPES)), "f16")


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("change", [{}, {"num_key_value_heads": 1}, {"hidden_size": 48, "head_dim": 6, "rope_dims": 4}])
@pytest.mark.parametrize("kv_type", ["q8", "q4"])
def test_kv_of_codes(kv_type: KVType, arch: str, change: dict[str, Any]) -> None:
    """The last with heads that are no whole groups of four."""
    compare(*model(arch, (GGMLType.F32,), **change), kv_type)


@pytest.mark.parametrize("isa", ["scalar", None])
def test_every_level_and_a_selection_of_rows(isa: str | None) -> None:
    graph, tensors = model("qwen3", (GGMLType.Q4_0,))
    wanted = reference(graph, tensors, "f16").step(TOKENS, logit_rows=[0, 7, 44])
    with NativeModel(graph, tensors, kv_type="f16", isa=isa, num_threads=2) as engine:
        np.testing.assert_array_equal(engine.step(TOKENS, logit_rows=[0, 7, 44]), wanted)
        assert engine.values()["logits"].shape == (3, 96)


@pytest.mark.parametrize(
    "change",
    [
        {"tie_word_embeddings": True},
        {"num_key_value_heads": 4},
        {"num_key_value_heads": 1},
        {"rope_dims": 32},
        {"rope_scaling": RopeScaling("linear", 4.0, 64)},
        {"rope_scaling": RopeScaling("yarn", 4.0, 16)},
        {"rope_freq_factors": tuple(1.0 + 0.2 * i for i in range(32))},
        {"hidden_size": 52, "intermediate_size": 39, "head_dim": 6, "rope_dims": 4, "vocab_size": 99},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("arch", ["llama", "qwen3"])
def test_variants(arch: str, change: dict[str, Any]) -> None:
    compare(*model(arch, (GGMLType.F32,), **change), "f32")


@pytest.mark.parametrize(("num_threads", "kv_type"), [(1, "f16"), (3, "f16"), (2, "q8"), (2, "q4")])
def test_beyond_one_run_of_blocks(num_threads: int, kv_type: KVType) -> None:
    """The blocks of 128 positions are merged before they are merged with others; short steps take runs apart."""
    sizes = {"hidden_size": 32, "intermediate_size": 32, "head_dim": 8, "rope_dims": 8, "num_key_value_heads": 1}
    graph, tensors = model("llama", (GGMLType.F32,), **sizes)
    tokens = [(29 * i + 5) % 96 for i in range(263)]
    wanted, end = reference(graph, tensors, kv_type), len(tokens)
    with NativeModel(graph, tensors, kv_type=kv_type, num_threads=num_threads) as engine:
        for start in range(0, 250, 50):
            np.testing.assert_array_equal(
                engine.step(tokens[start : start + 50], start),
                wanted.step(tokens[start : start + 50], range(start, start + 50)),
            )
        for first, last in ((250, 255), (255, 256), (256, 257), (257, end)):
            np.testing.assert_array_equal(
                engine.step(tokens[first:last], first), wanted.step(tokens[first:last], range(first, last))
            )


@pytest.mark.parametrize("window", [1, 5, 32, 40, 128, 140, 250])
@pytest.mark.parametrize(("num_threads", "kv_type"), [(2, "f16"), (1, "q8"), (2, "q4")])
def test_windows_beyond_one_run_of_blocks(window: int, num_threads: int, kv_type: KVType) -> None:
    """They begin anywhere in a block and in a run; chunks and single tokens see the same."""
    sizes = {"hidden_size": 32, "intermediate_size": 32, "head_dim": 8, "rope_dims": 8, "num_key_value_heads": 1}
    graph, tensors = model("llama", (GGMLType.F32,), **sizes, sliding_window=window)
    tokens = [(29 * i + 5) % 96 for i in range(300)]
    wanted = reference(graph, tensors, kv_type).step(tokens)
    with NativeModel(graph, tensors, kv_type=kv_type, num_threads=num_threads) as engine:
        for first, last in ((0, 64), (64, 127), (127, 128), (128, 190), (190, 254), (254, 259), (259, 260), (260, 300)):
            np.testing.assert_array_equal(engine.step(tokens[first:last], first), wanted[first:last])


def altered(graph: Graph, control: str) -> Graph:
    """The graph with one thing wrong."""

    def wrong(node: Node) -> Node:
        op = node.op
        match control, op:
            case "rope off", Rope():
                still = op.rope._replace(frequency_scale=(0.0,) * (op.rope.dims // 2))
                return node._replace(op=op._replace(rope=still))
            case "other pairs", Rope():
                return node._replace(op=op._replace(rope=op.rope._replace(neox=not op.rope.neox)))
            case "scale", Attention():
                return node._replace(op=op._replace(scale=op.scale * 1.02))
            case "window", Attention():
                return node._replace(op=op._replace(window=31))
            case "k and v swapped", Attention():
                return node._replace(inputs=(node.inputs[0], node.inputs[2], node.inputs[1]))
            case _:
                return node

    nodes = tuple(wrong(node) for node in graph.nodes)
    assert nodes != graph.nodes
    return graph._replace(nodes=nodes)


@pytest.mark.parametrize("control", ["rope off", "other pairs", "scale", "window", "k and v swapped"])
def test_a_wrong_graph_is_noticed(control: str) -> None:
    graph, tensors = model("llama", (GGMLType.Q8_0,))
    wanted = reference(altered(graph, control), tensors, "f16").step(TOKENS)
    with NativeModel(graph, tensors, kv_type="f16") as engine:
        assert relative_error(engine.step(TOKENS), wanted) > NOTICED


@pytest.mark.parametrize("control", ["kv heads swapped", "row permuted", "scale off by one"])
def test_wrong_weights_are_noticed(control: str) -> None:
    graph, tensors = model("llama", (GGMLType.Q8_0,))
    broken = dict(tensors)
    name = "blk.1.attn_k.weight"
    rows = np.frombuffer(tensors[name].data, np.uint8).reshape(tensors[name].shape[0], -1).copy()
    if control == "kv heads swapped":
        rows = rows[[*range(64, 128), *range(64)]]
    elif control == "row permuted":
        rows[[3, 4]] = rows[[4, 3]]
    else:
        scales = rows[:, 0:2].copy().view("<f2")
        rows[:, 0:2] = (scales * np.float16(1.05)).view(np.uint8)
    broken[name] = replace(tensors[name], data=rows.tobytes())
    wanted = reference(graph, broken, "f16").step(TOKENS)
    with NativeModel(graph, tensors, kv_type="f16") as engine:
        assert relative_error(engine.step(TOKENS), wanted) > NOTICED


def test_the_arena_may_be_shared() -> None:
    """With places reused the logits have the same bits."""
    graph, tensors = model("qwen2", (GGMLType.Q4_K,))
    with (
        NativeModel(graph, tensors, kv_type="f16") as apart,
        NativeModel(graph, tensors, kv_type="f16", share=True) as shared,
    ):
        np.testing.assert_array_equal(apart.step(TOKENS), shared.step(TOKENS))
