"""Encoders and decoders: published vectors, ggml's own code, error bounds, and what they refuse."""

from __future__ import annotations

import ctypes
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge.errors import NumericalError
from edge.formats.types import BLOCKS, GGMLType
from edge.quant import DECODABLE, ENCODABLE, decode, encode
from tests.quant.random_blocks import BLOCK_TYPES

Floats = npt.NDArray[np.float32]
VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "gguf_testvectors.json"
PUBLISHED = tuple(kind for kind in BLOCK_TYPES if kind not in (GGMLType.Q1_0, GGMLType.Q2_0))  # the youngest
QUANTISED = tuple(kind for kind in ENCODABLE if BLOCKS[kind][0] > 1)


def _wild(rows: int, cols: int, seed: int = 0) -> Floats:
    """Rows of very different magnitude, some elements zero, one row zero."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, cols)) * np.exp(3 * rng.standard_normal((rows, 1)))
    values[rng.random((rows, cols)) < 0.02] = 0.0
    values[rows // 2] = 0.0
    return values.astype(np.float32)


def _ggml() -> ctypes.CDLL:
    """ggml's own code, or a skipped test."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        pytest.skip("llama-cpp-python (the llama extra) is not installed")
    return ctypes.CDLL(str(next((Path(spec.origin).parent / "lib").glob("libggml-base.*"))))


