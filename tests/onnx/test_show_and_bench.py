"""`edge show` and `edge bench` on ONNX folders, and the speed of prompts that one reads for the native engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.backends.registry import BACKENDS
from edge.cli import main
from edge.describe import describe
from edge.describe_onnx import describe_folder, multiplied_bytes
from edge.export.gguf_source import GGUFSource
from edge.export.onnx import OnnxOptions, Rounding
from edge.export.onnx.export import export_onnx
from edge.formats.onnx import open_onnx_folder
from edge.profiles import load_profile
from edge.references import resolve
from tests.onnx.random_models import CONTEXT, VOCAB, write_random

needs_runtime = pytest.mark.skipif(BACKENDS["onnx"].missing is not None, reason=str(BACKENDS["onnx"].missing))


def export(model: Path, folder: Path, **options: Any) -> Path:
    with GGUFSource(model) as source:
        return export_onnx(source, folder, OnnxOptions(**options)).path


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("show") / "assistant.gguf"
    path.write_bytes(resolve(None).read_bytes())
    export(path, path.with_name("assistant-onnx"))
    return path


def test_a_folder_is_described_as_the_file_that_it_was_made_from(bundled: Path) -> None:
    file, folder = describe(bundled), describe_folder(bundled.with_name("assistant-onnx"))
    for key in ("name", "architecture", "num_parameters", "context", "supported"):
        assert folder[key] == file[key], key
    assert folder["types"] == {"8 bits in blocks of 32": 31, "float32": 25}  # q, k and v are one; the table is tied
    assert 9.0 <= folder["bits_per_weight"] < 9.05 and folder["accuracy_levels"] == [4]
    assert folder["operators"]["com.microsoft.GroupQueryAttention"] == 6 == folder["config"]["num_hidden_layers"]
    assert len(folder["source_sha256"]) == 1 and folder["config"]["logits_of"] == "the last token"
    assert folder["tokenizer"]["vocab_size"] == file["tokenizer"]["vocab_size"]
    assert sum(folder["files"].values()) == folder["file_bytes"]


@pytest.mark.parametrize("tied", [False, True])
def test_sizes_of_a_random_model(tied: bool, tmp_path: Path) -> None:
    model = write_random(tmp_path / "m.gguf", "llama", tied=tied)
    folder = export(model, tmp_path / "onnx", rounding=Rounding(4), accuracy_level=0)
    found = describe_folder(folder)
    assert found["num_parameters"] == describe(model)["num_parameters"]
    assert found["context"] == CONTEXT and found["accuracy_levels"] == [0]
    hidden, ff = 128, 256
    layer = hidden * (4 + 2 + 2) * 32 + 32 * 4 * hidden + 3 * hidden * ff
    weights = 2 * layer + VOCAB * hidden
    graph = open_onnx_folder(folder).model.model.graph
    assert multiplied_bytes(graph) == weights * 20 // 32  # 32 codes of four bits and a float
    assert found["bits_per_weight"] == pytest.approx(5, abs=0.1)


def test_show(bundled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(bundled.with_name("assistant-onnx"))
    assert main(["show", folder]) == 0
    said = capsys.readouterr().out
    assert "8 bits in blocks of 32 x 31" in said and "eight bits (accuracy level 4)" in said
    assert "GroupQueryAttention x 6" in said and "runs here     yes" in said
    assert main(["show", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "onnx"
    assert main(["show", str(bundled.parent)]) == 4
    assert "genai_config.json" in capsys.readouterr().err


@needs_runtime
def test_bench_of_a_folder(bundled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(bundled.with_name("assistant-onnx"))
    sizes = ["--prompt", "40", "--decode", "4", "--depth", "0", "--depth", "20", "--rounds", "1", "--threads", "1"]
    assert main(["bench", folder, *sizes, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(item["phase"], item["depth"]) for item in report["results"]] == [
        ("prefill", 0), ("decode", 0), ("prefill", 20), ("decode", 20),
    ]  # fmt: skip
    assert report["loads"][0]["backend"] == "onnx/cpu" and report["loads"][0]["packed"] == "runtime"
    assert report["prefill_tok_s"] > 0 and report["decode_tok_s"] > 0 and report["handed_tok_s"] is None
    assert report["model"]["step_matrix_bytes"] == pytest.approx(2_081_184 * 36 / 32, rel=0.02)
    assert main(["bench", folder, *sizes]) == 0
    assert "weights held as the backend does" in capsys.readouterr().out
    for arguments, reason in {
        ("--batch", "4"): "--batch times steps with the logits of every token",
        ("--isa", "scalar"): "the onnx backend has no such option",
        ("--prefill-backend", "onnx"): "the onnx backend has no such option",
        ("--prompt", "4000"): "the model was made for 2048",
    }.items():
        assert main(["bench", folder, "--rounds", "1", *arguments]) == 2
        assert reason in capsys.readouterr().err


@needs_runtime
def test_bench_of_prompts_that_are_handed_over(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("EDGE_PROFILE")
    sizes = ["--prompt", "100", "--decode", "0", "--depth", "0", "--rounds", "2", "--threads", "1"]
    report: dict[str, Any] = {}
    for _ in range(2):  # the second replaces the first
        assert main(["bench", str(bundled), *sizes, "--prefill-backend", "onnx", "--save", "--json"]) == 0
        read = capsys.readouterr()
        report = json.loads(read.out)
        assert [(item["phase"], item["tokens"]) for item in report["results"]] == [("prefill", 100), ("handed", 96)]
        assert "times the engine's own speed, written to" in read.err
    (path,) = tmp_path.glob("profiles/*.toml")
    (figure,) = load_profile(path).prefills
    assert (figure.backend, figure.provider, figure.model, figure.tokens) == ("onnx", "cpu", "edge assistant", 96)
    assert figure.tok_s == pytest.approx(report["handed_tok_s"], abs=0.01)
    assert figure.native_tok_s == pytest.approx(report["prefill_tok_s"], abs=0.01)
    assert main(["bench", str(bundled), *sizes, "--save"]) == 2
    assert "--save keeps the speed of --prefill-backend" in capsys.readouterr().err
