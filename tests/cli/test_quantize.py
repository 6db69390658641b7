"""`edge quantize`: a file with fewer bits that runs, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import edge.quant
from edge.export.gguf_writer import GGUFWriter
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType, type_name
from edge.quant.mixtures import MIXTURES
from edge.quant.names import USES
from tests.cli.conftest import RunEdge
from tests.conftest import WriteModel


@pytest.fixture
def float_model(write_model: WriteModel, tmp_path: Path) -> Path:
    return write_model(tmp_path / "f16.gguf", kind=GGMLType.F16)


def _types(path: Path) -> dict[str, str]:
    with open_gguf(path) as file:
        return {name: type_name(info.type) for name, info in file.tensors.items()}


def test_a_mixture_runs_and_says_what_it_is(run_edge: RunEdge, float_model: Path, tmp_path: Path) -> None:
    target = tmp_path / "q4.gguf"
    done = run_edge("quantize", str(float_model), str(target), "Q4_K_M", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["path"] == str(target) and report["bytes"] == target.stat().st_size
    assert report["notes"] == []
    types = _types(target)
    # no row of this model is a multiple of 256: the fallbacks of Q4_K and Q6_K
    assert types["blk.0.attn_q.weight"] == "Q5_0"
    assert types["output.weight"] == "Q8_0"
    assert types["output_norm.weight"] == "F32"
    assert report["types"] == {name: list(types.values()).count(name) for name in sorted(set(types.values()))}
    with open_gguf(target) as file:
        assert file.get_int("general.file_type") == 15
        assert file.get_int("general.quantization_version") == 2
    ran = run_edge("run", str(target), "hello", "--max-tokens", "4", "--temperature", "0")
    assert ran.returncode == 0, ran.stderr


def test_one_type_for_all(run_edge: RunEdge, float_model: Path, tmp_path: Path) -> None:
    done = run_edge("quantize", str(float_model), str(tmp_path / "q.gguf"), "pure-IQ4_NL", "--threads", "2")
    assert done.returncode == 0, done.stderr
    assert "bits per weight, F32 x 5, IQ4_NL x " in done.stdout
    types = _types(tmp_path / "q.gguf")
    assert {kind for name, kind in types.items() if "norm" not in name} == {"IQ4_NL"}
    with open_gguf(float_model) as source, open_gguf(tmp_path / "q.gguf") as target:
        shape = source.tensors["blk.0.ffn_up.weight"].shape
        values = edge.quant.decode(GGMLType.F16, source.tensor_data("blk.0.ffn_up.weight"), shape)
        stored = bytes(target.tensor_data("blk.0.ffn_up.weight"))
    assert stored == edge.quant.encode(GGMLType.IQ4_NL, values)


def test_export_takes_the_same_names(run_edge: RunEdge, float_model: Path, tmp_path: Path) -> None:
    assert run_edge("quantize", str(float_model), str(tmp_path / "a.gguf"), "Q3_K_M").returncode == 0
    done = run_edge("export", str(float_model), "--quant", "Q3_K_M", "-o", str(tmp_path / "b.gguf"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_a_quantised_source_is_noted(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    done = run_edge("quantize", str(tiny_model), str(tmp_path / "q.gguf"), "Q4_0")
    assert done.returncode == 0, done.stderr
    assert "note: the source is quantised already (Q8_0): its errors stay, and new ones are added" in done.stdout


def test_what_is_refused(run_edge: RunEdge, float_model: Path, tmp_path: Path) -> None:
    done = run_edge("quantize", str(float_model), str(tmp_path / "q.gguf"), "Q9_K")
    assert done.returncode == 2
    assert "'Q9_K' is no type or mixture; there are Q8_0, Q6_K, Q5_K_M" in done.stderr
    done = run_edge("quantize", str(float_model), str(float_model), "Q4_0")
    assert done.returncode == 2
    assert "f16.gguf is there already; --force replaces it" in done.stderr
    done = run_edge("quantize", str(float_model), str(tmp_path / "nowhere" / "q.gguf"), "Q4_0")
    assert done.returncode == 2
    assert "there is no folder" in done.stderr
    done = run_edge("quantize", str(tmp_path / "none.gguf"), str(tmp_path / "q.gguf"), "Q4_0")
    assert done.returncode == 4
    assert not (tmp_path / "q.gguf").exists()


def test_a_weight_that_is_not_a_number_is_refused_by_place(run_edge: RunEdge, tmp_path: Path) -> None:
    values = np.ones((4, 64), np.float32)
    values[2, 33] = np.nan
    writer = GGUFWriter(tmp_path / "nan.gguf")
    writer.add("general.architecture", "llama")
    writer.add_tensor("blk.0.ffn_up.weight", GGMLType.F32, values.shape, values.tobytes())
    writer.finish()
    done = run_edge("quantize", str(tmp_path / "nan.gguf"), str(tmp_path / "q.gguf"), "Q8_0")
    assert done.returncode == 1
    assert "blk.0.ffn_up.weight" in done.stderr
    assert "row 2, column 33 is nan, which a model cannot hold" in done.stderr
    assert not (tmp_path / "q.gguf").exists()


def test_help_says_what_each_mixture_is_for(run_edge: RunEdge) -> None:
    lines = [line.split(maxsplit=1) for line in run_edge("quantize", "--help").stdout.splitlines()]
    listed = {line[0]: line[1] for line in lines if len(line) == 2}
    assert {name: listed.get(name) for name in MIXTURES} == {name: USES[name] for name in MIXTURES}
