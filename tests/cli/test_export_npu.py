"""`edge export --to npu`: what it writes and says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import RunEdge
from tests.npu.models import BUNDLED

DEVICE = ("--to", "npu", "--device", "snapdragon-8-gen-3")
SMALL = ("--chunk", "16", "--context", "64", "--kv-bits", "16")


def test_a_folder_and_its_report(run_edge: RunEdge, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
    target = tmp_path / "out"
    made = run_edge("export", str(BUNDLED), *DEVICE, *SMALL, "-o", str(target), "--json")
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert report["path"] == str(target) and report["device"] == "snapdragon-8-gen-3" and report["compiled"] is None
    assert (report["chunk"], report["context"], report["kv_bits"], report["weights"]) == (16, 64, 16, "int8")
    names = ["decode.onnx", "encodings.json", "head.onnx", "host.bin", "npu.json", "prefill.onnx", "tokenizer.gguf"]
    assert sorted(report["files"]) == [*names, "weights.bin"]
    assert report["bytes"] == sum(path.stat().st_size for path in target.iterdir())
    again = run_edge("export", str(BUNDLED), *DEVICE, *SMALL, "-o", str(target))
    assert again.returncode == 2 and "is there already" in again.stderr


@pytest.mark.parametrize(("arguments", "said"), [
    (("--to", "npu"), "--to npu needs --device: intel-core-ultra-7-155u, snapdragon-8-gen-3"),
    (("--to", "npu", "--device", "raspberry-pi-5"), "the profile raspberry-pi-5 has no [npu]"),
    (("--to", "npu", "--device", "nonsense"), "no device profile 'nonsense'"),
    (("--device", "snapdragon-8-gen-3"), "--device goes with --to npu, not with --to gguf"),
    ((*DEVICE, "--quant", "Q4_K_M"), "--to npu has types of its own"),
    ((*DEVICE, "--weights", "int8x32", "--compile"), "weights are int8x32, which qnn is not given: Qualcomm's"),
    ((*DEVICE, "--chunk", "1"), "chunk is 1; it must be from 2 to 1024"),
    ((*DEVICE, "--context", "100000"), "context is 100000, the model has 2048"),
])  # fmt: skip
def test_refused(run_edge: RunEdge, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run_edge("export", str(BUNDLED), *arguments, "-o", str(tmp_path / "out"))
    assert result.returncode == 2 and said in result.stderr, result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_profile_of_ones_own(run_edge: RunEdge, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'format = 1\n[device]\nname = "Mine"\nkind = "phone"\nmachine = "aarch64"\n[npu]\nname = "Hexagon V79"\n'
        'provider = "qnn"\noptions = ["backend_type=htp", "htp_arch=79"]\non_cpu = ["embeddings", "head", "outliers"]\n'
        'weights = "int4x32"\nchunk = 16\nmeasured = false\nsource = "https://example.com/"\n'
    )
    made = run_edge("export", str(BUNDLED), "--to", "npu", "--device", str(profile), "--context", "64", "-o",
                str(tmp_path / "out"), "--activation-bits", "8", "--json")  # fmt: skip
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert (report["device"], report["weights"], report["chunk"]) == ("mine", "int4x32", 16)
    assert report["shadows"] > 0 and report["graphs"] > 1
