"""Types of a size between two named mixtures: of one or the other, as many as fit, and the head's not given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import DoesNotFit
from edge.formats.types import GGMLType, tensor_num_bytes
from edge.quant.between import LADDER, between_mixtures
from edge.quant.encode import encode
from edge.quant.names import choose

LAYERS = 8


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    type_name: str = "F32"


class Model:
    """As large as it looks: matrices are made when they are read."""

    metadata: dict[str, Any] = {
        "general.architecture": "llama", "llama.block_count": LAYERS, "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2, "tokenizer.ggml.tokens": ["a", "b"],
    }  # fmt: skip

    @property
    def tensors(self) -> Sequence[Tensor]:
        shapes = {"attn_q": (256, 256), "attn_k": (128, 256), "attn_v": (128, 256), "attn_output": (256, 256),
                  "ffn_gate": (512, 256), "ffn_up": (512, 256), "ffn_down": (256, 512)}  # fmt: skip
        layers = [Tensor(f"blk.{n}.{part}.weight", shape) for n in range(LAYERS) for part, shape in shapes.items()]
        return [Tensor("token_embd.weight", (512, 256)), Tensor("output_norm.weight", (256,)), *layers]

    def read(self, name: str) -> NDArray[np.float32]:
        shape = next(tensor.shape for tensor in self.tensors if tensor.name == name)
        return np.random.default_rng(len(name)).normal(0, 1, shape).astype(np.float32)


def bits_of(model: Model, types: dict[str, str]) -> float:
    weights = sum(int(np.prod(tensor.shape)) for tensor in model.tensors)
    stored = sum(tensor_num_bytes(GGMLType[types[tensor.name]], tensor.shape) for tensor in model.tensors)
    return 8 * stored / weights


def test_between_every_two(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model()
    named = {name: choose(name, model.tensors, model.metadata).types for name in LADDER}
    bits = [bits_of(model, types) for types in named.values()]
    assert bits == sorted(bits)
    for lower, upper in zip(LADDER, LADDER[1:], strict=False):
        low, high = bits_of(model, named[lower]), bits_of(model, named[upper])
        for share in (0.0, 0.5, 0.97):
            asked = low + share * (high - low) + 1e-6
            found = between_mixtures(model, encode, bits_per_weight=asked)
            assert (found.lower, found.upper) == (lower, upper)
            assert found.said == f"between {lower} and {upper}"
            taken = bits_of(model, found.types)
            assert 0.97 * asked <= taken <= asked
            for tensor in model.tensors:
                kinds = found.types[tensor.name], named[lower][tensor.name], named[upper][tensor.name]
                taken_here, least, most = (tensor_num_bytes(GGMLType[kind], tensor.shape) for kind in kinds)
                assert least <= taken_here <= max(least, most)
            if share == 0.0:
                assert found.types == named[lower]


def test_beyond_the_ends() -> None:
    model = Model()
    largest = between_mixtures(model, encode, bits_per_weight=30)
    assert largest.said == "as F16" and set(largest.types.values()) == {"F16", "F32"}
    smallest = between_mixtures(model, encode, bits_per_weight=2.5)
    assert smallest.said == "by the error of the weights, smaller than pure-Q2_K"
    assert bits_of(model, smallest.types) <= 2.5
    with pytest.raises(DoesNotFit, match="the smallest mixture of these types has"):
        between_mixtures(model, encode, bits_per_weight=1)


@pytest.mark.parametrize("name", LADDER[1:])
def test_a_little_less_than_a_mixture_is_nearly_that(name: str) -> None:
    """Only small matrices have fewer bits, not the head, which has most to give."""
    model = Model()
    named = choose(name, model.tensors, model.metadata).types
    found = between_mixtures(model, encode, bits_per_weight=bits_of(model, named) - 1e-4)
    assert found.upper == name
    head = found.types["token_embd.weight"]
    assert head == named["token_embd.weight"] or (name == "Q2_K" and head in ("Q5_K", "Q5_1"))
    fewer = [
        tensor.name
        for tensor in model.tensors
        if tensor_num_bytes(GGMLType[found.types[tensor.name]], tensor.shape)
        < tensor_num_bytes(GGMLType[named[tensor.name]], tensor.shape)
    ]
    assert len(fewer) >= 1
    if name not in ("IQ4_XS", "Q5_K_S"):  # some matrices keep more of the mixture below, and others have less for it
        assert len(fewer) <= 2, fewer
