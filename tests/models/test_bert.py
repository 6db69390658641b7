"""BERT: the definition beside a plain one and transformers', and the engine's bits beside the reference's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.types import GGMLType
from edge.graph import lower_native
from edge.graph.ops import GraphError
from edge.graph.reference import KVType, Reference
from edge.models import build
from edge.models.bert import MODULES
from tests.graph.native_model import NativeModel, as_tensors
from tests.models.tiny import random_tensors
from tests.models.tiny_bert import bert_config, bert_shapes, plain_states

TOKENS = [(37 * i + 11) % 96 for i in range(45)]  # past the end of a KV block
WIDE = {"hidden_size": 64, "intermediate_size": 96, "head_dim": 16, "rope_dims": 16}


def reference(mode: Any, kv_type: KVType = "f32", kind: GGMLType = GGMLType.F32, **changes: Any) -> Reference:
    config = bert_config(**changes)
    tensors = as_tensors(random_tensors(bert_shapes(config)), (kind,))
    graph = build(config, bert_shapes(config))
    return Reference(graph, lambda name: tensors[name].weight(), mode=mode, kv_type=kv_type)


@pytest.mark.parametrize("changes", [{}, {"type_vocab_size": 0}, {"num_attention_heads": 1, "num_key_value_heads": 1,
                                                                  "head_dim": 48, "rope_dims": 48}])  # fmt: skip
def test_the_definition_is_bert(changes: dict[str, Any]) -> None:
    config = bert_config(**changes)
    wanted = plain_states(config, random_tensors(bert_shapes(config)), TOKENS)
    np.testing.assert_allclose(reference("float64", **changes).step(TOKENS), wanted, rtol=1e-9, atol=1e-9)


def test_it_is_the_bert_of_transformers() -> None:
    torch: Any = pytest.importorskip("torch", reason="pip install -e '.[convert]'")
    transformers: Any = pytest.importorskip("transformers", reason="pip install -e '.[convert]'")
    config = bert_config()
    theirs = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            max_position_embeddings=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            layer_norm_eps=config.rms_norm_eps,
        ),
        add_pooling_layer=False,
    ).double()
    theirs.eval()
    tensors = random_tensors(bert_shapes(config))
    state: dict[str, Any] = {}
    for module, stem in MODULES.items():
        for i in range(config.num_hidden_layers if "{i}" in stem else 1):
            for suffix in (".weight", ".bias"):
                name = stem.format(i=i) + suffix
                if name in tensors:
                    state[module.format(i=i) + suffix] = torch.from_numpy(tensors[name]).double()
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert not unexpected and all("position_ids" in name or "token_type_ids" in name for name in missing)
    with torch.no_grad():
        wanted = theirs(torch.tensor([TOKENS])).last_hidden_state[0].numpy()
    np.testing.assert_allclose(reference("float64").step(TOKENS), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kv_type", ["f32", "f16", "q8"])
@pytest.mark.parametrize("kind", [GGMLType.F32, GGMLType.F16, GGMLType.Q8_0, GGMLType.Q4_0], ids=lambda k: k.name)
def test_the_engine_computes_the_reference(kind: GGMLType, kv_type: KVType) -> None:
    config = bert_config(**WIDE)
    graph, tensors = build(config, bert_shapes(config)), as_tensors(random_tensors(bert_shapes(config)), (kind,))
    for count in (45, 6, 1):  # tiles of attention, runs of it, a token without a barrier
        model = reference("engine", kv_type, kind, **WIDE)
        with NativeModel(graph, tensors, kv_type=kv_type, max_positions=96) as engine:
            wanted = model.step(TOKENS[:count], keep=True)
            found = engine.step(TOKENS[:count])
            for name, value in engine.values().items():
                np.testing.assert_array_equal(value, model.values[name], err_msg=f"{name}, {count} tokens")
            np.testing.assert_array_equal(found, wanted)


def test_layers_share_the_place_of_their_keys_and_values() -> None:
    config = bert_config()
    assert lower_native(build(config, bert_shapes(config))).num_layers == 1


def test_the_reference_wants_whole_sequences() -> None:
    with pytest.raises(ValueError, match="is not whole: 5 positions, 4 tokens"):
        reference("float64").step([1, 2, 3, 4], positions=[0, 1, 2, 4])


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("position_embd.weight", None, "tensor position_embd.weight is missing"),
        ("position_embd.weight", (95, 48), "tensor position_embd.weight has shape (95, 48), wanted (96, 48)"),
        ("token_embd_norm.bias", None, "tensor token_embd_norm.bias is missing"),
        ("blk.1.attn_output_norm.weight", (47,), "wanted (48,)"),
        ("token_types.weight", (3, 48), "wanted (2, 48)"),
    ],
)
def test_tensors_that_do_not_fit(name: str, shape: tuple[int, ...] | None, message: str) -> None:
    shapes = bert_shapes(bert_config())
    shapes = {key: value for key, value in shapes.items() if key != name} | ({} if shape is None else {name: shape})
    with pytest.raises(BadModelFile, match=re.escape(message)):
        build(bert_config(), shapes)


def test_a_classifier_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match=re.escape("tensor 'cls.weight': not part of the architecture")):
        build(bert_config(), bert_shapes(bert_config()) | {"cls.weight": (48, 48)})


def test_a_window_and_the_whole_sequence_exclude_each_other() -> None:
    from edge.graph.builder import GraphBuilder

    config = bert_config()
    b = GraphBuilder(bert_shapes(config), MODULES)
    x = b.embedding("embeddings.word_embeddings", config.vocab_size, config.hidden_size)
    b.layer(0)
    with pytest.raises(GraphError, match="attention wants"):
        b.attention(x, x, x, num_heads=4, num_kv_heads=4, head_dim=12, scale=1.0, window=3, whole=True)
