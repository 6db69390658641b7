"""10,000 requests of 64 clients to a live `edge serve`, half of them aborted at random times.

    python tests/campaigns/serve_load.py --requests 10000 --clients 64 --state serve_load.json

Whoever stays must get what the same request gets alone, and after each round no block, place, descriptor or thread may
be left. The state file holds seed, counts and findings, and is written after every round of 500: started again, the
campaign goes on where it stopped. The exit code is 1 when there is a finding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaigns.state import load_state, save_state  # noqa: E402
from tests.serve.load import check_nothing_is_left, run_load  # noqa: E402
from tests.serve.process import serving  # noqa: E402

ROUND = 500


class State(TypedDict):
    seed: int
    requests: int
    answered: int
    aborted: int
    told_to_come_later: int
    findings: list[str]


def campaign(state_path: Path, seed: int, num_requests: int, num_clients: int) -> State:
    """Asks until num_requests are done in all, and returns the totals."""
    fresh = State(seed=seed, requests=0, answered=0, aborted=0, told_to_come_later=0, findings=[])
    state = load_state(state_path, fresh)
    with serving("--sequences", "4", "--queue", "32") as server:
        run_load(server, num_requests=16, num_clients=4, seed=seed)  # all threads have begun
        server.wait_for("edge_answers_inside", 0)
        descriptors, threads = server.num_descriptors + 1, server.num_threads
        while state["requests"] < num_requests:
            count = min(ROUND, num_requests - state["requests"])
            tally = run_load(
                server, num_requests=count, num_clients=num_clients, seed=seed + 1 + state["requests"] // ROUND
            )
            state["findings"] += tally.wrong[:20]
            try:
                check_nothing_is_left(server, descriptors, threads)
            except AssertionError as error:
                state["findings"].append(f"after {state['requests'] + count} requests: {error}")
            state["requests"] += count
            state["answered"] += tally.answered
            state["aborted"] += tally.aborted
            state["told_to_come_later"] += tally.busy
            save_state(state_path, state)
    return state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path("serve_load.json"))
    arguments = parser.parse_args()
    state = campaign(arguments.state, arguments.seed, arguments.requests, arguments.clients)
    print({name: value for name, value in state.items() if name != "findings"})
    for finding in state["findings"]:
        print(finding)
    return 1 if state["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
