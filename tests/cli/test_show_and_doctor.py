"""`edge show` and `edge doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from edge.cli import main
from edge.probe import Finding, Sample
from edge.profiles import Machine, Profile, load_profile, to_toml
from edge.profiles.records import Device, Evidence, Read
from edge.tuning.places import ProfilePlaces

_PROOF = Evidence(measured=True, method="m")
READS = (
    Read(threads=1, residency="mapped", gb_s=10, evidence=_PROOF),
    Read(threads=1, residency="owned", gb_s=20, evidence=_PROOF),
)

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


def test_show_of_a_bad_folder(run_edge: RunEdge, tmp_path: Path) -> None:
    (tmp_path / "genai_config.json").write_text("{}")
    result = run_edge("show", str(tmp_path))
    assert result.returncode == 4
    assert "genai_config.json: missing key 'model.decoder'" in result.stderr


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


def test_doctor_says_what_it_chooses_and_why(run_edge: RunEdge, tmp_path: Path) -> None:
    env = {"EDGE_CACHE_DIR": str(tmp_path / "cache"), "EDGE_PROFILE": ""}
    report = json.loads(run_edge("doctor", "--json", "--threads", "1", env=env).stdout)
    assert report["chosen"]["source"] == "no profile: `edge doctor --save` measures one"
    assert report["chosen"]["reasons"]["decode_threads"] == "as asked"
    assert report["expected"] is None
    assert report["backends"][0] == "native"
    assert ("llama" in report["backends"]) == (not any("llama_cpp" in text for text in report["backends_missing"]))
    assert report["disk"]["folder"] == str(tmp_path / "cache")
    assert report["disk"]["free_bytes"] > 0
    assert not (tmp_path / "cache").exists()  # looking changes nothing


def test_doctor_uses_a_named_profile(run_edge: RunEdge, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(to_toml(Profile(device=Device(name="d", kind="other", machine="m"), reads=READS)))
    result = run_edge("doctor", env={"EDGE_PROFILE": str(profile)})
    assert result.returncode == 0
    assert str(profile) in result.stdout
    assert "at most 20 tok/s from 1 GB of weights: reads of 20 GB/s (predicted)" in result.stdout
    assert "weights owned" in result.stdout
    assert "residency: 10 GB/s mapped, 20 owned" in result.stdout
    assert "weights mapped" in run_edge("doctor", env={"EDGE_PROFILE": str(profile), "EDGE_RESIDENCY": "mapped"}).stdout


def test_doctor_with_a_broken_profile(run_edge: RunEdge, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text("format = 1\n[device]\nname = 5")
    result = run_edge("doctor", env={"EDGE_PROFILE": str(profile)})
    assert result.returncode == 1
    assert f"{profile}: device" in result.stdout
    assert run_edge("doctor", "--model", "assistant").returncode == 2


def test_doctor_save_refuses_what_it_cannot_write_at_once(run_edge: RunEdge, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path, tmp_path / "file" / "p.toml"):
        result = run_edge("doctor", "--save", str(path))
        assert result.returncode == 2
        assert f"{path} cannot be written" in result.stderr


def test_doctor_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With a machine that is measured in no time; tests/probe measures."""
    for name, value in {"EDGE_CACHE_DIR": str(tmp_path), "EDGE_PROFILE": ""}.items():
        monkeypatch.setenv(name, value)
    used: dict[str, object] = {}

    def probe(machine: Machine, folder: Path, **options: object) -> Finding:
        used.update(options, folder=folder)
        profile = Profile(device=machine.device, cores=machine.cores, reads=READS)
        return Finding(profile, ("not measured: this: no time", "not measured: that: no time"))

    monkeypatch.setattr("edge.cli.doctor_save.full_probe", probe)
    assert main(["doctor", "--save", "--model", "assistant"]) == 0
    saved = ProfilePlaces.of(Machine.here(), {"EDGE_CACHE_DIR": str(tmp_path)}).saved
    assert saved is not None
    out = capsys.readouterr().out
    assert f"written to {saved}" in out
    assert "residency: 10 GB/s mapped, 20 owned" in out
    assert "not measured: this: no time, and 1 more figures" in out
    assert isinstance(used["sample"], Sample)
    assert used["folder"] == saved.parent
    assert load_profile(saved).reads == READS
    assert main(["doctor", "--save", str(tmp_path / "other.toml"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["profile"] == str(tmp_path / "other.toml")
    assert len(report["missing"]) == 2
    assert report["chosen"] is None
    assert used["sample"] is None


def test_doctor_with_an_unknown_level(run_edge: RunEdge) -> None:
    result = run_edge("doctor", env={"EDGE_ISA": "mmx"})
    assert result.returncode == 1
    assert "mmx" in result.stdout
