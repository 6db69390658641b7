"""Packed files as the user of the command meets them: a model of 40 MB, large enough for one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import edge
from edge.export.gguf_writer import GGUFWriter, Value
from edge.formats.types import GGMLType
from edge.profiles import Machine, Profile, to_toml
from edge.profiles.records import Device, Evidence, Read
from edge.tuning.places import ProfilePlaces
from tests.conftest import byte_tokens

RunEdge = Callable[..., CompletedProcess[str]]
HIDDEN, FF = 256, 49152
RESIDENCIES = (("mapped", 10), ("owned", 20))


def write_large(path: Path) -> None:
    """One layer with a wide feed-forward part; Q8_0."""
    rng, writer = np.random.default_rng(0), GGUFWriter(path)
    tokens = byte_tokens()
    tokens[255] = "he"
    values: dict[str, Value] = {
        "general.architecture": "llama",
        "llama.context_length": 64,
        "llama.block_count": 1,
        "llama.embedding_length": HIDDEN,
        "llama.feed_forward_length": FF,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 10000.0,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.merges": ["h e"],
        "tokenizer.ggml.eos_token_id": 0,
    }
    for key, value in values.items():
        writer.add(key, value)

    def matrix(name: str, rows: int, cols: int) -> None:
        blocks = rng.integers(0, 256, (rows * cols // 32, 34), dtype=np.uint8)
        blocks[:, :2] = np.frombuffer(np.float16(0.002).tobytes(), np.uint8)
        writer.add_tensor(name, GGMLType.Q8_0, (rows, cols), blocks.tobytes())

    matrix("token_embd.weight", 256, HIDDEN)
    matrix("output.weight", 256, HIDDEN)
    for name, rows, cols in (
        ("attn_q", HIDDEN, HIDDEN),
        ("attn_k", HIDDEN // 2, HIDDEN),
        ("attn_v", HIDDEN // 2, HIDDEN),
        ("attn_output", HIDDEN, HIDDEN),
        ("ffn_gate", FF, HIDDEN),
        ("ffn_up", FF, HIDDEN),
        ("ffn_down", HIDDEN, FF),
    ):
        matrix(f"blk.0.{name}.weight", rows, cols)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", GGMLType.F32, (HIDDEN,), np.ones(HIDDEN, np.float32).tobytes())
    writer.finish()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.gguf"
    write_large(path)
    return path


@pytest.fixture(autouse=True)
def no_packed_file(large: Path) -> None:
    large.with_name("large.gguf.edge-packed").unlink(missing_ok=True)


def run(run_edge: RunEdge, model: Path, *args: str, env: dict[str, str] | None = None) -> CompletedProcess[str]:
    result = run_edge("run", str(model), "hello", "--raw", "--max-tokens", "4", *args, env=env)
    assert result.returncode == 0, result.stderr
    return result


def test_the_first_run_says_where_it_packs_and_the_next_is_silent(run_edge: RunEdge, large: Path) -> None:
    packed = large.with_name("large.gguf.edge-packed")
    first, second = run(run_edge, large), run(run_edge, large)
    note, line = first.stderr.splitlines()
    assert note == f"edge: the weights are packed into {packed}, from where later loads map them"
    (second_line,) = second.stderr.splitlines()
    for text in (line, second_line):
        assert re.search(r" of 3[89]\.\d MiB mapped · peak ", text), text
    owned = run(run_edge, large, "--residency", "owned")
    assert re.search(r" of 3[89]\.\d MiB owned · peak ", owned.stderr)
    assert first.stdout == second.stdout == owned.stdout


def test_no_cache_says_so_and_writes_nothing(run_edge: RunEdge, large: Path) -> None:
    for args, env in ((["--no-cache"], None), ([], {"EDGE_NO_CACHE": "1"})):
        result = run(run_edge, large, *args, env=env)
        assert result.stderr.startswith("edge: the weights are packed in memory, at every load, as no_cache asks\n")
        assert "mapped" not in result.stderr
        assert [path.name for path in large.parent.iterdir()] == ["large.gguf"]


def test_json(run_edge: RunEdge, large: Path) -> None:
    run(run_edge, large)
    report: dict[str, Any] = json.loads(run(run_edge, large, "--json").stdout)
    weights = report["weights"]
    assert weights["residency"] == "mapped"
    assert weights["path"] == str(large) + ".edge-packed"
    assert weights["note"] is None
    assert 0 < weights["resident_bytes"] <= weights["packed_bytes"] + 2**21 + 2**16
    assert weights["huge_bytes"] >= 0


def test_bench_says_whether_a_packed_file_was_there(run_edge: RunEdge, large: Path) -> None:
    args = ("--prompt", "4", "--decode", "2", "--depth", "0", "--threads", "1", "--rounds", "1")
    for extra, packed, residency in (
        ((), "written", "mapped"),
        (("--residency", "owned"), "opened", "owned"),
        (("--no-cache",), "memory", "memory"),
    ):
        result = run_edge("bench", str(large), *args, *extra, "--json")
        (load,) = json.loads(result.stdout)["loads"]
        assert (load["packed"], load["residency"]) == (packed, residency), result.stderr
    table = run_edge("bench", str(large), *args, "--no-cache").stdout
    assert "the weights are packed in memory, at every load, as no_cache asks" in table


def test_the_environment_says_where(run_edge: RunEdge, large: Path, tmp_path: Path) -> None:
    result = run(run_edge, large, env={"EDGE_CACHE_DIR": str(tmp_path), "EDGE_RESIDENCY": "owned"})
    (there,) = (tmp_path / "packed").iterdir()
    assert f"packed into {there}" in result.stderr and " owned " in result.stderr
    assert [path.name for path in large.parent.iterdir()] == ["large.gguf"]


def test_damage_is_found_with_verify(run_edge: RunEdge, large: Path) -> None:
    run(run_edge, large)
    packed = large.with_name("large.gguf.edge-packed")
    with packed.open("r+b") as file:
        file.seek(-10_000_000, 2)
        file.write(b"damage")
    assert "CRC-32" not in run(run_edge, large).stderr
    assert "have CRC-32" in run(run_edge, large, "--verify").stderr
    assert run(run_edge, large, "--verify").stderr.count("\n") == 1


def test_a_profile_decides_and_options_win(run_edge: RunEdge, large: Path, tmp_path: Path) -> None:
    proof = Evidence(measured=True, method="m")
    reads = tuple(Read(threads=1, residency=name, gb_s=gb_s, evidence=proof) for name, gb_s in RESIDENCIES)
    profile = tmp_path / "mine.toml"
    profile.write_text(to_toml(Profile(device=Device(name="d", kind="other", machine="m"), reads=reads)))
    env = {"EDGE_PROFILE": str(profile)}
    run(run_edge, large)
    report: dict[str, Any] = json.loads(run(run_edge, large, "--json", env=env).stdout)
    assert report["weights"]["residency"] == "owned"
    assert report["tuning"]["source"] == str(profile)
    assert report["tuning"]["reasons"]["residency"] == "10 GB/s mapped, 20 owned"
    report = json.loads(run(run_edge, large, "--json", "--residency", "mapped", env=env).stdout)
    assert report["weights"]["residency"] == "mapped"
    assert report["tuning"]["reasons"]["residency"] == "as asked"


def test_a_broken_saved_profile_does_not_stop_a_run(run_edge: RunEdge, large: Path, tmp_path: Path) -> None:
    saved = ProfilePlaces.of(Machine.here(), {"EDGE_CACHE_DIR": str(tmp_path)}).saved
    assert saved is not None
    saved.parent.mkdir()
    saved.write_text("format = 1\n[device]\nname = 5\n")
    settings = ("--threads", "1", "--residency", "mapped")  # nothing is open, so nothing is probed
    result = run(run_edge, large, *settings, env={"EDGE_CACHE_DIR": str(tmp_path), "EDGE_PROFILE": ""})
    assert result.returncode == 0
    assert f"the device profile is not used: {saved}: device" in result.stderr
    named = run_edge("run", str(large), "a", env={"EDGE_PROFILE": str(saved)})
    assert named.returncode == 1
    assert f"{saved}: device" in named.stderr


def test_an_unknown_residency_is_wrong_usage(run_edge: RunEdge, large: Path) -> None:
    for args, env in ((["--residency", "half"], None), ([], {"EDGE_RESIDENCY": "half"})):
        result = run_edge("run", str(large), "hello", *args, env=env)
        assert result.returncode == 2
        assert result.stderr == "edge: residency is 'half'; it must be one of mapped, owned\n"


def test_the_library_takes_the_same(large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_NO_CACHE", "yes")
    with edge.load(large) as model:
        assert model.weights.residency == "memory"
    monkeypatch.setenv("EDGE_CACHE_DIR", str(tmp_path))
    with edge.load(large, no_cache=False, residency="owned") as model:
        assert model.weights.residency == "owned"
        assert str(model.weights.path).startswith(str(tmp_path))
    with pytest.raises(edge.RequestError, match="closed"):
        _ = model.weights
