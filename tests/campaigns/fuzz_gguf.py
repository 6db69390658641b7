"""Opens mutated GGUF files without end, or for a number of runs: only ModelFileError may escape.

    python tests/campaigns/fuzz_gguf.py --runs 20000 --state fuzz_gguf.json

Run N depends on the seed and N alone. The state file holds seed, runs done and findings, and is written every 1,000
runs: started again, the campaign goes on where it stopped, and totals add up. A finding is kept beside the state file,
as gguf-SEED-N.gguf, with its traceback in the state. The exit code is 1 when there is a finding.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaigns.state import load_state, save_state  # noqa: E402
from tests.formats.bad_adapters import bad_adapters, sound_adapter  # noqa: E402
from tests.formats.bad_files import bad_files, bad_vocabularies  # noqa: E402
from tests.formats.mutations import mutate, sound_files, use_everything  # noqa: E402


class State(TypedDict):
    seed: int
    runs: int
    refused: int
    seconds: float
    findings: list[dict[str, str]]


def _load(path: Path, seed: int) -> State:
    return load_state(path, State(seed=seed, runs=0, refused=0, seconds=0.0, findings=[]))


def campaign(state_path: Path, seed: int, runs: int, chunk: int = 1000) -> State:
    """Do `runs` more runs (0: until interrupted) and return the totals."""
    state = _load(state_path, seed)
    sound = [*sound_files(), sound_adapter()]
    seeds = sound + [case.content for case in bad_files() + bad_vocabularies() + bad_adapters()]
    last = state["runs"] + runs
    with tempfile.TemporaryDirectory(prefix="fuzz-gguf-") as folder:
        path = Path(folder) / "model.gguf"
        while not runs or state["runs"] < last:
            start = time.perf_counter()
            stop = state["runs"] + chunk if not runs else min(last, state["runs"] + chunk)
            for number in range(state["runs"], stop):
                rng = random.Random(f"{seed}/{number}")
                # half of the runs start from a sound file, half from one that breaks a rule already
                content = mutate(rng.choice(sound if rng.random() < 0.5 else seeds), rng)
                path.write_bytes(content)
                try:
                    state["refused"] += not use_everything(path)
                except Exception:
                    kept = state_path.with_name(f"gguf-{seed}-{number}.gguf")
                    kept.write_bytes(content)
                    state["findings"].append({"file": kept.name, "traceback": traceback.format_exc()})
            state["runs"] = stop
            state["seconds"] += time.perf_counter() - start
            save_state(state_path, state)
    return state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000, help="runs to add; 0 runs until interrupted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path("fuzz_gguf.json"))
    arguments = parser.parse_args()
    try:
        state = campaign(arguments.state, arguments.seed, arguments.runs)
    except KeyboardInterrupt:
        state = _load(arguments.state, arguments.seed)
    findings = len(state["findings"])
    print(f"{state['runs']} runs, {state['refused']} refused, {findings} findings, {state['seconds']:.0f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
