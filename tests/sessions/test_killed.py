"""kill -9 in the middle of saving leaves the old session or the new one. tests/campaigns/kill_saving.py: 200 times."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from edge.sessions.writer import write_saved
from tests.sessions.killed_writer import NUM_BLOCKS, blocks_of, contents_of, kill_once, version_in

KILLS = 4


def test_old_or_new_never_half(tmp_path: Path) -> None:
    path, rng, taken = tmp_path / "a.edge-session", random.Random(3), 0.0
    for _ in range(KILLS):
        taken = kill_once(path, rng, taken)[1]
    left = [entry for entry in tmp_path.iterdir() if entry != path]
    for entry in left:  # what killed writers left is removed by the next, once it is surely nobody's
        os.utime(entry, (time.time() - 100, time.time() - 100))
    version = version_in(path) + 1
    write_saved(path, contents_of(version), NUM_BLOCKS, blocks_of(version))
    assert list(tmp_path.iterdir()) == [path] and version_in(path) == version
