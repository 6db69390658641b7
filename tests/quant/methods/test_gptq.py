"""Rounding with feedback: less error at the output of every matrix, on the inputs that it was told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.calibration import collect
from edge.errors import NumericalError
from edge.formats.types import GGMLType
from edge.quant import decode
from edge.quant.methods import gptq
from edge.quant.methods.error import output_error, rounded
from edge.quant.methods.folds import Doubles
from tests.calibration.models import TEXT, config, outlier_tensors, write_floats
from tests.models.tiny import F32
from tests.quant.methods.plain import encode

N, K = 48, 512
TYPES = ("Q4_0", "Q4_K")
ORDERS = pytest.mark.parametrize("act_order", [False, True])


def correlated(seed: int, tokens: int = 2000) -> F32:
    """Inputs whose channels go together and differ in size, as those of trained models do."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((40, K)) * np.exp(rng.standard_normal(K))
    return (rng.standard_normal((tokens, 40)) @ mix + 0.3 * rng.standard_normal((tokens, K))).astype(np.float32)


def gram_of(x: F32) -> Doubles:
    return x.astype(np.float64).T @ x.astype(np.float64) / len(x)


def matrix(seed: int = 1) -> F32:
    values: F32 = (np.random.default_rng(seed).standard_normal((N, K)) / np.sqrt(K)).astype(np.float32)
    return values


def error_of(stored: NDArray[np.uint8], type_name: str, rows: F32, gram: Doubles) -> float:
    return output_error(decode(GGMLType[type_name], stored, rows.shape) - rows, gram)


@ORDERS
@pytest.mark.parametrize("type_name", TYPES)
def test_less_error_than_rounding(type_name: str, act_order: bool) -> None:
    rows, gram = matrix(), gram_of(correlated(2))
    plain = error_of(encode(type_name, rows, None), type_name, rows, gram)
    found = error_of(gptq(type_name, rows, gram, encode, act_order=act_order), type_name, rows, gram)
    assert found < 0.5 * plain


@ORDERS
@pytest.mark.parametrize("type_name", TYPES)
def test_other_inputs_are_no_help(type_name: str, act_order: bool) -> None:
    """Negative control: statistics of inputs that have nothing to do with those that come."""
    rows, gram = matrix(), gram_of(correlated(2))
    plain = error_of(encode(type_name, rows, None), type_name, rows, gram)
    told = gram_of(correlated(77))
    found = error_of(gptq(type_name, rows, told, encode, act_order=act_order), type_name, rows, gram)
    assert found > 0.9 * plain


@ORDERS
@pytest.mark.parametrize("type_name", TYPES)
def test_inputs_without_correlation_are_rounded(type_name: str, act_order: bool) -> None:
    """Nothing is to be gained then: every weight goes to the nearest of the values that its block has."""
    rows = matrix()
    stored = gptq(type_name, rows, np.eye(K), encode, act_order=act_order)
    nearest = error_of(encode(type_name, rows, None), type_name, rows, np.eye(K))
    assert stored.shape == (N, K // 256 * 144)
    assert error_of(stored, type_name, rows, np.eye(K)) <= nearest * 1.0001


def test_every_matrix_of_a_model(tmp_path: Path) -> None:
    """On what the engine itself says of a calibration text."""
    of = config()
    tensors = outlier_tensors(of)
    path = write_floats(tmp_path / "m.gguf", of, tensors)
    grams = collect(path, TEXT * 3, grams=True).grams
    for name, gram in grams.items():
        for type_name in TYPES:
            rows = tensors[name]
            plain = error_of(encode(type_name, rows, None), type_name, rows, gram)
            assert error_of(gptq(type_name, rows, gram, encode), type_name, rows, gram) < plain, (name, type_name)


@pytest.mark.parametrize("type_name", TYPES)
def test_columns_without_input(type_name: str) -> None:
    """A Gram matrix that has no inverse, and one of nothing at all."""
    x = correlated(2, tokens=30)
    x[:, 100:180] = 0
    rows, gram = matrix(), gram_of(x)
    plain = error_of(encode(type_name, rows, None), type_name, rows, gram)
    stored = gptq(type_name, rows, gram, encode)
    assert error_of(stored, type_name, rows, gram) < plain
    values = decode(GGMLType[type_name], stored, rows.shape)
    assert np.abs(values - rows)[:, 100:180].max() < 2 * np.abs(rounded(type_name, rows, None, encode) - rows).max()
    nothing = gptq(type_name, rows, np.zeros((K, K)), encode)
    assert np.abs(decode(GGMLType[type_name], nothing, rows.shape) - rows).max() < np.abs(rows).max() / 4


def test_refusals() -> None:
    rows = matrix()
    with pytest.raises(ValueError, match="no GPTQ for Q8_0, there is one for Q4_0, Q4_K"):
        gptq("Q8_0", rows, np.eye(K), encode)
    with pytest.raises(ValueError, match=r"512 columns in blocks of 256, with a Gram matrix of \(256, 256\)"):
        gptq("Q4_K", rows, np.eye(256), encode)
    with pytest.raises(ValueError, match="320 columns in blocks of 256"):
        gptq("Q4_K", rows[:, :320], np.eye(320), encode)
    gram = np.eye(K)
    gram[3, 4] = np.nan
    with pytest.raises(NumericalError, match="not finite"):
        gptq("Q4_0", rows, gram, encode)
    with pytest.raises(NumericalError, match="not positive"):
        gptq("Q4_0", rows, np.eye(K) - 4.0 * np.ones((K, K)), encode)
