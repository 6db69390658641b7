"""Kills an assistant with SIGKILL while it works, again and again, and looks whether all that it acknowledged is there.

    python tests/campaigns/kill_assistant.py --kills 200 [--seed 1] [--data DIR]

Each round starts a process on the same folder. It writes one line for each request that the assistant said was done,
with what must be found afterwards; a random moment later it is killed. Then the database is opened, and every line of
every round so far is looked for: notes, list items, timers, history. Prints one line a round and exits with 1 at the
first loss.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_WORKER = """
import sys
from pathlib import Path
from edge.assistant import Assistant, AssistantSettings
from tests.apps.assistant.scripted import ScriptedModel, in_turn

folder, round_ = Path(sys.argv[1]), sys.argv[2]
with Assistant(ScriptedModel(in_turn()), AssistantSettings(folder), consent=lambda call: "once") as assistant:
    print("notice", *assistant.notices, flush=True) if assistant.notices else print("ready", flush=True)
    conversation, number = None, 0
    while True:
        word = f"{round_}-{number}"
        kind = ("note", "item", "timer", "file")[number % 4]
        request = {
            "note": f"/add_note text={word}",
            "item": f"/add_to_list list=kill items={word}",
            "timer": f"/set_timer duration=9h label={word}",
            "file": f"/write_file path=kill/{word}.txt text={word}",
        }[kind]
        turn = assistant.ask(request, conversation)
        conversation = turn.conversation if number % 50 else None
        print(kind, word, turn.id, turn.status, turn.calls[0].status, flush=True)
        number += 1
"""


class Loss(Exception):
    """Something that was acknowledged is not there."""


def kill_round(folder: Path, number: int, pause: float) -> list[str]:
    """One process, killed after so many seconds of work; the lines that it had written."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(folder), str(number)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.readline()
    if first != "ready\n":
        process.kill()
        raise Loss(f"round {number} did not begin: {first!r}")
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    out = process.stdout.read()
    process.stdout.close()
    process.wait()
    return [line for line in out.splitlines(keepends=True) if line.endswith("\n")]


def check(folder: Path, lines: list[str]) -> None:
    """Every acknowledged line is in the database; the database is sound. Raises Loss."""
    db = sqlite3.connect(folder / "assistant.db")
    try:
        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Loss("the database is damaged")
        notes = {row[0] for row in db.execute("SELECT text FROM notes")}
        items = {row[0] for row in db.execute("SELECT text FROM items")}
        timers = {row[0] for row in db.execute("SELECT label FROM timers WHERE status = 'set'")}
        turns = {row[0]: row[1] for row in db.execute("SELECT id, status FROM turns")}
        found = {"note": notes, "item": items, "timer": timers}
        for line in lines:
            kind, word, turn, status, call = line.split()
            if (status, call) != ("done", "done"):
                raise Loss(f"{line.strip()}: it did not work")
            if kind == "file":
                path = folder / "files" / "kill" / f"{word}.txt"
                if not path.is_file() or path.read_text() != word:
                    raise Loss(f"{path} is lost")
            elif word not in found[kind]:
                raise Loss(f"{kind} {word} is lost")
            if turns.get(int(turn)) != "done":
                raise Loss(f"turn {turn} ({word}) is lost from the history: {turns.get(int(turn))}")
        for path in (folder / "files" / "kill").glob("[0-9]*.txt"):
            if path.read_text() != path.stem:
                raise Loss(f"{path} is half written")
    finally:
        db.close()


def campaign(folder: Path, kills: int, seed: int) -> int:
    """Lines that were acknowledged and found, after all kills."""
    rng, lines = random.Random(seed), list[str]()
    for number in range(kills):
        lines += kill_round(folder, number, rng.random() * 0.3)
        check(folder, lines)
        aside = list(folder.glob("assistant-damaged-*"))
        if aside:
            raise Loss(f"a database was set aside: {aside}")
    return len(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        began = time.monotonic()
        try:
            found = campaign(Path(options.data or temporary), options.kills, options.seed)
        except Loss as loss:
            print(f"LOST: {loss}")
            return 1
        print(f"{options.kills} kills, {found} acknowledged requests, none lost, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
