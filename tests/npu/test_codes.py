"""Weights as integers, and values as codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import RequestError
from edge.export.npu.codes import WeightType, pack_int4, quantise_matrix
from edge.export.npu.encodings import encode_range
from edge.formats.types import GGMLType
from edge.npu.encoding import CodeType
from edge.quant import decode, encode


def random_matrix(out: int, width: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((out, width)) * rng.uniform(0.1, 3.0, (out, 1))).astype(np.float32)


@pytest.mark.parametrize(("kind", "most", "shape"), [
    ("int8", 127, (24,)), ("int4", 7, (24,)), ("int8x32", 127, (3, 24)), ("int4x32", 7, (3, 24)),
])  # fmt: skip
def test_codes_stand_for_the_weights(kind: WeightType, most: int, shape: tuple[int, ...]) -> None:
    values = random_matrix(24, 96)
    made = quantise_matrix(values, kind, np.ones(96, np.float32), "m")
    assert made.codes.shape == (96, 24) and made.scales.shape == shape and np.abs(made.codes).max() == most
    groups = values.reshape(24, -1, 32 if made.is_blocked else 96)
    error = np.abs(made.floats().T.reshape(groups.shape) - groups).max(axis=2)
    step = np.abs(groups).max(axis=2) / most
    clipped = 0.4 if most == 7 else 0.0  # four bits may give up the largest for the others
    assert (error <= step * 0.51 + clipped * np.abs(groups).max(axis=2)).all()


def test_four_bits_are_rounded_for_what_the_inputs_are() -> None:
    """Columns with large inputs lose less than with plain rounding."""
    values = random_matrix(64, 64, 3)
    importance = np.ones(64, np.float32)
    importance[:8] = 1000.0
    lost: list[float] = []
    for weights in (np.ones(64, np.float32), importance):
        made = quantise_matrix(values, "int4", weights, "m")
        lost.append(float((np.square(made.floats().T - values) * importance).sum()))
    assert lost[1] < 0.9 * lost[0]


def test_eight_bit_blocks_keep_a_q8_0_file_as_it_is() -> None:
    stored = decode(GGMLType.Q8_0, encode(GGMLType.Q8_0, random_matrix(16, 64)), (16, 64))
    made = quantise_matrix(stored, "int8x32", np.ones(64, np.float32), "m")
    assert np.abs(made.floats().T - stored).max() <= 1e-6 * np.abs(stored).max()


def test_blocks_must_divide_the_columns() -> None:
    with pytest.raises(RequestError, match=r"blk\.0\.x has 48 columns, blocks are 32"):
        quantise_matrix(random_matrix(4, 48), "int4x32", np.ones(48, np.float32), "blk.0.x")


@given(st.lists(st.integers(-7, 7), min_size=1, max_size=9))
def test_pack_int4(values: list[int]) -> None:
    data = np.frombuffer(pack_int4(np.array(values, np.int8)), np.uint8)
    nibbles = np.stack([data & 15, data >> 4], 1).reshape(-1)[: len(values)].astype(np.int8)
    assert [n - 16 if n > 7 else n for n in nibbles.tolist()] == values


@pytest.mark.parametrize("code", ["uint8", "uint16"])
@given(st.floats(-1e4, 1e4, width=32), st.floats(0, 1e4, width=32))
def test_ranges_hold_zero_and_both_ends(code: CodeType, low: float, width: float) -> None:
    encoding = encode_range(low, low + width, code)
    values = np.array([0.0, low, low + width, (2 * low + width) / 2], np.float32)
    found = encoding.decode(encoding.encode(values))
    assert found[0] == 0.0
    assert np.abs(found - values).max() <= 0.5001 * encoding.scale + 1e-6 * np.abs(values).max() + encoding.scale / 2


def test_beyond_the_ends_values_become_the_ends() -> None:
    encoding = encode_range(-1.0, 3.0, "uint8")
    assert encoding.encode(np.array([-9.0, 9.0], np.float32)).tolist() == [0, 255]
