"""A stream beside a prompt, measured on a tiny model: that the figures are there and mean what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.measure_mixed import Mixed, lines
from scripts.random_model import write

ROOT = Path(__file__).resolve().parents[2]


def test_runs_under_both_schedules(tmp_path: Path) -> None:
    write("tiny", "Q8_0", tmp_path / "tiny.gguf")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.measure_mixed", str(tmp_path / "tiny.gguf"), "--prompt", "300"),
            *("--tokens", "24", "--rounds", "1", "--threads", "1", "--output", str(tmp_path / "out.json")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    results = json.loads((tmp_path / "out.json").read_text())
    for schedule in ("latency", "throughput"):
        figures = results[schedule]
        assert 0 < figures["solo_median"] <= figures["solo_p99"]
        assert 0 < figures["mixed_median"] <= figures["mixed_p99"]
        assert figures["prompt_alone_tok_s"] > 0
        assert figures["together_seconds"] > 0


def test_ratios() -> None:
    result = Mixed(0.01, 0.012, 0.018, 0.02, 100.0, 82.0, 9.0, 10.0)
    assert result.slowdown == pytest.approx(2.0)
    assert result.prompt_share == pytest.approx(0.82)
    assert result.total_share == pytest.approx(0.9)
    assert "2.00x at the 99th percentile" in lines("latency", result)[0]
    assert lines("throughput", result)[0].endswith(": 90 % of the work a second")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.measure_mixed", str(tmp_path / "no.gguf")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "no.gguf" in done.stderr
    assert "Traceback" not in done.stderr
