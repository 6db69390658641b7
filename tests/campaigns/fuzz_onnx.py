"""Opens mutated ONNX folders in a process of their own, as edge and then as the runtime does: none may die or hang.

    python tests/campaigns/fuzz_onnx.py --runs 2000 --state fuzz_onnx.json
    python tests/campaigns/fuzz_onnx.py --npu --runs 2000 --state fuzz_npu.json    each file of an NPU folder in turn

Run N depends on the seed and N alone. The state file is written every 100 runs: started again, the campaign goes on
where it stopped, and totals add up. A finding is kept beside the state file, as onnx-SEED-N-FILE. The exit code is 1
when there is a finding.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaigns.state import load_state, save_state  # noqa: E402
from tests.conftest import write_tiny_model  # noqa: E402
from tests.onnx.mutations import Opener, mutate, mutate_fields, sound_folder, sound_npu_folder  # noqa: E402

EXPECTED = ("refused", "refused by the runtime", "ran")


class State(TypedDict):
    seed: int
    runs: int
    outcomes: dict[str, int]
    findings: list[dict[str, str]]


def campaign(state_path: Path, seed: int, runs: int, *, npu: bool) -> State:
    """Do `runs` more runs and return the totals."""
    state = load_state(state_path, State(seed=seed, runs=0, outcomes={}, findings=[]))
    last, opener = state["runs"] + runs, Opener()
    with tempfile.TemporaryDirectory(prefix="fuzz-onnx-") as scratch:
        model, folder = write_tiny_model(Path(scratch) / "model.gguf", layers=1), Path(scratch) / "onnx"
        names = sound_npu_folder(model, folder) if npu else sound_folder(model, folder)
        sound = {name: (folder / name).read_bytes() for name in names}
        while state["runs"] < last:
            number = state["runs"]
            name = names[number % len(names)]
            rng = random.Random(seed * 1_000_003 + number)
            change = mutate_fields if name.endswith(".json") and rng.random() < 0.5 else mutate
            broken = change(sound[name], rng)
            (folder / name).write_bytes(broken)
            outcome = opener.outcome(folder)
            (folder / name).write_bytes(sound[name])
            if outcome not in EXPECTED:
                kept = state_path.with_name(f"onnx-{seed}-{number}-{name}")
                kept.write_bytes(broken)
                state["findings"].append({"file": kept.name, "outcome": outcome})
            state["outcomes"][outcome] = state["outcomes"].get(outcome, 0) + 1
            state["runs"] += 1
            if state["runs"] % 100 == 0 or state["runs"] == last:
                save_state(state_path, state)
    opener.close()
    return state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="runs to add")
    parser.add_argument("--npu", action="store_true", help="a folder for NPUs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path("fuzz_onnx.json"))
    arguments = parser.parse_args()
    state = campaign(arguments.state, arguments.seed, arguments.runs, npu=arguments.npu)
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(state["outcomes"].items()))
    print(f"{state['runs']} runs: {said}; {len(state['findings'])} findings")
    return 1 if state["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
