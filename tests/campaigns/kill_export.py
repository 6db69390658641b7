"""Kills a process with SIGKILL while it exports a model, 200 times: the file is the old one or the new one, never half.

    python tests/campaigns/kill_export.py --kills 200 --state kill_export.json

tests/campaigns/kills.py says what the state holds, and what the exit code means.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaigns.kills import KillOnce, main  # noqa: E402
from tests.export.folders import write_model  # noqa: E402
from tests.export.killed_export import kill_once  # noqa: E402


def prepare(folder: Path) -> KillOnce:
    return partial(kill_once, write_model(folder / "model"))


if __name__ == "__main__":
    sys.exit(main(__doc__, "kill_export.json", "out.gguf", prepare))
