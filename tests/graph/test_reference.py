"""The NumPy reference against the same models written as plain loops, and its three modes against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.formats.types import GGMLType
from edge.graph import engine_math, numerics
from edge.graph.reference import Mode, Reference, Weight
from edge.models import build
from tests.graph.native_model import as_tensors
from tests.models.plain import plain_logits
from tests.models.tiny import MODEL_TYPES, provider, random_tensors, tensor_shapes, tiny_config
from tests.quant.random_blocks import BLOCK_TYPES

TOKENS = [5, 17, 3, 90, 41, 41, 8, 2, 66, 33, 12]


def reference(arch: str, mode: Mode = "float64", kv_type: Any = "f32", **changes: Any) -> Reference:
    config = tiny_config(arch, **changes)
    shapes = tensor_shapes(config)
    return Reference(build(config, shapes), provider(random_tensors(shapes)), mode=mode, kv_type=kv_type)


def relative_error(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize("tied", [False, True])
def test_equals_plain_loops(arch: str, tied: bool) -> None:
    config = tiny_config(arch, tie_word_embeddings=tied)
    tensors = random_tensors(tensor_shapes(config))
    found = Reference(build(config, tensor_shapes(config)), provider(tensors)).step(TOKENS)
    assert relative_error(found, plain_logits(config, tensors, TOKENS)) < 1e-12


@pytest.mark.parametrize(
    "change",
    [{"rope_theta": 500.0}, {"rope_dims": 8}, {"rms_norm_eps": 1e-2}, {"num_attention_heads": 2, "head_dim": 32}],
)
def test_another_constant_is_another_model(change: dict[str, Any]) -> None:
    config = tiny_config(**change)
    shapes = tensor_shapes(tiny_config())
    tensors = random_tensors(shapes)
    if "head_dim" in change:  # the same tensors, cut into other heads
        config = tiny_config(**change, num_key_value_heads=1, rope_dims=16)
    found = Reference(build(config, shapes), provider(tensors)).step(TOKENS)
    assert relative_error(found, plain_logits(tiny_config(), tensors, TOKENS)) > 1e-3
    assert relative_error(found, plain_logits(config, tensors, TOKENS)) < 1e-12


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize(("mode", "limit"), [("float32", 2e-6), ("engine", 2e-6)])
def test_single_precision_is_near(arch: str, mode: Mode, limit: float) -> None:
    assert relative_error(reference(arch, mode).step(TOKENS), reference(arch).step(TOKENS)) < limit


@pytest.mark.parametrize("mode", ["float64", "engine"])
@pytest.mark.parametrize("kv_type", ["f32", "f16", "q8", "q4"])
def test_chunks_make_no_difference(mode: Mode, kv_type: str) -> None:
    whole = reference("qwen3", mode, kv_type).step(TOKENS)
    model = reference("qwen3", mode, kv_type)
    parts = [model.step(TOKENS[a:b], range(a, b)) for a, b in ((0, 1), (1, 4), (4, 11))]
    if mode == "engine":  # whose sums do not know how many rows there are
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert relative_error(np.concatenate(parts), whole) < 1e-12


def test_sequences_do_not_see_each_other_and_rows_can_be_selected() -> None:
    alone = [reference("llama").step(tokens) for tokens in (TOKENS[:4], TOKENS[4:9])]
    model = reference("llama")
    order = [
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
        (1, 2),
        (0, 2),
        (0, 3),
        (1, 3),
        (1, 4),
    ]  # (sequence, position), interleaved
    tokens = [TOKENS[:4][p] if s == 0 else TOKENS[4:9][p] for s, p in order]
    both = model.step(tokens, [p for _, p in order], [s for s, _ in order], logit_rows=[6, 8])
    assert both.shape == (2, 96)
    assert relative_error(both[0], alone[0][3]) < 1e-12 and relative_error(both[1], alone[1][4]) < 1e-12


def test_fork_copies_and_reset_forgets() -> None:
    model = reference("llama")
    model.step(TOKENS[:5])
    model.fork(0, 3)
    model.step([9], [5])  # the first goes its own way
    forked = model.step(TOKENS[5:6], [5], [3])
    assert relative_error(forked, reference("llama").step(TOKENS[:6])[5:]) < 1e-12
    model.reset()
    with pytest.raises(ValueError, match="never stored"):
        model.step([9], [5])


def test_kv_is_rounded_to_half() -> None:
    error = relative_error(reference("llama", kv_type="f16").step(TOKENS), reference("llama").step(TOKENS))
    assert 1e-5 < error < 5e-3


def test_kv_is_rounded_to_int8() -> None:
    truth = reference("llama").step(TOKENS)
    error = relative_error(reference("llama", kv_type="q8").step(TOKENS), truth)
    assert 1e-4 < error < 5e-2
    assert error > 3 * relative_error(reference("llama", kv_type="f16").step(TOKENS), truth)


def test_kv_is_rounded_to_four_bits() -> None:
    truth = reference("llama").step(TOKENS)
    error = relative_error(reference("llama", kv_type="q4").step(TOKENS), truth)
    assert 4 * relative_error(reference("llama", kv_type="q8").step(TOKENS), truth) < error < 0.5


def test_values_are_kept_by_name() -> None:
    model = reference("qwen3")
    logits = model.step(TOKENS, logit_rows=[10], keep=True)
    assert model.values["blk.1.attn_q_norm"].shape == (11, 64) and model.values["selected"].shape == (1, 48)
    np.testing.assert_array_equal(model.values["logits"], logits)
    model.step([1], [11])
    assert not model.values


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        reference("llama").step([1, 2], [0])
    config = tiny_config()
    shapes = tensor_shapes(config)
    tensors = random_tensors(shapes) | {"output_norm.weight": np.ones(47, np.float32)}
    with pytest.raises(ValueError, match="output_norm.weight has shape"):
        Reference(build(config, shapes), provider(tensors)).step([1])


@pytest.mark.parametrize("kind", BLOCK_TYPES, ids=lambda kind: kind.name)
def test_engine_mode_rounds_activations(kind: GGMLType) -> None:
    config = tiny_config(hidden_size=256, intermediate_size=512, head_dim=64, rope_dims=64)
    shapes = tensor_shapes(config)
    tensors = as_tensors(random_tensors(shapes), (kind,))
    graph = build(config, shapes)
    truth = Reference(graph, lambda name: tensors[name].weight()).step(TOKENS)
    engine = Reference(graph, lambda name: tensors[name].weight(), mode="engine").step(TOKENS)
    # the same numbers as F32 weights: nothing is rounded to int8
    plain = Reference(graph, lambda name: Weight(tensors[name].weight().values), mode="engine").step(TOKENS)
    assert relative_error(plain, truth) < 5e-6
    assert 1e-4 < relative_error(engine, truth) < 5e-2


@given(st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=1, max_size=40))
def test_engine_exp_and_silu(values: list[float]) -> None:
    x = np.array(values, np.float32)
    with np.errstate(all="ignore"):
        found, wanted = engine_math.exp(x), np.exp(x.astype(np.float64)).astype(np.float32)
        # two units in the last place, or one subnormal step
        np.testing.assert_allclose(found, wanted, rtol=2.5e-7, atol=1.5e-45)
        np.testing.assert_allclose(
            engine_math.silu(x), numerics.silu(x.astype(np.float64)), rtol=4e-7, atol=1e-37, equal_nan=True
        )


@given(st.integers(1, 80), st.sampled_from([(4, 4), (4, 2), (6, 1)]))
@settings(max_examples=25, deadline=None)
def test_engine_attention_is_attention(length: int, heads: tuple[int, int]) -> None:
    rng = np.random.default_rng(length)
    q = rng.standard_normal((3, heads[0], 8)) * 2
    k, v = rng.standard_normal((2, length, heads[1], 8))
    positions = np.array([0, length // 2, length - 1])
    wanted = numerics.attend(q, k, v, positions, 0.35)
    q32, k32, v32 = (x.astype(np.float32) for x in (q, k, v))
    found = engine_math.attend(q32, k32, v32, positions, 0.35)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=32, max_size=32),
    st.sampled_from([1.0, 1e-30, 1e-40]),
)
def test_activation_codes(values: list[float], factor: float) -> None:
    with np.errstate(all="ignore"):
        x = (np.array([values], np.float32) * np.float32(factor)).astype(np.float32)
        codes, scales = engine_math.quantize(x, 32)
    largest = float(np.abs(x).max())
    if not np.isfinite(largest):
        assert np.isnan(scales[0, 0]) and not codes.any()
    elif largest < 2.0**-100:
        assert scales[0, 0] == 0 and not codes.any()
    else:
        assert scales[0, 0] == np.float32(largest) / np.float32(127)
        assert np.abs(codes).max() == 127 and np.array_equal(codes, np.rint(codes))
        error = np.abs(codes.astype(np.float64) * float(scales[0, 0]) - x)
        assert float(error.max()) <= 0.5001 * float(scales[0, 0])


@given(st.integers(1, 70), st.integers(1, 3))
def test_engine_norm_is_the_norm(n: int, groups: int) -> None:
    rng = np.random.default_rng(n)
    x, gain = rng.standard_normal((2, n * groups)), rng.standard_normal(n)
    found = engine_math.rms_norm(x.astype(np.float32), gain.astype(np.float32), 1e-5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numerics.rms_norm(x, gain, 1e-5), rtol=1e-5, atol=1e-6)
