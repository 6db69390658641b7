"""What the campaigns that kill a writer share: 200 times SIGKILL, and a file that is the old one or the new one.

The state file holds seed, kills done, how often the old and the new version were found, and findings; it is written
after every kill: started again, a campaign goes on where it stopped. A file that is neither is kept beside the state.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from edge.errors import EdgeError
from tests.campaigns.state import load_state, save_state

# (the file, random numbers, seconds that the last undisturbed writer took) -> ("old" or "new", those seconds)
KillOnce = Callable[[Path, random.Random, float], tuple[str, float]]


class State(TypedDict):
    seed: int
    kills: int
    old: int
    new: int
    findings: list[dict[str, str]]


def campaign(state_path: Path, seed: int, kills: int, file_name: str, prepare: Callable[[Path], KillOnce]) -> State:
    """Kills until `kills` are done in all, and returns the totals. prepare: gets the folder that all happens in."""
    state = load_state(state_path, State(seed=seed, kills=0, old=0, new=0, findings=[]))
    with tempfile.TemporaryDirectory(prefix="kill-", dir=state_path.absolute().parent) as folder:
        kill_once, path, taken = prepare(Path(folder)), Path(folder) / file_name, 0.0
        while state["kills"] < kills:
            number = state["kills"]
            try:
                found, taken = kill_once(path, random.Random(f"{seed}/{number}"), taken)
            except (AssertionError, EdgeError) as error:
                kept = state_path.with_name(f"kill-{seed}-{number}-{file_name}")
                shutil.copy(path, kept)
                path.unlink()
                state["findings"].append({"file": kept.name, "problem": str(error)})
            else:
                state["old" if found == "old" else "new"] += 1
            state["kills"] += 1
            for orphan in Path(folder).glob(".*.part"):  # hundreds of them would fill the disk within their minute
                orphan.unlink()
            save_state(state_path, state)
    return state


def main(description: str | None, state_name: str, file_name: str, prepare: Callable[[Path], KillOnce]) -> int:
    """The exit code: 1 when there is a finding, or when no kill came before the new name."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills in all, those of earlier runs included")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path(state_name))
    arguments = parser.parse_args()
    state = campaign(arguments.state, arguments.seed, arguments.kills, file_name, prepare)
    print(f"{state['kills']} kills: {state['old']} old, {state['new']} new, {len(state['findings'])} findings")
    return 1 if state["findings"] or not state["old"] else 0
