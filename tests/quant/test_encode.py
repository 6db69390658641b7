"""The C encoders beside the NumPy ones and ggml's own: errors, equal bytes everywhere, refusals."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import NumericalError, RequestError
from edge.formats.types import BLOCKS, GGMLType
from edge.native import Threads, isa_supported, quantise
from edge.quant import ENCODABLE, decode
from edge.quant.encode import encode
from tests.quant.reference import ENCODERS

Floats = npt.NDArray[np.float32]
QUANTISED = tuple(kind for kind in ENCODABLE if BLOCKS[kind][0] > 1)
# llama.cpp rounds these as if every column counted the same
IGNORING_IMPORTANCE = (GGMLType.Q8_0, GGMLType.TQ1_0, GGMLType.TQ2_0, GGMLType.MXFP4)


def _tensors() -> dict[str, Floats]:
    """Weights as models have them: normal, with outliers, one-sided, and columns of very different size."""
    rng = np.random.default_rng(11)
    normal = rng.standard_normal((24, 1280)).astype(np.float32)
    return {
        "normal": normal * np.float32(0.02),
        "outliers": (rng.standard_t(3, (24, 1280)) * 0.02).astype(np.float32),
        "one-sided": np.abs(normal) + np.float32(0.1),
        "columns": normal * np.exp(rng.standard_normal(1280)).astype(np.float32),
        "zeros": normal * (np.arange(24)[:, None] % 3 > 0) * (rng.random((24, 1280)) > 0.1),
    }


def _importance(cols: int) -> Floats:
    return np.exp(1.5 * np.random.default_rng(12).standard_normal(cols)).astype(np.float32)


def _error(kind: GGMLType, data: Any, values: Floats, weights: Floats | None) -> float:
    off = (decode(kind, data, values.shape, np.float64) - values) ** 2
    return float((off if weights is None else off * weights).sum())


@pytest.fixture(scope="module")
def ggml() -> ctypes.CDLL:
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        pytest.skip("llama-cpp-python (the llama extra) is not installed")
    library = ctypes.CDLL(str(next((Path(spec.origin).parent / "lib").glob("libggml-base.*"))))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int32, pointer, pointer, size, size, size, pointer]
    return library


def _theirs(ggml: ctypes.CDLL, kind: GGMLType, values: Floats, importance: Floats | None) -> npt.NDArray[np.uint8]:
    n, k = values.shape
    out = np.empty(n * k // BLOCKS[kind][0] * BLOCKS[kind][1], np.uint8)
    address = None if importance is None else importance.ctypes.data
    assert ggml.ggml_quantize_chunk(int(kind), values.ctypes.data, out.ctypes.data, 0, n, k, address) == out.size
    return out


@pytest.mark.parametrize("with_importance", [False, True], ids=["plain", "importance"])
@pytest.mark.parametrize("name", _tensors())
@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_error_is_within_two_percent_of_ggml(
    ggml: ctypes.CDLL, kind: GGMLType, name: str, with_importance: bool
) -> None:
    values = _tensors()[name].astype(np.float32)
    importance = _importance(values.shape[1]) if with_importance else None
    ours = _error(kind, encode(kind.name, values, importance), values, importance)
    theirs = _error(kind, _theirs(ggml, kind, values, importance), values, importance)
    assert ours <= 1.02 * theirs


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_importance_helps(ggml: ctypes.CDLL, kind: GGMLType) -> None:
    """By the error that counts, it is better than llama.cpp without, and where llama.cpp ignores it."""
    for name in ("normal", "outliers", "columns"):
        values = _tensors()[name]
        importance = _importance(values.shape[1])
        ours = _error(kind, encode(kind.name, values, importance), values, importance)
        assert ours < _error(kind, _theirs(ggml, kind, values, None), values, importance)
        if kind in IGNORING_IMPORTANCE:
            assert ours < _error(kind, _theirs(ggml, kind, values, importance), values, importance)


@pytest.mark.parametrize("kind", ENCODERS, ids=lambda kind: kind.name)
def test_bytes_equal_the_reference(kind: GGMLType) -> None:
    for values in _tensors().values():
        blocks = np.ascontiguousarray(values, np.float32).reshape(-1, BLOCKS[kind][0])
        with np.errstate(all="ignore"):
            expected = ENCODERS[kind](blocks)
        assert np.array_equal(encode(kind.name, values).reshape(len(blocks), -1), expected)


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_decoding_equals_the_gguf_package(kind: GGMLType) -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
    values = _tensors()["outliers"]
    for importance in (None, _importance(values.shape[1])):
        data = encode(kind.name, values, importance)
        theirs = gguf.dequantize(data, gguf.GGMLQuantizationType(int(kind)))
        assert np.array_equal(decode(kind, data, values.shape), theirs)


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_same_bytes_at_every_level_and_number_of_threads(kind: GGMLType) -> None:
    values = np.vstack([_tensors()["columns"], np.random.default_rng(3).standard_normal((300, 1280)) * 1e-6])
    values = values.astype(np.float32)
    for importance in (None, _importance(1280)):
        one = encode(kind.name, values, importance)
        for count in (2, 3):
            with Threads(count) as threads:
                assert np.array_equal(encode(kind.name, values, importance, threads=threads), one)
        memory: tuple[Any, Any] = (values, importance)  # NumPy's stubs do not say that arrays are buffers
        plain = quantise(kind, 324, 1280, *memory, isa="scalar")
        assert plain == one.tobytes()
        for isa in isa_supported():
            assert quantise(kind, 324, 1280, *memory, isa=isa) == plain, isa


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_a_row_is_encoded_alone(kind: GGMLType) -> None:
    """Rows of every number of blocks: none is touched by its neighbours or by lanes that stand empty."""
    elements = BLOCKS[kind][0]
    for blocks in (1, 2, 3, 15, 16, 17, 33):
        values = np.random.default_rng(blocks).standard_normal((3, blocks * elements)).astype(np.float32)
        for importance in (None, _importance(values.shape[1])):
            whole = encode(kind.name, values, importance)
            for row in range(3):
                assert np.array_equal(encode(kind.name, values[row : row + 1], importance)[0], whole[row])


@pytest.mark.parametrize("kind", ENCODABLE, ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_by_place(kind: GGMLType, value: float) -> None:
    values = np.zeros((600, 512), np.float32)
    values[599, 0] = values[413, 511] = values[413, 300] = value
    with Threads(2) as threads:
        for pool in (None, threads):
            with pytest.raises(NumericalError) as caught:
                encode(kind.name, values, tensor="blk.7.ffn_down.weight", threads=pool)
            place = f"tensor 'blk.7.ffn_down.weight': row 413, column 300 is {value}, which a model cannot hold"
            assert str(caught.value) == place


@pytest.mark.parametrize("kind", [kind for kind in QUANTISED if kind is not GGMLType.MXFP4], ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [3e8, 1e10, 1e20, 3e38])
def test_values_that_no_scale_reaches_are_refused(kind: GGMLType, value: float) -> None:
    for importance in (None, np.ones(256, np.float32)):
        values = np.ones((3, 256), np.float32)
        values[1, 77] = -value
        with pytest.raises(NumericalError, match=rf"row 1, column 77 is -.*, which {kind.name} cannot hold"):
            encode(kind.name, values, importance)


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", [0.0, -0.0, 1e-45, 1e-38, 1e-20, 1e-8, -0.01])
def test_small_and_equal_values_decode_near_themselves(kind: GGMLType, value: float) -> None:
    values = np.full((2, 256), value, np.float32)
    for importance in (None, _importance(256)):
        decoded = decode(kind, encode(kind.name, values, importance), values.shape)
        assert np.isfinite(decoded).all()
        assert np.abs(decoded - values).max() <= 0.51 * abs(value) + 1e-6


def test_importance_says_nothing_when_it_is_all_zero_and_its_unit_does_not_matter() -> None:
    values, importance = _tensors()["normal"], _importance(1280)
    for kind in (GGMLType.Q4_K, GGMLType.IQ4_NL, GGMLType.Q2_K):
        plain = encode(kind.name, values)
        assert np.array_equal(encode(kind.name, values, np.zeros(1280, np.float32)), plain)
        scaled = encode(kind.name, values, importance * np.float32(2.0**-40))
        assert np.array_equal(scaled, encode(kind.name, values, importance))
        assert not np.array_equal(scaled, plain)


def test_columns_of_no_importance_do_not_become_noise() -> None:
    """Calibration may never reach a column: its block keeps the weights' size."""
    values = _tensors()["normal"]
    importance = _importance(1280)
    importance[256:512] = 0.0
    for kind in QUANTISED:
        decoded = decode(kind, encode(kind.name, values, importance), values.shape)
        block = slice(256, 512)
        error = ((decoded[:, block] - values[:, block]) ** 2).sum() / (values[:, block] ** 2).sum()
        plain = decode(kind, encode(kind.name, values), values.shape)
        worst = ((plain[:, block] - values[:, block]) ** 2).sum() / (values[:, block] ** 2).sum()
        assert error <= 1.5 * worst, kind


def test_wrong_arguments_are_refused() -> None:
    values = np.ones((2, 64), np.float32)
    with pytest.raises(RequestError, match="tensor 'a': no encoder for IQ2_XS, there is one for BF16, F16, F32"):
        encode("IQ2_XS", values, tensor="a")
    with pytest.raises(RequestError, match="tensor 'a': row length 64 is not a multiple of 256, the block of Q4_K"):
        encode("Q4_K", values, tensor="a")
    with pytest.raises(RequestError, match=r"importance of shape \(32,\) for 64 columns"):
        encode("Q4_0", values, np.ones(32, np.float32))
    for bad in (-1.0, np.nan, np.inf):
        importance = np.ones(64, np.float32)
        importance[5] = bad
        with pytest.raises(RequestError, match=rf"importance of column 5 is {bad}, wanted a finite number >= 0"):
            encode("Q4_0", values, importance)
