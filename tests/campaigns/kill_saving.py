"""Kills a process with SIGKILL while it saves a session, 200 times: the file is the old one or the new one, never half.

    python tests/campaigns/kill_saving.py --kills 200 --state kill_saving.json

tests/campaigns/kills.py says what the state holds, and what the exit code means.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaigns.kills import KillOnce, main  # noqa: E402
from tests.sessions.killed_writer import kill_once  # noqa: E402


def prepare(folder: Path) -> KillOnce:
    return kill_once


if __name__ == "__main__":
    sys.exit(main(__doc__, "kill_saving.json", "session.edge-session", prepare))
