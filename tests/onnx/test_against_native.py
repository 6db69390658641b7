"""Exported folders beside the native engine on the same quantised weights, dequantised to F32 by another reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import edge
from edge.errors import UnsupportedModel
from edge.export.export import ITEM_TYPES
from edge.export.gguf_source import GGUFSource
from edge.export.gguf_writer import GGUFWriter
from edge.export.onnx import OnnxOptions, Rounding, Rows
from edge.export.onnx.export import export_onnx
from edge.export.onnx.matrices import form_of, read_matrix
from edge.formats.types import GGMLType
from edge.references import resolve
from tests.accuracy.engine import logits as native_logits
from tests.onnx.random_models import VOCAB, write_random
from tests.onnx.runtime import folder_logits, onnxruntime
from tests.onnx.test_operators import values_of

STEPS = (17, 1, 1, 40, 1, 36)  # tokens of each run
MOST_KLD = {0: 1e-3, 4: 2e-2}  # mean over the positions, by accuracy level
MARGIN, LEAST_QUALIFYING = 4.0, 0.9
UNTIED = ("qwen3", "phi3")
SHAPES = ("llama", "mistral", "qwen2", "qwen3", "gemma3", "phi3", "bitnet")


def dequantised(source: GGUFSource, rounding: Rounding, path: Path) -> Path:
    """The weights that an export with this rounding has, as F32."""
    writer = GGUFWriter(path)
    for key, value in source.metadata.items():
        if value != []:
            writer.add(key, value, ITEM_TYPES.get(key))
    for tensor in source.tensors:
        values = source.read(tensor.name)
        if values.ndim == 2:
            form = form_of(tensor, rounding)
            rows = [Rows(tensor, 0, tensor.shape[0])]
            values = values_of(read_matrix(source, rows, form), form, tensor.shape[1]).astype(np.float32)
        writer.add_tensor(tensor.name, GGMLType.F32, values.shape, np.ascontiguousarray(values))
    writer.finish()
    return path


def compare(model: Path, rounding: Rounding, level: int, tokens: list[int], folder: Path) -> None:
    """Fails where the folder's answers are not those of the native engine."""
    with GGUFSource(model) as source:
        made = export_onnx(source, folder / "onnx", OnnxOptions(rounding, level, all_logits=True, context=128))
        plain = dequantised(source, rounding, folder / "plain.gguf")
    found = folder_logits(made.path, tokens, STEPS).astype(np.float64)
    wanted = native_logits(plain, tokens).astype(np.float64)
    divergence = mean_kld(wanted, found)
    assert divergence <= MOST_KLD[level]
    error = np.sqrt(np.mean((found - wanted) ** 2))
    best = np.sort(wanted, axis=1)
    clear = best[:, -1] - best[:, -2] > MARGIN * error
    assert clear.mean() >= LEAST_QUALIFYING
    assert (found.argmax(1) == wanted.argmax(1))[clear].all()


def mean_kld(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Of the distributions that logits stand for, in nats."""
    p, q = (x - np.logaddexp.reduce(x, axis=1, keepdims=True) for x in (wanted, found))
    return float((np.exp(p) * (p - q)).sum(1).mean())


def random_tokens(seed: int = 0) -> list[int]:
    tokens: list[int] = np.random.default_rng(seed).integers(0, VOCAB, sum(STEPS)).tolist()
    return tokens


# Squares of activations lose too much of eight bits for nine positions of ten to be clear: not ("bitnet", 4).
@pytest.mark.parametrize(("name", "level"), [*((name, 0) for name in SHAPES), *((name, 4) for name in SHAPES[:-1])])
def test_random_model(name: str, level: int, tmp_path: Path) -> None:
    onnxruntime()
    model = write_random(tmp_path / "model.gguf", name, tied=name not in UNTIED)
    compare(model, Rounding(4 if name != "bitnet" else 8), level, random_tokens(), tmp_path)


@pytest.mark.parametrize("bits", [2, 8])
def test_other_widths(bits: int, tmp_path: Path) -> None:
    onnxruntime()
    compare(write_random(tmp_path / "model.gguf", "qwen3"), Rounding(bits, 64), 0, random_tokens(), tmp_path)


@pytest.mark.parametrize("level", [0, 4])
def test_bundled_model(level: int, tmp_path: Path) -> None:
    """As it is stored: no weight is rounded anew."""
    onnxruntime()
    text = "".join(f"Turn on the light in room {i} and play some jazz at {i} percent. " for i in range(9))
    with edge.load(context=256) as model:
        tokens = model.tokenizer.encode(text)[: sum(STEPS)]
    assert len(tokens) == sum(STEPS)
    compare(resolve(None), Rounding(), level, tokens, tmp_path)


def test_what_no_operator_says_is_refused(tmp_path: Path) -> None:
    path = write_random(tmp_path / "model.gguf", "llama")
    data = path.read_bytes()
    # 24 dimensions of each head's 32 turn
    key = b"llama.rope.dimension_count"
    at = data.index(key) + len(key) + 4
    path.write_bytes(data[:at] + (24).to_bytes(4, "little") + data[at + 4 :])
    with GGUFSource(path) as source, pytest.raises(UnsupportedModel, match="rotates 24 dimensions, no multiple of 16"):
        export_onnx(source, tmp_path / "onnx", OnnxOptions())
    assert not (tmp_path / "onnx").exists()
