"""The state of a campaign: a JSON file that it goes on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

State = TypeVar("State", bound=Mapping[str, Any])


def load_state(path: Path, fresh: State) -> State:
    """What the file says, or `fresh` where there is none. SystemExit: it belongs to another seed."""
    if not path.exists():
        return fresh
    state: State = json.loads(path.read_text())
    if state.get("seed") != fresh.get("seed"):
        raise SystemExit(f"{path} belongs to seed {state.get('seed')}, not {fresh.get('seed')}: give another --state")
    return state


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1))
    part.replace(path)
