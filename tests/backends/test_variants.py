"""A variant of a loaded model computes what a file with those matrices does, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import edge
from edge.backends.variants import Stored, Variant, Variants
from edge.damage.scorer import window_logits
from edge.export.export import export
from edge.export.gguf_source import GGUFSource
from edge.formats.types import GGMLType
from edge.quant import encode
from edge.quant.encode import encode as encode_rows
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf

TOKENS = [(37 * i * i + 5 * i + 11) % 90 + 3 for i in range(100)]


def _logits(variant: Variant) -> npt.NDArray[np.float32]:
    return np.concatenate([part.copy() for part in window_logits(variant, TOKENS, 32)])


def _loaded(path: Path) -> edge.Model:
    return edge.load(path, context=128, sequences=32, chunk=32, threads=2, kv_type="f32", no_cache=True)


@pytest.mark.parametrize(
    "arch", ["llama", "gemma3", "phi3"]
)  # windows in some layers; rows of one tensor as q, k and v
def test_a_variant_is_the_file_with_its_matrices(arch: str, tmp_path: Path) -> None:
    config = tiny_config(arch, sliding_window=40, max_position_embeddings=512, num_hidden_layers=2, hidden_size=64)
    path = tmp_path / "model.gguf"
    write_gguf(path, config, random_tensors(tensor_shapes(config), seed=4))
    with GGUFSource(path) as source:
        matrices = [tensor for tensor in source.tensors if tensor.shape[-1] % 32 == 0 < len(tensor.shape) - 1][::2]
        stored = {name: Stored(GGMLType.Q4_0, encode(GGMLType.Q4_0, source.read(name))) for name, *_ in matrices}
        types = {tensor.name: "Q4_0" if tensor.name in stored else tensor.type_name for tensor in source.tensors}
        other = export(
            source, tmp_path / "other.gguf", types=types,
            encode=lambda tensor, values, kind: encode_rows(kind, values.reshape(-1, values.shape[-1])).data,
        )  # fmt: skip
    with _loaded(path) as model, Variants(model.native_backend) as variants:
        with variants.variant({}) as same:
            original = _logits(same)
        with variants.variant(stored) as variant:
            changed = _logits(variant)
        with variants.variant({}) as same:
            assert (_logits(same) == original).all()
    with _loaded(other) as model, Variants(model.native_backend) as variants:
        with variants.variant({}) as same:
            assert (_logits(same) == changed).all()
    assert np.abs(changed - original).max() > 0
