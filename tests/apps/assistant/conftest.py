"""An assistant over the bundled model, over a scripted one, and a clock that tests set."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.assistant import Assistant, AssistantSettings, Call, planner
from edge.assistant.consent import Answer


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    from datetime import datetime

    return Clock(datetime(2026, 5, 6, 10, 0).timestamp())  # a Wednesday


@pytest.fixture(scope="session")
def model() -> Generator[edge.Model]:
    with edge.load(sequences=4, no_cache=True) as loaded:
        yield loaded


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Assistant]]:
    """make(model, allow=..., **options of Assistant): closed behind the test."""
    made: list[Assistant] = []

    def build(model: Any, *, data: Path | None = None, **options: Any) -> Assistant:
        settings = {name: options.pop(name) for name in ("allow", "retrieval", "shown_tools") if name in options}
        made.append(Assistant(model, AssistantSettings(data or tmp_path / "data", **settings), **options))
        return made[-1]

    yield build
    for assistant in made:
        assistant.close()


@pytest.fixture
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large models plan in one step, as where llguidance is missing."""

    def find(name: str) -> ModuleSpec | None:
        return None if name == "llguidance" else importlib.util.find_spec(name)

    monkeypatch.setattr(planner, "find_spec", find)


def yes(call: Call) -> Answer:
    """A person who consents to everything."""
    return "once"
