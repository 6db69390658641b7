"""`edge show` and `edge doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

RunEdge = Callable[..., CompletedProcess[str]]


def test_show(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("show", str(tiny_model))
    assert result.returncode == 0
    for words in ("llama", "Q8_0 x 16, F32 x 5", "256 tokens", "gpt2, pre gpt-2, 259 tokens", "apache-2.0", "107,200"):
        assert words in result.stdout


def test_show_json(run_edge: RunEdge, tiny_model: Path) -> None:
    report = json.loads(run_edge("show", str(tiny_model), "--json").stdout)
    assert report["supported"] is True
    assert report["config"]["num_key_value_heads"] == 2
    assert report["types"] == {"Q8_0": 16, "F32": 5}
    assert report["file_bytes"] == tiny_model.stat().st_size
    assert len(report["template"]["sha256"]) == 64
    assert report["metadata"]["general.name"] == "tiny"


def test_show_says_why_a_sound_file_does_not_run(
    run_edge: RunEdge, tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    path = write_model(tmp_path / "other.gguf", architecture="mamba", template=None)
    result = run_edge("show", str(path))
    assert result.returncode == 0
    assert "no: architecture 'mamba' is not supported" in result.stdout
    assert "none in the file" in result.stdout


def test_show_of_a_bad_file(run_edge: RunEdge, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 40)
    result = run_edge("show", str(tmp_path / "bad.gguf"))
    assert result.returncode == 4
    assert result.stderr.count("\n") == 1


def test_doctor(run_edge: RunEdge) -> None:
    result = run_edge("doctor")
    assert "would run" in result.stdout
    assert "native/" in result.stdout
    report = json.loads(run_edge("doctor", "--json").stdout)
    assert "scalar" in report["isa"]["supported"]
    assert report["isa"]["chosen"] in report["isa"]["supported"]
    assert report["threads"] >= 1
    assert report["memory"]["total_bytes"] >= report["memory"]["available_bytes"] > 0


def test_doctor_with_an_unknown_level(run_edge: RunEdge) -> None:
    result = run_edge("doctor", env={"EDGE_ISA": "mmx"})
    assert result.returncode == 1
    assert "mmx" in result.stdout
