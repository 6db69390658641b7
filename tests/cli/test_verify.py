"""`edge verify`: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.backends.registry import BACKENDS
from edge.verify.observe import TEXTS
from tests.cli.conftest import RunEdge
from tests.conftest import WriteModel

needs_llama = pytest.mark.skipif(BACKENDS["llama"].missing is not None, reason=str(BACKENDS["llama"].missing))


@needs_llama
def test_the_command_compares_native_and_llama(run_edge: RunEdge, tmp_path: Path, write_model: WriteModel) -> None:
    done = run_edge("verify", "--threads", "1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["agrees"] and report["reference"]["backend"].startswith("native/")
    other = report["backends"][0]
    assert other["backend"].startswith("llama/") and other["token_ids"] == [len(TEXTS)] * 2 and other["prompt"]
    assert other["mean_kld"] <= report["thresholds"]["mean_kld"] and other["greedy_equal"] == other["num_greedy"]
    one, two = write_model(tmp_path / "one.gguf"), write_model(tmp_path / "two.gguf", seed=5)
    done = run_edge("verify", "--threads", "1", str(one), "--backends", "native", "--with", str(two))
    assert done.returncode == 1 and "DISAGREES" in done.stdout and "mean KL divergence" in done.stdout


def test_the_command_records_and_judges(run_edge: RunEdge, tmp_path: Path, tiny_model: Path) -> None:
    run = tmp_path / "run.json"
    done = run_edge("verify", "--threads", "1", str(tiny_model), "--backends", "native", "--record", str(run))
    assert done.returncode == 0 and done.stdout.startswith("recorded: 64 tokens of native/")
    done = run_edge("verify", "--threads", "1", str(tiny_model), "--backends", "native", "--reference", str(run))
    assert done.returncode == 0 and "64 of 64 tokens are the same" in done.stdout and "bit for bit" in done.stdout
    raw = json.loads(run.read_text())
    raw["tokens"][5] = (raw["tokens"][5] + 1) % 256
    run.write_text(json.dumps(raw))
    done = run_edge("verify", "--threads", "1", str(tiny_model), "--backends", "native", "--reference", str(run))
    assert done.returncode == 1 and "first other token: 5, " in done.stdout and "DISAGREES" in done.stdout
    done = run_edge("verify", "--threads", "1", str(tiny_model), "--backends", "native")
    assert done.returncode == 2 and "there is nothing to compare" in done.stderr
