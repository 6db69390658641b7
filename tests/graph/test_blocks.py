"""Blocks split into integers and scales: what the decoders say of the same bytes, and products with them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.formats.types import BLOCKS, GGMLType
from edge.graph import engine_math
from edge.graph.blocks import Blocks, split_blocks
from edge.quant import decode
from tests.quant.random_blocks import BLOCK_TYPES, random_blocks

ROWS, NUM_BLOCKS = 5, 4
EXTREMES = (0x00, 0x01, 0x7E, 0x7F, 0x80, 0x81, 0xFE, 0xFF)
GROUP = {kind: 256 if BLOCKS[kind][0] == 256 else 32 for kind in BLOCK_TYPES}


def float_values(blocks: Blocks) -> NDArray[np.float64]:
    """value = scale * integers - minimum * minima, as rows."""
    rows = len(blocks.integers)
    spans = blocks.integers.reshape(rows, blocks.scale.shape[1], -1)
    with np.errstate(invalid="ignore"):  # zero times a scale that is infinite
        values = (spans * blocks.scale.astype(np.float64)[:, :, None]).reshape(blocks.integers.shape)
        if blocks.minima is not None and blocks.minimum is not None:
            minima = np.repeat(blocks.minima, blocks.group // blocks.minima.shape[2], axis=2)
            values = values - minima * blocks.minimum.astype(np.float64)[:, :, None]
    return values.reshape(rows, -1)


@pytest.mark.parametrize("kind", BLOCK_TYPES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("choice", [range(256), EXTREMES], ids=["random", "extreme"])
def test_blocks_are_what_the_decoder_says(kind: GGMLType, choice: tuple[int, ...]) -> None:
    elements, num_bytes = BLOCKS[kind]
    raw = np.random.default_rng(3).choice(np.array(choice, np.uint8), (40, NUM_BLOCKS, num_bytes))
    shape = (40, NUM_BLOCKS * elements)
    blocks = split_blocks(kind, raw.tobytes(), shape)
    wanted = decode(kind, raw.tobytes(), shape, np.float64)
    np.testing.assert_array_equal(float_values(blocks), wanted)  # scales that are infinite or NaN included
    assert np.isfinite(wanted).mean() > 0.2
    assert blocks.scale.dtype == np.float32 and blocks.group == GROUP[kind]


@pytest.mark.parametrize("kind", [GGMLType.MXFP4, GGMLType.NVFP4], ids=lambda kind: kind.name)
def test_every_scale_of_one_byte(kind: GGMLType) -> None:
    elements, num_bytes = BLOCKS[kind]
    raw = np.full((256, num_bytes), 0x11, np.uint8)  # every element is one, before the scale
    raw[:, 0 : num_bytes - elements // 2] = np.arange(256)[:, None]
    found = float_values(split_blocks(kind, raw.tobytes(), (256, elements)))
    for code in range(256):
        if kind is GGMLType.MXFP4:
            wanted = 2.0 ** (code - 128)
        else:  # bit 7 does not count, and e4m3's NaN is zero
            exponent, mantissa = code >> 3 & 15, code & 7
            wanted = 0.5 * (mantissa / 8 + (exponent > 0)) * 2.0 ** (max(exponent, 1) - 7)
            wanted = 0.0 if code == 0x7F else wanted
        assert (found[code] == wanted).all()
    np.testing.assert_array_equal(decode(kind, raw, (256, elements)), found.astype(np.float32))


@pytest.mark.parametrize("kind", BLOCK_TYPES, ids=lambda kind: kind.name)
def test_products_with_integers_are_exact_sums(kind: GGMLType) -> None:
    """Activations that are codes themselves lose nothing, so only the float additions of the groups are left."""
    rng = np.random.default_rng(4)
    cols = 2 * max(BLOCKS[kind][0], 64)
    raw = random_blocks(kind, ROWS * cols // BLOCKS[kind][0], 0.1, rng)
    x = rng.integers(-127, 128, (3, cols)).astype(np.float32)
    x[:, ::32] = 127.0  # the largest of every group: its scale is one
    weights = decode(kind, raw, (ROWS, cols), np.float64)
    found = engine_math.matmul_blocks(x, split_blocks(kind, raw.tobytes(), (ROWS, cols)))
    assert found.dtype == np.float32
    size = np.abs(x) @ np.abs(weights).T  # of what is added
    assert (np.abs(found - x @ weights.T) <= 1e-6 * size).all()


def test_spans_are_added_one_by_one() -> None:
    """NVFP4 has two scales in a group of activations: a multiplication and an addition for each."""
    rng = np.random.default_rng(5)
    blocks = split_blocks(GGMLType.NVFP4, random_blocks(GGMLType.NVFP4, 6, 0.1, rng).tobytes(), (2, 192))
    x = rng.standard_normal((1, 192)).astype(np.float32)
    codes, scales = engine_math.quantize(x, 32)
    found = engine_math.matmul_blocks(x, blocks)
    for row in range(2):
        acc = np.float32(0.0)
        for s, integers in enumerate(blocks.integers[row].reshape(12, 16)):
            total = np.float32(int(integers @ codes[0, 16 * s : 16 * s + 16].astype(np.float64)))
            acc = acc + total * (blocks.scale[row, s] * scales[0, s // 2])
        assert acc == found[0, row]


@pytest.mark.parametrize("kind", BLOCK_TYPES, ids=lambda kind: kind.name)
def test_sizes_are_checked(kind: GGMLType) -> None:
    elements, num_bytes = BLOCKS[kind]
    for size in (0, num_bytes - 1, num_bytes + 1):
        with pytest.raises(ValueError, match=rf"{kind.name} of shape \(1, {elements}\) has {size} bytes"):
            split_blocks(kind, bytes(size), (1, elements))
    with pytest.raises(ValueError, match=f"is not a multiple of {elements}, the block of {kind.name}"):
        split_blocks(kind, bytes(num_bytes), (1, elements // 2))


@pytest.mark.parametrize("kind", [GGMLType.F32, GGMLType.Q8_1, GGMLType.Q8_K, GGMLType.I8], ids=lambda kind: kind.name)
def test_other_types_have_no_integers(kind: GGMLType) -> None:
    with pytest.raises(ValueError, match=f"no integer kernel for {kind.name}"):
        split_blocks(kind, b"", (1, 256))
