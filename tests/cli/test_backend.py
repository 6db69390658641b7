"""--backend of the commands: llama.cpp computes, everything else is the same, and what it cannot do is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.backends.registry import BACKENDS
from tests.cli.conftest import RunEdge

if BACKENDS["llama"].missing is not None:
    pytest.skip(str(BACKENDS["llama"].missing), allow_module_level=True)

ONE = ("--backend", "llama", "--threads", "1")


def test_run_answers_and_names_what_computed(run_edge: RunEdge) -> None:
    done = run_edge("run", "Set a timer for five minutes", *ONE, "--context", "640", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "set_timer" in report["text"] and report["backend"].startswith("llama/") and report["isa"] is None
    assert report["kv_type"] == "f16" and report["threads"] == 1


def test_options_that_it_has_not_are_refused(run_edge: RunEdge) -> None:
    done = run_edge("run", "hello", *ONE, "--isa", "avx2")
    assert done.returncode == 2 and "isa is 'avx2'; the llama backend has no such option" in done.stderr
    done = run_edge("plan", *ONE, "--kv-tokens", "99")
    assert done.returncode == 2 and "a plan for the llama backend has no such option" in done.stderr
    done = run_edge("run", "hello", env={"EDGE_BACKEND": "vulkan"})
    assert done.returncode == 2 and "backend is 'vulkan'; there are native, llama, onnx and auto" in done.stderr


def test_plan(run_edge: RunEdge) -> None:
    done = run_edge("plan", *ONE, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["fits"] and report["plan"]["chunk"] == 512
    done = run_edge("plan", *ONE, "--memory", "20MiB")
    assert done.returncode == 3 and "does not fit" in done.stdout and "as large as in the file" in done.stdout


def test_bench(run_edge: RunEdge, tiny_model: Path) -> None:
    lists = ("--prompt", "20", "--decode", "4", "--depth", "0", "--rounds", "1")
    done = run_edge("bench", str(tiny_model), *ONE, *lists, "--json")
    assert done.returncode == 0, done.stderr
    load = json.loads(done.stdout)["loads"][0]
    assert load["backend"].startswith("llama/") and load["isa"] is None and load["residency"] == "memory"
