"""Where the user's data lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["user_data_folder"]


def user_data_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """edge's folder for the user's data (XDG Base Directory Specification), None when there is no home."""
    named = environment.get("XDG_DATA_HOME", "")
    if os.path.isabs(named):  # the specification ignores others
        return Path(named) / "edge"
    home = environment.get("HOME", "")
    if not os.path.isabs(home):
        return None
    return Path(home) / ("Library/Application Support" if platform == "darwin" else ".local/share") / "edge"
