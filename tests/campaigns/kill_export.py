"""Kills a process with SIGKILL while it exports a model, 200 times: the file is the old one or the new one, never half.

    python tests/campaigns/kill_export.py --kills 200 --state kill_export.json

The state file holds seed, kills done, how often the old and the new version were found, and findings; it is written
after every kill: started again, the campaign goes on where it stopped. A file that is neither is kept beside the state,
as kill-export-SEED-N.gguf. The exit code is 1 when there is a finding, or when no kill came before the new name.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.errors import EdgeError  # noqa: E402
from tests.campaigns.state import load_state, save_state  # noqa: E402
from tests.export.folders import write_model  # noqa: E402
from tests.export.killed_export import kill_once  # noqa: E402


class State(TypedDict):
    seed: int
    kills: int
    old: int
    new: int
    findings: list[dict[str, str]]


def campaign(state_path: Path, seed: int, kills: int) -> State:
    """Kills until `kills` are done in all, and returns the totals."""
    state = load_state(state_path, State(seed=seed, kills=0, old=0, new=0, findings=[]))
    with tempfile.TemporaryDirectory(prefix="kill-export-", dir=state_path.absolute().parent) as name:
        folder, path, taken = write_model(Path(name) / "model"), Path(name) / "out.gguf", 0.0
        while state["kills"] < kills:
            number = state["kills"]
            try:
                found, taken = kill_once(folder, path, random.Random(f"{seed}/{number}"), taken)
            except (AssertionError, EdgeError) as error:
                kept = state_path.with_name(f"kill-export-{seed}-{number}.gguf")
                shutil.copy(path, kept)
                path.unlink()
                state["findings"].append({"file": kept.name, "problem": str(error)})
            else:
                state["old" if found == "old" else "new"] += 1
            state["kills"] += 1
            for orphan in Path(name).glob(".*.part"):  # hundreds of them would fill the disk within their minute
                orphan.unlink()
            save_state(state_path, state)
    return state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills in all, those of earlier runs included")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path("kill_export.json"))
    arguments = parser.parse_args()
    state = campaign(arguments.state, arguments.seed, arguments.kills)
    print(f"{state['kills']} kills: {state['old']} old, {state['new']} new, {len(state['findings'])} findings")
    return 1 if state["findings"] or not state["old"] else 0


if __name__ == "__main__":
    sys.exit(main())
