"""Ternary rounding by the absolute mean: what TQ2_0 and TQ1_0 would store is what comes out."""

from __future__ import annotations

import numpy as np

from edge.formats.types import GGMLType
from edge.quant import decode
from edge.quant.methods import absmean


def test_codes_and_scale() -> None:
    values = np.array([[0.4, -0.4, 0.1, -0.1], [1.0, -3.0, 0.0, 0.2]], np.float32)
    mean = np.abs(values).mean()  # 0.65
    found = absmean(values)
    np.testing.assert_array_equal(found / np.float32(np.float16(mean)), [[1, -1, 0, 0], [1, -1, 0, 0]])


def test_it_is_what_a_ternary_type_holds() -> None:
    matrix = np.random.default_rng(2).standard_normal((4, 512)).astype(np.float32)
    found = absmean(matrix)
    scale = np.float16(np.abs(found).max())
    codes = np.rint(found / np.float32(scale)).astype(np.uint8) + 1  # 0, 1, 2 in TQ2_0: two bits each
    blocks = codes.reshape(-1, 2, 4, 32)
    packed = blocks[:, :, 0] | blocks[:, :, 1] << 2 | blocks[:, :, 2] << 4 | blocks[:, :, 3] << 6
    halves = np.full((len(blocks), 1), scale).view(np.uint8)
    stored = np.concatenate([packed.reshape(-1, 64), halves], axis=1)
    np.testing.assert_array_equal(decode(GGMLType.TQ2_0, stored, matrix.shape), found)


def test_a_ternary_matrix_stays() -> None:
    """Codes of a matrix with as many zeros as a trained one; its scale comes out times their share."""
    codes = np.random.default_rng(3).integers(-1, 2, (8, 256)).astype(np.float32)
    found = absmean(codes * np.float32(0.05))
    np.testing.assert_array_equal(np.sign(found), codes)


def test_zeros() -> None:
    np.testing.assert_array_equal(absmean(np.zeros((2, 256), np.float32)), 0.0)
