"""What the architectures build, and what a file that does not fit them is answered with."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats import config as config_module
from edge.graph.ops import Attention, Linear, RmsNorm, Rope
from edge.models import ARCHITECTURES, build
from tests.models.tiny import MODEL_TYPES, tensor_shapes, tiny_config


def test_configuration_and_registry_know_the_same_architectures() -> None:
    assert tuple(ARCHITECTURES) == config_module.ARCHITECTURES


def test_defining_and_lowering_a_model_needs_no_numpy() -> None:
    code = "import sys, edge.models, edge.graph, edge.formats.config; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("tied", [False, True])
def test_graph_reads_every_tensor_and_makes_logits(arch: str, tied: bool) -> None:
    config = tiny_config(arch, tie_word_embeddings=tied)
    shapes = tensor_shapes(config)
    graph = build(config, shapes)
    assert dict(graph.weight_shapes) == shapes
    assert graph.nodes[graph.output].name == "logits"
    assert graph.nodes[graph.output].shape.width == config.vocab_size
    kinds = Counter(type(node.op) for node in graph.nodes)
    layers = config.num_hidden_layers
    assert kinds[Attention] == layers and kinds[Rope] == 2 * layers and kinds[Linear] == 7 * layers + 1
    norms = {"qwen3": 4, "gemma3": 6, "bitnet": 4, "bitnet-b1.58": 4}
    assert kinds[RmsNorm] == norms.get(arch, 2) * layers + 1
    head = graph.nodes[graph.output].op
    assert isinstance(head, Linear) and head.weight == ("token_embd.weight" if tied else "output.weight")


@pytest.mark.parametrize(("arch", "neox"), [(arch, arch != "llama") for arch in MODEL_TYPES])
def test_rotary_pairs(arch: str, neox: bool) -> None:
    config = tiny_config(arch)
    ropes = {node.op.rope.neox for node in build(config, tensor_shapes(config)).nodes if isinstance(node.op, Rope)}
    assert ropes == {neox}


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_each_tensor_is_missed_by_name(arch: str) -> None:
    config = tiny_config(arch, num_hidden_layers=1)
    shapes = tensor_shapes(config)
    for name in shapes:
        rest = {n: s for n, s in shapes.items() if n != name}
        with pytest.raises(BadModelFile, match=f"tensor {name} is missing"):
            build(config, rest)


@pytest.mark.parametrize("arch", MODEL_TYPES)
def test_each_wrong_shape_is_named_with_what_was_wanted(arch: str) -> None:
    config = tiny_config(arch, num_hidden_layers=1)
    shapes = tensor_shapes(config)
    for name, shape in shapes.items():
        for wrong in ((shape[0] + 1, *shape[1:]), (*shape, 1), shape[::-1] if len(set(shape)) > 1 else (1,)):
            with pytest.raises(BadModelFile) as caught:
                build(config, shapes | {name: wrong})
            assert f"tensor {name} has shape {wrong}, wanted {shape}" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["blk.0.attn_norm.bias", "blk.0.ffn_gate_exps.weight", "blk.2.attn_q.weight", "blk.0.attn_q.scale", "cls.weight"],
)
def test_a_tensor_that_would_be_ignored_is_refused(name: str) -> None:
    config = tiny_config()
    with pytest.raises(UnsupportedModel, match=name):
        build(config, tensor_shapes(config) | {name: (3,)})


@pytest.mark.parametrize(
    "name", ["rope_freqs.weight", "blk.1.attn_rot_embd.weight", "blk.0.attention.rotary_emb.inv_freq"]
)
def test_tensors_that_repeat_the_rotation_are_left_alone(name: str) -> None:
    config = tiny_config()
    shapes = tensor_shapes(config)
    assert name not in build(config, shapes | {name: (8,)}).weight_shapes


def test_a_tied_configuration_does_not_ignore_a_head() -> None:
    config = tiny_config(tie_word_embeddings=True)
    with pytest.raises(UnsupportedModel, match="output.weight"):
        build(config, tensor_shapes(config) | {"output.weight": (96, 48)})


@pytest.mark.parametrize("change", [{"model_type": "gpt2"}, {"model_type": ""}])
def test_unknown_architecture(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModel, match="not supported"):
        tiny_config(**change)
