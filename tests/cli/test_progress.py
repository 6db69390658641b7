"""The progress bar: silent for the first second and off a terminal, wiped at the end; control characters never pass."""

from __future__ import annotations

import io

import pytest

from edge.cli.progress import ProgressBar
from edge.cli.terminal import harmless


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_in_the_first_second_then_a_bar_that_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, screen = Clock(), Screen(terminal=True)
    monkeypatch.setattr("sys.stderr", screen)
    with ProgressBar("prefill", " tokens", clock=clock) as bar:
        clock.now += 0.9
        bar(10, 100)
        assert screen.getvalue() == ""
        clock.now += 0.2
        bar(50, 100)
        assert "prefill" in screen.getvalue()
        assert "50/100 tokens" in screen.getvalue()
        clock.now += 0.01
        bar(51, 100)
        assert "51/100" not in screen.getvalue()  # not drawn more often than anyone can see
    assert screen.getvalue().endswith("\r\x1b[K")


def test_nothing_when_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, screen = Clock(), Screen(terminal=False)
    monkeypatch.setattr("sys.stderr", screen)
    with ProgressBar("prefill", clock=clock) as bar:
        clock.now += 10
        bar(1, 2)
    assert screen.getvalue() == ""


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert harmless("a\x1b[2Jb\x07\x9b31mc\td\né€\x7f") == "a[2Jb31mc\td\né€"


def test_the_speed_is_of_the_last_label_and_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("sys.stderr", screen := Screen(terminal=True))
    bar = ProgressBar("checking", " MiB", 2**20, rate=True, clock=clock)
    bar(0, 1000 << 20)
    clock.now += 2
    bar(400 << 20, 1000 << 20)
    assert screen.getvalue().endswith("400/1000 MiB 200.0 MiB/s, 0:03 left\x1b[K")
    bar.label = "downloading"
    clock.now += 1
    bar(400 << 20, 1000 << 20)
    assert screen.getvalue().endswith("400/1000 MiB\x1b[K")
    clock.now += 5
    bar(410 << 20, 1000 << 20)
    assert screen.getvalue().endswith("410/1000 MiB 2.0 MiB/s, 4:55 left\x1b[K")