@pytest.mark.skipif(not VECTORS.exists(), reason="shared/data/gguf_testvectors.json is not beside the repository")
@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.name)
def test_published_vectors(kind: GGMLType) -> None:
    vector = json.loads(VECTORS.read_text())[kind.name]
    assert (vector["block_elems"], vector["block_bytes"]) == BLOCKS[kind]
    expected = np.array(vector["deq"])
    decoded = decode(kind, bytes.fromhex(vector["hex"]), (vector["block_elems"],))
    # the vectors are printed with seven digits
    np.testing.assert_allclose(decoded, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", [*PUBLISHED, GGMLType.BF16], ids=lambda kind: kind.name)
def test_decoding_equals_the_gguf_package(kind: GGMLType) -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
    elements, block_bytes = BLOCKS[kind]
    raw = np.random.default_rng(1).integers(0, 256, (3000, block_bytes), dtype=np.uint8)
    with np.errstate(all="ignore"):
        theirs = gguf.dequantize(raw, gguf.GGMLQuantizationType(int(kind)))
    ours = decode(kind, raw, (3000, elements))
    assert np.array_equal(ours, theirs, equal_nan=True)  # scales that are infinite or NaN included


@pytest.mark.parametrize("kind", [GGMLType.Q4_0, GGMLType.Q8_0, GGMLType.BF16], ids=lambda kind: kind.name)
def test_encoding_equals_the_gguf_package(kind: GGMLType) -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
    values = _wild(150, 512)
    with np.errstate(all="ignore"):
        theirs = gguf.quantize(values, gguf.GGMLQuantizationType(int(kind)))
    assert encode(kind, values) == theirs.tobytes()


@pytest.mark.parametrize(
    ("kind", "function"),
    [(GGMLType.Q4_0, "q4_0"), (GGMLType.Q8_0, "q8_0"), (GGMLType.Q6_K, "q6_K")],
    ids=["q4_0", "q8_0", "q6_K"],
)
def test_encoding_equals_ggml(kind: GGMLType, function: str) -> None:
    """Byte for byte, on a build of ggml for x86-64; one that fuses multiply and add may round a few codes otherwise."""
    library = _ggml()
    quantize = library[f"quantize_row_{function}_ref"]
    quantize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    quantize.restype = None
    values = _wild(300, 1024, seed=3)
    ours = np.frombuffer(encode(kind, values), np.uint8)
    theirs = np.empty_like(ours)
    quantize(values.ctypes.data, theirs.ctypes.data, values.size)
    blocks = (ours != theirs).reshape(-1, BLOCKS[kind][1]).any(axis=1)
    assert blocks.mean() <= 0.001


@pytest.mark.parametrize("kind", BLOCK_TYPES, ids=lambda kind: kind.name)
def test_decoding_equals_ggml(kind: GGMLType) -> None:
    """Bit for bit, on a build of ggml for x86-64; one that fuses multiply and add rounds minima otherwise."""
    library = _ggml()
    try:
        dequantize = library[f"dequantize_row_{kind.name.lower().replace('_k', '_K')}"]
    except AttributeError:
        pytest.skip(f"this ggml has no {kind.name}")
    dequantize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    dequantize.restype = None
    elements, block_bytes = BLOCKS[kind]
    raw = np.random.default_rng(8).integers(0, 256, (3000, block_bytes), dtype=np.uint8)
    theirs = np.empty((3000, elements), np.float32)
    dequantize(raw.ctypes.data, theirs.ctypes.data, theirs.size)
    np.testing.assert_array_equal(decode(kind, raw, theirs.shape), theirs)


@pytest.mark.parametrize("kind", DECODABLE, ids=lambda kind: kind.name)
def test_float32_and_float64_agree(kind: GGMLType) -> None:
    elements, block_bytes = BLOCKS[kind]
    num_blocks = max(4096 // elements, 100)
    raw = np.random.default_rng(2).integers(0, 256, (num_blocks, block_bytes), dtype=np.uint8)
    single = decode(kind, raw, (num_blocks, elements))
    double = decode(kind, raw, (num_blocks, elements), np.float64)
    assert single.dtype.name == "float32"
    assert double.dtype.name == "float64"
    finite = np.isfinite(double) & np.isfinite(single)
    assert finite.mean() > 0.8
    # one rounding per operation, at the size of the operands (Q4_K and others subtract)
    double, single = np.where(finite, double, 0.0), np.where(finite, single, np.float32(0.0))
    largest = np.abs(double).max(axis=1, keepdims=True)
    assert np.all(np.abs(single - double) <= 4 * 2.0**-24 * largest + 1e-44)


@pytest.mark.parametrize("kind", ENCODABLE, ids=lambda kind: kind.name)
def test_chunks_do_not_show(kind: GGMLType) -> None:
    """More elements than one chunk: the same bytes as block by block."""
    values = _wild(300, 256, seed=4)
    whole = encode(kind, values)
    assert whole == b"".join(encode(kind, row) for row in values)
    assert np.array_equal(decode(kind, whole, values.shape)[200], decode(kind, encode(kind, values[200]), (256,)))


@pytest.mark.parametrize("kind", ENCODABLE, ids=lambda kind: kind.name)
def test_other_float_types_and_strides(kind: GGMLType) -> None:
    values = _wild(8, 512, seed=5)
    assert encode(kind, values.astype(np.float64)) == encode(kind, values)
    assert encode(kind, np.asfortranarray(values)) == encode(kind, values)
    assert encode(kind, values[::2]) == encode(kind, values[::2].copy())
    half = np.clip(values, -100, 100).astype(np.float16)
    assert encode(kind, half) == encode(kind, half.astype(np.float32))


def _rows(cols: int, limit: float) -> st.SearchStrategy[Any]:
    elements = st.floats(-limit, limit, width=32)
    return arrays.arrays(np.float32, (2, cols), elements=elements)


@given(_rows(64, 1e4))
def test_q8_0_error_bound(values: Floats) -> None:
    blocks = values.reshape(-1, 32).astype(np.float64)
    decoded = decode(GGMLType.Q8_0, encode(GGMLType.Q8_0, values), values.shape, np.float64).reshape(-1, 32)
    largest = np.abs(blocks).max(axis=1, keepdims=True)
    # half a step of amax/127, and the scale's own rounding (2^-11, or 2^-25 where halves are subnormal) on 127 steps
    assert np.all(np.abs(decoded - blocks) <= largest / 254 * 1.001 + largest * 2.0**-11 + 127 * 2.0**-25)


@given(_rows(64, 1e4))
def test_q4_0_error_bound(values: Floats) -> None:
    blocks = values.reshape(-1, 32).astype(np.float64)
    decoded = decode(GGMLType.Q4_0, encode(GGMLType.Q4_0, values), values.shape, np.float64).reshape(-1, 32)
    largest = np.abs(blocks).max(axis=1, keepdims=True)
    # codes reach 7 steps on the far side of zero: a whole step of amax/8 there, half a step elsewhere
    assert np.all(np.abs(decoded - blocks) <= largest / 8 * 1.001 + largest * 2.0**-11 + 8 * 2.0**-25)


@given(_rows(256, 1e4))
def test_q6_k_error_bound(values: Floats) -> None:
    blocks = values.astype(np.float64)
    decoded = decode(GGMLType.Q6_K, encode(GGMLType.Q6_K, values), values.shape, np.float64)
    largest = np.abs(blocks).max(axis=1, keepdims=True)
    # Two steps of the coarsest sub-block: a scale may be off by half of 1/127 of the largest, times 32 codes
    assert np.all(np.abs(decoded - blocks) <= largest / 32 * 2 + 128 * 32 * 2.0**-25)


def test_typical_errors() -> None:
    """On normal data, relative to the data's root mean square: a worse search or a wrong layout shows here."""
    values = np.random.default_rng(6).standard_normal((64, 2048)).astype(np.float32)
    for kind, low, high in ((GGMLType.Q8_0, 0.004, 0.007), (GGMLType.Q6_K, 0.015, 0.021), (GGMLType.Q4_0, 0.07, 0.10)):
        error = decode(kind, encode(kind, values), values.shape, np.float64) - values
        assert low < np.sqrt(np.mean(error**2)) < high


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_encoding_again_changes_nothing(kind: GGMLType) -> None:
    """Decoded values lie on the grid of their block: it is found again, or by a search that ends elsewhere, nearly."""
    values = _wild(20, 512, seed=7)
    once = decode(kind, encode(kind, values), values.shape)
    twice = decode(kind, encode(kind, once), values.shape)
    if kind in (GGMLType.Q6_K, GGMLType.Q3_K, GGMLType.IQ4_NL, GGMLType.IQ4_XS):
        largest = np.abs(once).max(axis=1, keepdims=True)
        assert np.all(np.abs(twice - once) <= largest / (32 if kind is GGMLType.Q6_K else 4))
    else:
        np.testing.assert_allclose(twice, once, rtol=2e-3, atol=1e-6)


@given(arrays.arrays(np.uint32, 64, elements=st.integers(0, 2**32 - 1)))
def test_bf16_rounds_to_nearest_even(bits: npt.NDArray[np.uint32]) -> None:
    values = bits.view(np.float32)
    values = np.where(np.isfinite(values) & (np.abs(values) < 3e38), values, np.float32(1.0)).astype(np.float32)
    kept = decode(GGMLType.BF16, encode(GGMLType.BF16, values), values.shape)
    below = (values.view(np.uint32) & 0xFFFF0000).view(np.float32)
    above = ((values.view(np.uint32) & 0xFFFF0000) + 0x10000).view(np.float32)
    down, up = np.abs(values.astype(float) - below), np.abs(above.astype(float) - values)
    even = np.where((below.view(np.uint32) >> 16) & 1, above, below)
    assert np.array_equal(kept, np.where(down < up, below, np.where(up < down, above, even)))


@given(arrays.arrays(np.float32, 64, elements=st.floats(-65504, 65504, width=32)))
def test_f16_and_f32_round_trip(values: Floats) -> None:
    assert decode(GGMLType.F32, encode(GGMLType.F32, values), values.shape).tobytes() == values.tobytes()
    kept = decode(GGMLType.F16, encode(GGMLType.F16, values), values.shape)
    assert kept.tobytes() == values.astype(np.float16).astype(np.float32).tobytes()


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [0.0, -0.0, 1e-45, -1e-45, 1e-38, 1e-20, 1e-8])
def test_tiny_values_become_small_not_garbage(kind: GGMLType, value: float) -> None:
    decoded = decode(kind, encode(kind, np.full((1, 256), value, np.float32)), (1, 256))
    assert np.abs(decoded).max() <= abs(value) * 1.5 + 1e-6


@pytest.mark.parametrize("kind", ENCODABLE, ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(kind: GGMLType, value: float) -> None:
    values = np.zeros((2, 300, 256), np.float32)
    values[1, 299, 255] = value
    with pytest.raises(NumericalError, match=rf"element \[1, 299, 255\] is {value}"):
        encode(kind, values)


@pytest.mark.parametrize(
    ("kind", "limit", "beyond"),
    [
        (GGMLType.F16, 65504.0, 65520.0),
        (GGMLType.BF16, 3.38953139e38, 3.4e38),
        (GGMLType.Q8_0, 65504.0 * 127, 65520.0 * 127.1),
        (GGMLType.Q4_0, 65504.0 * 8, 65520.0 * 8),
        (GGMLType.Q6_K, 65504.0 * 128 * 31, 65520.0 * 128 * 33),
    ],
    ids=["f16", "bf16", "q8_0", "q4_0", "q6_k"],
)
def test_values_beyond_the_range_are_refused(kind: GGMLType, limit: float, beyond: float) -> None:
    values = np.ones((3, 256), np.float32)
    values[2, 77] = limit
    decoded = decode(kind, encode(kind, values), values.shape)
    assert abs(float(decoded[2, 77]) / limit - 1) < 0.02
    values[2, 77] = -beyond
    values[1, 3] = 5.0
    with pytest.raises(NumericalError, match=rf"element \[2, 77\] is -.*, which {kind.name} cannot hold"):
        encode(kind, values)


def test_wrong_types_and_sizes_are_refused() -> None:
    values = np.ones((2, 48), np.float32)
    with pytest.raises(ValueError, match="row length 48 is not a multiple of 32"):
        encode(GGMLType.Q8_0, values)
    with pytest.raises(ValueError, match="no encoder for IQ2_XS, there is one for BF16, F16, F32, IQ4_NL"):
        encode(GGMLType.IQ2_XS, values)
    with pytest.raises(ValueError, match="no encoder for type 99"):
        encode(99, values)
    with pytest.raises(ValueError, match="no decoder for Q8_K"):
        decode(GGMLType.Q8_K, b"", (256,))
    with pytest.raises(ValueError, match="dimension 0"):
        encode(GGMLType.F32, np.ones((0, 32), np.float32))


@pytest.mark.parametrize("kind", DECODABLE, ids=lambda kind: kind.name)
def test_decoding_takes_the_exact_size(kind: GGMLType) -> None:
    elements, block_bytes = BLOCKS[kind]
    for size in (0, 2 * block_bytes - 1, 2 * block_bytes + 1):
        message = rf"{kind.name} of shape \(2, {elements}\) takes {2 * block_bytes} bytes, there are {size}"
        with pytest.raises(ValueError, match=message):
            decode(kind, bytes(size), (2, elements))
    if elements > 1:
        with pytest.raises(ValueError, match=f"row length {elements + 1} is not a multiple of {elements}"):
            decode(kind, bytes(block_bytes), (elements + 1,))
