"""A matrix whose output goes nowhere costs nothing when it is damaged; others cost what they cost alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge.quant
from edge.damage import LoadOptions, measure
from edge.errors import RequestError
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.quant import sensitivity
from edge.quant.encode import encode
from edge.quant.sensitivity import measure_sensitivity
from tests.accuracy.random_models import Shape, write_model


def _memory(path: Path, name: str) -> np.memmap[Any, np.dtype[np.float32]]:
    with open_gguf(path) as file:
        info = file.tensors[name]
    return np.memmap(path, np.float32, "r+", info.offset, info.shape)


def test_sensitivity_is_divergence_over_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "PROBES", ("Q4_0",))
    path = write_model(tmp_path / "model.gguf", Shape("llama", num_hidden_layers=1, vocab_size=300), 1)
    unused = _memory(path, "blk.0.attn_output.weight")
    unused[:] = 0
    unused.flush()
    before = path.read_bytes()
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))

    found = measure_sensitivity(path, encode, max_tokens=400, on_progress=progress)
    assert path.read_bytes() == before
    assert len(found) == 9 and seen[-1] == (9, 9)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        assert found[f"blk.0.{name}.weight"] == 0
    for name in ("blk.0.ffn_down.weight", "output.weight", "token_embd.weight"):
        assert found[name] > 0

    # One of them by hand.
    name = "blk.0.ffn_up.weight"
    (tmp_path / "changed.gguf").write_bytes(before)
    values = _memory(tmp_path / "changed.gguf", name)
    rounded = edge.quant.decode(GGMLType.Q4_0, edge.quant.encode(GGMLType.Q4_0, values), values.shape)
    rows = np.linspace(0, len(values) - 1, 256, dtype=int)
    error = np.square(rounded - values)[rows].sum() / np.square(values)[rows].sum()
    values[:] = rounded
    values.flush()
    damage = measure(tmp_path / "changed.gguf", path, max_tokens=400, loading=LoadOptions(kv_type="f32", no_cache=True))
    assert damage.mean_kld is not None
    assert found[name] == pytest.approx(damage.mean_kld / error, rel=1e-4)


def test_a_file_that_is_quantised_already_is_refused(tiny_model: Path) -> None:
    with pytest.raises(RequestError, match="is Q8_0; give the model in floats"):
        measure_sensitivity(tiny_model, encode)
