"""Random-weight models: sizes of the files that they stand for, and that every type runs with ordinary numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge
from edge.backends.compiled import MATRIX_TYPES
from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes
from edge.quant import decode
from scripts.mixtures import Matrix, matrix_type
from scripts.random_model import SHAPES, matrices, random_matrix, write

# Megabytes of TinyLlama-1.1B as llama.cpp quantises it, 1 or 2 of which are a vocabulary that random models lack.
TINYLLAMA = {"Q8_0": 1170, "Q4_0": 637, "Q4_K_M": 668, "Q2_K": 432, "TQ2_0": 390, "TQ1_0": 345}
ALL_TYPES = sorted(MATRIX_TYPES)


@pytest.mark.parametrize("file_type", TINYLLAMA)
def test_files_have_the_size_of_real_ones(file_type: str) -> None:
    rows = matrices(SHAPES["tinyllama-1.1b"], file_type)
    num_bytes = sum(tensor_num_bytes(kind, (rows, cols)) for _, kind, rows, cols in rows)
    assert num_bytes / 1e6 == pytest.approx(TINYLLAMA[file_type], abs=2)


def test_rows_that_no_block_of_256_fits_get_smaller_blocks() -> None:
    types = {name: kind for name, kind, _, _ in matrices(SHAPES["qwen2.5-0.5b"], "Q4_K_M")}
    assert types["token_embd.weight"] is GGMLType.Q8_0  # the head, tied; 896 columns
    assert types["blk.1.attn_q.weight"] is GGMLType.Q5_0
    assert types["blk.3.ffn_down.weight"] is GGMLType.Q4_K  # 4864 columns are 19 blocks
    assert types["blk.0.ffn_down.weight"] is GGMLType.Q6_K
    assert matrix_type("IQ3_S", Matrix("ffn_up", 896)) is GGMLType.IQ4_NL


def test_pure_files_have_one_type() -> None:
    assert {kind for _, kind, _, _ in matrices(SHAPES["tinyllama-1.1b"], "pure-Q4_K")} == {GGMLType.Q4_K}
    with pytest.raises(ValueError, match="'Q4_X' is no type of weights"):
        matrix_type("Q4_X", Matrix("attn_q", 256))
    with pytest.raises(ValueError, match="'Q8_K' is no type of weights"):
        matrix_type("Q8_K", Matrix("attn_q", 256))


@pytest.mark.parametrize("kind", ALL_TYPES, ids=lambda kind: kind.name)
def test_weights_are_finite_and_of_an_ordinary_size(kind: GGMLType) -> None:
    rows, cols = 32, 1024
    data = random_matrix(kind, rows, cols, np.random.default_rng(1))
    values = decode(kind, data, (rows, cols))
    assert np.isfinite(values).all()
    assert 0.01 < float(values.std()) < 0.04
    assert BLOCKS[kind][0] == 1 or len(set(data)) > 20


@pytest.mark.parametrize("file_type", ["pure-" + kind.name for kind in ALL_TYPES] + ["Q4_K_M", "Q2_K", "TQ1_0"])
def test_a_file_of_any_type_runs(file_type: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write("tiny", file_type, path)
    with edge.load(path, threads=1, context=32) as model:
        assert len(model.generate([1, 2, 3], max_tokens=2).tokens) <= 2  # NumericalError if a logit is not finite
