"""The three programs in examples/ run as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _run(name: str, *arguments: str, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_embed_in_a_script() -> None:
    out = _run("embed_in_a_script.py", "add milk to the shopping list", "turn off the hall light")
    assert "milk is on the shopping list now." in out
    assert "I did not run set_light" in out


def test_own_tool() -> None:
    assert _run("own_tool.py", "/roll_dice count=3").strip().endswith("in all.")
    assert "At most twenty dice" in _run("own_tool.py", "/roll_dice count=30")


def test_voice_loop() -> None:
    out = _run("voice_loop.py", said="set a timer for ten minutes\nyes\nturn on the hall light\nno\n")
    assert out.splitlines() == [
        "set timer, 10m. Shall I?",
        "The timer is set for 10 minutes.",
        "set light, hall, on. Shall I?",
        "I did not run set_light: It was not allowed.",
    ]


def test_the_terminal_in_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge", "assistant", "--terminal", "--data", str(tmp_path), "--allow", "add_note"],
        input="note that the bins go out\nturn on the hall light\nwhat is 6 times 7\n",
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.stdout.splitlines() == [
        "The note is written.",
        "I did not run set_light: It was not allowed.",
        "6*7 = 42",
    ]
    assert "nobody can be asked here" in done.stderr and done.returncode == 0
