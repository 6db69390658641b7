"""Promise 2 over many settings: the plan is true from both sides, and a control group of plan + 5 % costs no speed.

    python -m tests.campaigns.plan_settings --models build/models --state plan_settings.json

Makes the random models that are missing, runs every setting that the state file does not have yet, each in processes of
its own, and prints a row: planned and peak MiB, milliseconds of a decoded token without a limit and in a control group
of plan + 5 %, and major page faults behind the first token there. Exit code 1 when a setting breaks the promise: the
peak outside [plan - max(24 MiB, 5 %), plan + max(8 MiB, 1 %)], under 95 % of the speed, or a major fault.

Speed is that of the quickest of `--rounds` turns (its median token) with and without the limit, in turn; a setting
that looks slower gets up to three times as many turns: what a limit costs stays, what others on the machine cost goes.
Without a control group that can be made (root, or --cgroup PARENT that is writable) that half is left out, and said.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.memory_group import MemoryGroup, find_parent, forget_pages
from scripts.random_model import write
from tests.campaigns.state import load_state, save_state

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20


def settings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(shape, weights, options of edge.load)."""
    small: list[dict[str, Any]] = [
        {"context": 256},
        {"context": 512, "threads": 1},
        {"context": 2048, "kv_type": "f16"},
        {"context": 2048, "kv_type": "q8", "threads": 1},
        {"context": 4096, "kv_type": "q4"},
        {"context": 1024, "kv_type": "f32", "sequences": 2},
        {"context": 512, "sequences": 4, "kv_type": "q8"},
        {"context": 300, "sequences": 8, "chunk": 32},
        {"context": 700, "chunk": 600, "sequences": 3},
        {"context": 512, "no_cache": True},
        {"context": 512, "residency": "owned"},
        {"context": 1024, "residency": "owned", "threads": 1, "kv_type": "q8"},
    ]
    for (shape, weights), options in itertools.product((("small", "Q8_0"), ("small", "Q4_0")), small):
        yield shape, weights, options
    for weights, options in itertools.product(("Q4_0", "Q8_0"), small[1:11:2]):
        yield "qwen2.5-0.5b", weights, options
    for weights in ("Q4_0", "Q2_K", "Q4_K_M"):
        yield "tinyllama-1.1b", weights, {"context": 256}
        yield "tinyllama-1.1b", weights, {"context": 512, "kv_type": "q8", "threads": 1}
    yield "tinyllama-1.1b", "Q4_0", {"context": 512, "sequences": 2, "chunk": 256}
    yield "tinyllama-1.1b", "Q4_0", {"context": 256, "residency": "owned"}
    yield "tinyllama-1.1b", "Q4_0", {"context": 256, "no_cache": True}


def run(model: Path, options: dict[str, Any], group: MemoryGroup | None) -> dict[str, Any]:
    forget_pages(model, Path(f"{model}.edge-packed"))
    command = [sys.executable, "-m", "tests.memory.decode_in_budget", str(model), json.dumps(options)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=None if group is None else group.join,
    )
    if done.returncode != 0:
        raise SystemExit(f"{model.name} {options}: {done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def measure(model: Path, options: dict[str, Any], parent: Path | None, rounds: int) -> dict[str, Any]:
    free = [run(model, options, None)]
    found = dict(free[0])
    if parent is not None:
        limited: list[dict[str, Any]] = []
        while len(limited) < rounds or ("speed" in problems(found) and len(limited) < 3 * rounds):
            if limited:
                free.append(run(model, options, None))
            with MemoryGroup(parent, int(1.05 * free[0]["planned"])) as group:
                limited.append(run(model, options, group))
            found["decode_seconds"] = min(report["decode_seconds"] for report in free)
            found["limited_seconds"] = min(report["decode_seconds"] for report in limited)
            found["major_faults"] = min(report["major_faults"] for report in limited)
    found["peak"] = max(report["peak"] for report in free)
    return found


def problems(found: dict[str, Any]) -> list[str]:
    planned, peak = found["planned"], found["peak"]
    broken: list[str] = []
    if not planned - max(24 * MIB, planned // 20) <= peak <= planned + max(8 * MIB, planned // 100):
        broken.append("peak")
    if "limited_seconds" in found:
        if found["limited_seconds"] > found["decode_seconds"] / 0.95:
            broken.append("speed")
        if found["major_faults"] > 0:
            broken.append("faults")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=ROOT / "build" / "models")
    parser.add_argument("--state", type=Path, default=Path("plan_settings.json"))
    parser.add_argument("--cgroup", type=Path, help="parent of the control groups (default: the machine's own)")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    parent = args.cgroup or find_parent()
    if parent is None:
        print("no control group can be made here: peaks only")
    state = load_state(args.state, dict[str, Any]())
    args.models.mkdir(parents=True, exist_ok=True)
    bad = 0
    print(f"{'planned':>8} {'peak':>8} {'ms free':>8} {'limited':>8} {'faults':>6}  setting")
    for shape, weights, options in settings():
        key = f"{shape} {weights} {json.dumps(options)}"
        if key not in state:
            model = args.models / f"{shape}-{weights}.gguf"
            if not model.exists():
                write(shape, weights, model)
            state[key] = measure(model, options, parent, args.rounds)
            save_state(args.state, state)
        found, broken = state[key], problems(state[key])
        bad += bool(broken)
        limited = f"{1e3 * found['limited_seconds']:8.2f}" if "limited_seconds" in found else f"{'-':>8}"
        print(
            f"{found['planned'] / MIB:8.1f} {found['peak'] / MIB:8.1f} {1e3 * found['decode_seconds']:8.2f} {limited} "
            f"{found['major_faults']:6d}  {key}{'  BROKEN: ' + ', '.join(broken) if broken else ''}",
            flush=True,
        )
    print(f"{len(state)} settings, {bad} break the promise")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
