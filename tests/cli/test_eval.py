"""`edge eval`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from edge.formats.types import GGMLType

RunEdge = Callable[..., CompletedProcess[str]]


def test_eval_against_another_file(run_edge: RunEdge, tmp_path: Path, write_model: Callable[..., Path]) -> None:
    source = write_model(tmp_path / "source.gguf", kind=GGMLType.F32)
    small = write_model(tmp_path / "small.gguf", kind=GGMLType.Q4_0)
    result = run_edge("eval", str(small), "--against", str(source), "--tokens", "600", "--window", "128")
    assert result.returncode == 0, result.stderr
    for words in ("shipped text", "595 tokens in 5 windows of at most 128", "mean KLD", "same top token"):
        assert words in result.stdout
    report = json.loads(
        run_edge("eval", str(small), "--against", str(source), "--tokens", "600", "--window", "128", "--json").stdout
    )
    assert report["num_windows"] == 5 and report["num_positions"] == 600 - 5
    assert 0 < report["mean_kld"] < report["p99_kld"] <= report["max_kld"]
    assert 0 < report["top1"] < 1 and report["reference"] == str(source)


def test_wrong_use_is_one_sentence(run_edge: RunEdge, tiny_model: Path) -> None:
    for arguments, words in (
        (("--against", "assistant"), "only models of one vocabulary can be compared"),
        (("--text", "/nowhere/text.txt"), "text /nowhere/text.txt: No such file"),
        (("--own-text", "--text", "x"), "choose one"),
        (("--window", "3"), "window is 3; it must be at least 64 tokens"),
        (("--kv-type", "q3"), "kv_type is 'q3'"),
    ):
        result = run_edge("eval", str(tiny_model), *arguments)
        assert result.returncode == 2 and result.stderr.count("\n") == 1
        assert words in result.stderr
