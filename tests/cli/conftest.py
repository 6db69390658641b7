"""Runs the command as users do: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from tests.hub.conftest import model_bytes as model_bytes  # fixtures of `pull`
from tests.hub.conftest import split_model as split_model

ROOT = Path(__file__).resolve().parents[2]


class RunEdge(Protocol):
    """Runs `edge ARGS` and waits for it. env: EDGE_* variables; none is inherited."""

    def __call__(
        self, *args: str, input: bytes = ..., env: dict[str, str] | None = ..., cwd: Path | None = ...
    ) -> subprocess.CompletedProcess[str]: ...


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without EDGE_*, so that a setting of the tester cannot change a test; nor can a probe
    of this machine, or a profile, sessions and prepared prompts that the tester saved."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
    # The package may be installed or only lie in the checkout.
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    own = {"PYTHONPATH": path, "EDGE_PROFILE": "off", "EDGE_SESSIONS_DIR": "/dev/null/sessions"}
    own |= {"EDGE_CHAT_HISTORY": "off", "EDGE_MODELS_DIR": "/dev/null/models", "EDGE_OTHER_MODELS": "off"}
    return kept | own | (extra or {})


def _run(
    *args: str, input: bytes = b"", env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "edge", *args], input=input, capture_output=True, env=environment(env), cwd=cwd
    )
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


@pytest.fixture(scope="session")
def run_edge() -> RunEdge:
    return _run


@pytest.fixture(scope="session")
def edge_environment() -> dict[str, str]:
    return environment()
