"""What an adapter costs, measured on a tiny model: that the figures are there, and the shares they are held against."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.random_model import SHAPES, write

ROOT = Path(__file__).resolve().parents[2]
RANK = 4


def test_figures(tmp_path: Path) -> None:
    write("tiny", "Q8_0", tmp_path / "tiny.gguf")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.measure_adapters", str(tmp_path / "tiny.gguf"), "--rank", str(RANK)),
            *("--prompt", "70", "--decode", "5", "--rounds", "1", "--output", str(tmp_path / "report.json")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["tiny.gguf,", "token", "prompt"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert all(seconds > 0 for seconds in report["seconds"].values())
    shape = SHAPES["tiny"]
    sides = [(shape.heads * shape.head_dim, shape.hidden)] * 2 + [(shape.kv_heads * shape.head_dim, shape.hidden)] * 2
    sides += [(shape.ffn, shape.hidden)] * 3
    own = shape.layers * sum(rows * cols for rows, cols in sides)
    extra = shape.layers * sum(RANK * (rows + cols) for rows, cols in sides)
    assert report["share_of_multiplications"] == pytest.approx(extra / (own + shape.vocab * shape.hidden))
    assert 2 * extra <= report["adapter_bytes"] < 16 * extra  # F16; a tile has 16 rows, of which the rank fills few
