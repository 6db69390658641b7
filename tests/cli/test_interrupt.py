"""Ctrl-C at any moment ends cleanly with 130; a reader that goes away ends quietly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.cli.interrupt import cancelling, forget_interrupt, noticing

PATIENCE = 30.0  # seconds until a hanging process is a failure; machines that run tests may be slow


@pytest.fixture(scope="module")
def long_model(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Path:
    """Room for an answer that takes far longer than the test."""
    return write_model(tmp_path_factory.mktemp("model") / "long.gguf", context=200_000)


def start(environment: dict[str, str], *args: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "edge", *args],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment,
    )


def test_interrupt_while_answering(edge_environment: dict[str, str], long_model: Path) -> None:
    process = start(edge_environment, "run", str(long_model), "hello", "--context", "200000")
    assert process.stdout is not None
    assert process.stdout.read(1)  # the answer has begun
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"ended by cancelled" in errors
    assert b"Traceback" not in errors


def test_interrupt_during_prefill(edge_environment: dict[str, str], long_model: Path, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt"
    prompt.write_text("x" * 150_000)
    with prompt.open() as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", str(long_model), "-", "--context", "200000", "--raw"],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=edge_environment,
        )
    time.sleep(3)
    assert process.poll() is None, "the prompt is too short for this test"
    asked_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert output.strip() == b""
    assert time.monotonic() - asked_at < 5


def test_interrupt_at_any_early_moment(edge_environment: dict[str, str], long_model: Path) -> None:
    """While Python itself starts it ends the process by the signal; from our first line on it is always 130.

    Python may also lose a signal while it starts (an exception in a finaliser is dropped): then a second one must do.
    """
    for delay in (0.15, 0.25, 0.4, 0.8):
        process = start(edge_environment, "run", str(long_model), "hello", "--context", "200000")
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=PATIENCE / 3)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode in (130, -signal.SIGINT)


def test_an_interrupt_that_python_dropped_still_counts() -> None:
    with noticing():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)  # as if dropped: nobody acted on it
        with pytest.raises(KeyboardInterrupt), cancelling(lambda: None):
            pytest.fail("the answer began")
        forget_interrupt()
        with cancelling(lambda: None) as interrupt:
            assert not interrupt.happened


def test_reader_goes_away(edge_environment: dict[str, str], long_model: Path) -> None:
    process = start(edge_environment, "run", str(long_model), "hello", "--context", "200000")
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        errors = process.stderr.read()
    assert process.wait(PATIENCE) == 1
    assert errors == b""


def test_a_full_disk_is_an_error(edge_environment: dict[str, str], tiny_model: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "wb") as full:
        process = start(edge_environment, "run", str(tiny_model), "hello", stdout=full)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"No space left" in errors
