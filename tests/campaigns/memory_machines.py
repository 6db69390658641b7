"""Runs the state machines of the block manager and the engine for a number of steps.

    python tests/campaigns/memory_machines.py --steps 1000000 --state memory_machines.json

Steps are rules that Hypothesis chose, in examples of at most 100; the engine's machine does one for every hundred of
the block manager's. Chunk N depends on the seed and N alone. The state file holds seed, counts and findings, and is
written after every chunk, with a line on standard output: started again, the campaign goes on where it stopped. A
finding is the traceback with Hypothesis's smallest example. The exit code is 1 when there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hypothesis import HealthCheck, seed, settings  # noqa: E402
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402  # pyright: ignore[reportUnknownVariableType]

from tests.campaigns.state import load_state, save_state  # noqa: E402
from tests.engine.machines import BlockMachine, EngineMachine  # noqa: E402

STEPS_PER_EXAMPLE = 100
BLOCK_EXAMPLES = 500  # in a chunk; fewer would leave too few to the engine, of which the first are trivial
ENGINE_SHARE = 100  # steps of the block manager for one of the engine


class State(TypedDict):
    seed: int
    chunks: int
    block_steps: int
    engine_steps: int
    sequences_compared: int
    preemptions: int
    seconds: float
    findings: list[dict[str, str]]


def _load(path: Path, seed_number: int) -> State:
    return load_state(
        path,
        State(
            seed=seed_number,
            chunks=0,
            block_steps=0,
            engine_steps=0,
            sequences_compared=0,
            preemptions=0,
            seconds=0.0,
            findings=[],
        ),
    )


def _run(machine: type[BlockMachine] | type[EngineMachine], examples: int, number: int, state: State) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS_PER_EXAMPLE,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    )
    try:
        run_state_machine_as_test(seed(number)(machine), settings=chosen)
    except Exception:
        name = machine.__mro__[1].__name__
        state["findings"].append({"machine": name, "seed": str(number), "traceback": traceback.format_exc()})


def campaign(state_path: Path, seed_number: int, steps: int, block_examples: int = BLOCK_EXAMPLES) -> State:
    """Goes on until so many steps of the block manager are done in all (0: until interrupted)."""
    state = _load(state_path, seed_number)
    while not steps or state["block_steps"] < steps:
        start = time.perf_counter()
        number = seed_number * 1_000_000 + state["chunks"]

        class Blocks(BlockMachine):
            """With counters of its own."""

        class Engines(EngineMachine):
            """With counters of its own."""

        _run(Blocks, block_examples, number, state)
        due = (state["block_steps"] + Blocks.steps) // ENGINE_SHARE - state["engine_steps"]
        _run(Engines, max(1, due // STEPS_PER_EXAMPLE), number, state)
        state["block_steps"] += Blocks.steps
        state["engine_steps"] += Engines.steps
        state["sequences_compared"] += Engines.num_compared
        state["preemptions"] += Engines.num_preempted
        state["chunks"] += 1
        state["seconds"] += time.perf_counter() - start
        save_state(state_path, state)
        print(summary(state), flush=True)
    return state


def summary(state: State) -> str:
    return (
        f"{state['block_steps']} steps of the block manager, {state['engine_steps']} of the engine, "
        f"{state['preemptions']} preemptions, {state['sequences_compared']} sequences equal to a fresh run, "
        f"{len(state['findings'])} findings, {state['seconds']:.0f} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps in all; 0 runs until interrupted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path("memory_machines.json"))
    arguments = parser.parse_args()
    try:
        state = campaign(arguments.state, arguments.seed, arguments.steps)
    except KeyboardInterrupt:
        state = _load(arguments.state, arguments.seed)
    return 1 if state["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
