"""Branches of a prompt, measured on a tiny model: that the figures are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from scripts.random_model import write

ROOT = Path(__file__).resolve().parents[2]


def test_runs_and_shares_the_prompt(tmp_path: Path) -> None:
    write("tiny", "Q8_0", tmp_path / "tiny.gguf")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.measure_branches", str(tmp_path / "tiny.gguf"), "--prompt", "200"),
            *("--tokens", "20", "--branches", "3", "--rounds", "2"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    found = re.search(r"branches [\d.]+ tok/s: [\d.]+x; (\d+) KV blocks, 6 of the prompt", lines[1])
    assert found is not None, lines[1]
    assert int(found[1]) <= 6 + 3  # each a last block of its own
