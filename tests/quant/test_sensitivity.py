"""A matrix whose output goes nowhere costs nothing when it is damaged; others cost what they cost in their group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge.quant
from edge.damage import LoadOptions, measure
from edge.damage.text import read_text
from edge.errors import RequestError
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.quant import sensitivity
from edge.quant.encode import encode
from edge.quant.sensitivity import Probes, measure_sensitivity, plan_probes
from tests.accuracy.random_models import Shape, write_model

WORDS = "the rain in the hills, and 340 letters of tin: a tale that nobody reads.\n" * 6
TEXT = ("words", WORDS, WORDS.encode())


def _memory(path: Path, name: str) -> np.memmap[Any, np.dtype[np.float32]]:
    with open_gguf(path) as file:
        info = file.tensors[name]
    return np.memmap(path, np.float32, "r+", info.offset, info.shape)


def _plan(path: Path) -> Probes:
    with open_gguf(path) as file:
        return plan_probes(file)


def _by_hand(path: Path, folder: Path, names: tuple[str, ...]) -> float:
    """Divergence over error of a file with these matrices rounded."""
    (folder / "changed.gguf").write_bytes(path.read_bytes())
    (folder / "text.txt").write_text(WORDS)
    error = 0.0
    for name in names:
        values = _memory(folder / "changed.gguf", name)
        rounded = edge.quant.decode(GGMLType.Q4_0, edge.quant.encode(GGMLType.Q4_0, values), values.shape)
        rows = np.linspace(0, len(values) - 1, min(256, len(values)), dtype=int)
        error += np.square(rounded - values)[rows].sum() / np.square(values)[rows].sum()
        values[:] = rounded
        values.flush()
    found = measure(
        folder / "changed.gguf", path, text=folder / "text.txt", max_tokens=400,
        loading=LoadOptions(kv_type="f32", no_cache=True),
    )  # fmt: skip
    assert found.mean_kld is not None
    return found.mean_kld / error


def test_sensitivity_is_divergence_over_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "TYPES", ("Q4_0",))
    path = write_model(tmp_path / "model.gguf", Shape("llama", num_hidden_layers=1, vocab_size=300), 1)
    unused = _memory(path, "blk.0.attn_output.weight")
    unused[:] = 0
    unused.flush()
    before = path.read_bytes()
    plan = _plan(path)
    assert len(plan.groups) == 9 and {len(group) for group in plan.groups} == {1} and not plan.is_much
    seen: list[tuple[int, int]] = []
    found = measure_sensitivity(
        path,
        encode,
        plan._replace(num_tokens=400),
        text=TEXT,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert path.read_bytes() == before
    assert len(found) == 9 and seen == [(n, 9) for n in range(1, 10)]
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        assert found[f"blk.0.{name}.weight"] == 0
    # The files hold rounded values as floats, the probe multiplies their blocks with int8: nearly the same.
    for name in ("blk.0.ffn_down.weight", "output.weight", "token_embd.weight"):
        assert found[name] == pytest.approx(_by_hand(path, tmp_path, (name,)), rel=0.05)


def test_a_group_costs_what_it_costs_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "TYPES", ("Q4_0",))
    path = write_model(tmp_path / "model.gguf", Shape("llama", vocab_size=300), 1)
    group = tuple(f"blk.{layer}.ffn_up.weight" for layer in range(2))
    found = measure_sensitivity(path, encode, Probes((group, ("output.weight",)), 400, 0.0), text=TEXT)
    assert found.keys() == {*group, "output.weight"} and found[group[0]] == found[group[1]]
    assert found[group[0]] == pytest.approx(_by_hand(path, tmp_path, group), rel=0.05)
    assert found["output.weight"] != found[group[0]]


def test_probes_are_fewer_where_they_are_much_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path / "model.gguf", Shape("llama", num_hidden_layers=6), 1)
    with open_gguf(path) as file:
        weights = sum(int(np.prod(info.shape)) for info in file.tensors.values() if len(info.shape) == 2)
    each, least = 6 * 7 + 2 + 1, sensitivity.LEAST_TOKENS  # matrices, and the model as it is
    assert _plan(path)[:2] == (
        tuple((name,) for group in _plan(path).groups for name in group),
        sensitivity.MOST_TOKENS,
    )
    for readings, groups, tokens in ((each, each - 1, least), (3 * 7 + 2 + 1, 3 * 7 + 2, least), (10, 9, least)):
        monkeypatch.setattr(sensitivity, "GOOD_WORK", weights * readings * least)
        plan = _plan(path)
        assert (len(plan.groups), plan.num_tokens, plan.is_much) == (groups, tokens, False)
        assert sum(map(len, plan.groups)) == each - 1
    assert ("blk.0.ffn_up.weight", "blk.1.ffn_up.weight") == next(
        g for g in _thirds(path, monkeypatch) if "_up" in g[0]
    )
    monkeypatch.setattr(sensitivity, "MOST_WORK", weights * 10 * least - 1)
    assert len(_plan(path).groups) == 9 and _plan(path).num_tokens == least and _plan(path).is_much


def _thirds(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[tuple[str, ...], ...]:
    with monkeypatch.context() as patch, open_gguf(path) as file:
        weights = sum(int(np.prod(info.shape)) for info in file.tensors.values() if len(info.shape) == 2)
        patch.setattr(sensitivity, "GOOD_WORK", weights * 24 * sensitivity.LEAST_TOKENS)
        return plan_probes(file).groups


def test_a_file_that_is_quantised_already_is_probed_too(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        plan = plan_probes(file)
    found = measure_sensitivity(tiny_model, encode, plan._replace(num_tokens=400), text=TEXT)
    assert all(cost > 0 for cost in found.values())


def test_a_text_that_is_too_short_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("short")
    with pytest.raises(RequestError, match="give a longer text"):
        measure_sensitivity(tiny_model, encode, _plan(tiny_model), text=read_text(tmp_path / "short.txt"))
