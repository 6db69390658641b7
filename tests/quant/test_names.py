"""What a name given to --quant means, and the encoder that follows it tensor by tensor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from edge.errors import NativeError, NumericalError, RequestError
from edge.formats.types import GGMLType
from edge.quant import ENCODABLE, encode
from edge.quant.encode import encode as encode_rows
from edge.quant.encoder import Encoder
from edge.quant.mixtures import FILE_TYPES, MIXTURES
from edge.quant.names import NAMES, USES, choose

METADATA = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 4,
}


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    type_name: str = "F32"


TENSORS = [
    Tensor("token_embd.weight", (64, 512)),
    Tensor("output.weight", (64, 512)),
    Tensor("output_norm.weight", (512,)),
    Tensor("blk.0.attn_q.weight", (512, 512)),
    Tensor("blk.0.ffn_down.weight", (512, 96)),
    Tensor("blk.0.ffn_up.weight", (96, 40)),
]


def test_pure_names_give_all_matrices_one_type() -> None:
    types, file_type = choose("pure-Q4_K", TENSORS, METADATA)
    assert types == {
        "token_embd.weight": "Q4_K",
        "output.weight": "Q4_K",
        "output_norm.weight": "F32",
        "blk.0.attn_q.weight": "Q4_K",
        "blk.0.ffn_down.weight": "Q5_0",
        "blk.0.ffn_up.weight": "F16",
    }
    assert file_type is None  # GGUF numbers mixtures, and Q4_K alone is none
    assert choose("pure-Q8_0", TENSORS, METADATA).file_type == 7


def test_short_names_are_those_of_llama() -> None:
    for short, name in (("Q3_K", "Q3_K_M"), ("Q4_K", "Q4_K_M"), ("Q5_K", "Q5_K_M")):
        assert choose(short, TENSORS, METADATA) == choose(name, TENSORS, METADATA)
        assert choose(short, TENSORS, METADATA).file_type == FILE_TYPES[name]


def test_every_name_means_types_that_can_be_written() -> None:
    known = {kind.name for kind in ENCODABLE}
    for name in NAMES:
        assert set(choose(name, TENSORS, METADATA).types.values()) <= known
    assert set(USES) == set(MIXTURES) == set(FILE_TYPES)


@pytest.mark.parametrize("name", ["", "q4_0", "pure-Q4_K_M", "pure-F16", "IQ2_XS", "Q4_0 "])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="is no type or mixture; there are Q8_0, Q6_K, Q5_K_M"):
        choose(name, TENSORS, METADATA)


def test_the_encoder_uses_the_importance_of_the_tensor() -> None:
    values = np.random.default_rng(0).standard_normal((2, 3, 256)).astype(np.float32)
    importance = np.exp(np.random.default_rng(1).standard_normal(256)).astype(np.float32)
    tensor, other = Tensor("blk.0.ffn_up.weight", values.shape), Tensor("blk.1.ffn_up.weight", values.shape)
    with Encoder(2, {tensor.name: importance}) as encoder:
        assert (
            bytes(encoder(tensor, values, "Q4_K")) == encode_rows("Q4_K", values.reshape(6, 256), importance).tobytes()
        )
        assert bytes(encoder(other, values, "Q4_K")) == encode(GGMLType.Q4_K, values)
        assert bytes(encoder(other, values[0, 0], "F32")) == values[0, 0].tobytes()
        values[1, 1, 7] = np.inf
        with pytest.raises(NumericalError, match="row 4, column 7 is inf, which a model cannot hold"):
            encoder(tensor, values, "Q4_K")
    with pytest.raises(NativeError, match="closed"):
        encoder(tensor, values, "Q4_K")
    with pytest.raises(NativeError, match="num_threads is 0"):
        Encoder(0)
