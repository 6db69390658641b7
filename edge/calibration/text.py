"""The calibration text that ships: prose, dialogue, code, lists, tables and numbers, in several languages."""

from __future__ import annotations

from pathlib import Path

import edge
from edge.errors import EdgeError

__all__ = ["SHIPPED_NAME", "shipped_text"]

SHIPPED_NAME = "calibration.txt"


def shipped_text() -> str:
    """EdgeError when the installation lacks it."""
    candidates = [Path(folder) / "assets" / SHIPPED_NAME for folder in edge.__path__]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    raise EdgeError(f"the calibration text {candidates[0]} is missing from this installation")
