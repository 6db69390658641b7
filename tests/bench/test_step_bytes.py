"""Bytes that a step reads, against models counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge
from edge.bench import StepBytes, step_matrix_bytes
from edge.formats.gguf import open_gguf
from edge.references import resolve

# Q8_0 packed: 16 rows x 32 columns take 512 codes and 16 scales of two bytes; rows are filled up to 16.
BYTES_PER_TILE = 512 + 32
# tests/conftest.py: hidden 64, feed-forward 128, q and o 64 x 64, k and v 32 x 64, two layers; 259 tokens are 17 tiles.
LAYER_TILES = (64 * 64 * 2 + 32 * 64 * 2 + 128 * 64 * 3) // (16 * 32)
HEAD_TILES = 17 * 2


def test_the_matrices_of_a_step(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        assert step_matrix_bytes(file) == (2 * LAYER_TILES + HEAD_TILES) * BYTES_PER_TILE
    with edge.load(tiny_model) as model:  # the table of embeddings is held too, and a step does not read it
        assert model.weights.packed_bytes == (2 * LAYER_TILES + 2 * HEAD_TILES) * BYTES_PER_TILE


def test_a_tied_head_counts() -> None:
    with open_gguf(resolve(None)) as file:
        assert "output.weight" not in file.tensors
        wanted = step_matrix_bytes(file)
    with edge.load() as model:
        assert model.weights.packed_bytes == wanted


def test_the_kv_of_a_position(tiny_model: Path) -> None:
    for kv_type, num_bytes in (("f16", 2), ("f32", 4)):
        with edge.load(tiny_model, kv_type=kv_type) as model:
            assert model.native_backend.kv_type == kv_type
            # K and V, two layers, two heads of 16
            assert model.native_backend.kv_bytes_per_position == 2 * 2 * 2 * 16 * num_bytes


def test_decode_reads_a_position_more_at_every_step() -> None:
    step_bytes = StepBytes(matrices=1000, kv_per_position=10)
    assert step_bytes.decode(1, 0) == 1010  # its own
    assert step_bytes.decode(4, 100) == pytest.approx(1000 + 10 * (101 + 102 + 103 + 104) / 4)
