"""Turns, medians and ratios beside llama.cpp, from times that are given; and llama.cpp itself where it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.bench import StepBytes
from scripts.compare_speed import Side, figures, is_busy, model_file, shallow_cases, take_turns
from scripts.llama_peer import LlamaPeer
from scripts.random_model import write

ROOT = Path(__file__).resolve().parents[2]


class FakeSide:
    """Writes what it is asked for to a log that both sides share."""

    def __init__(self, name: str, log: list[str], speed: float) -> None:
        self._name, self._log, self._speed = name, log, speed

    def prefill(self, num_tokens: int, depth: int) -> float:
        self._log.append(f"{self._name} prefill {num_tokens} at {depth}")
        return num_tokens / self._speed / 10

    def decode(self, num_tokens: int, depth: int) -> list[float]:
        self._log.append(f"{self._name} decode {num_tokens} at {depth}")
        return [1 / self._speed] * num_tokens

    def step(self, num_tokens: int, depth: int) -> float:
        return (1 + num_tokens / 4) / self._speed


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    log: list[str] = []
    sides: dict[str, Side] = {"edge": FakeSide("a", log, 20), "llama.cpp": FakeSide("b", log, 10)}

    def prefill_only(side: Side) -> Iterator[tuple[str, list[float]]]:
        yield "prefill", [side.prefill(8, 0)]

    samples = take_turns(sides, prefill_only, 2, lambda: log.append("bandwidth"))
    a, b = "a prefill 8 at 0", "b prefill 8 at 0"
    assert log == [a, b, "bandwidth", a, b, "bandwidth", a, b]
    assert len(samples["edge"]["prefill"]) == len(samples["llama.cpp"]["prefill"]) == 2


def test_figures_are_medians_and_ratios() -> None:
    sides: dict[str, Side] = {"edge": FakeSide("a", [], 20), "llama.cpp": FakeSide("b", [], 10)}
    samples = take_turns(sides, shallow_cases, 3, lambda: None)
    samples["edge"]["decode"][:5] = [100.0] * 5  # outliers
    result = figures(samples, 1e6, StepBytes(matrices=40_000, kv_per_position=0), deep=0)
    assert result["edge"]["decode_tok_s"] == pytest.approx(20)
    assert result["edge"]["prefill_tok_s"] == pytest.approx(200)
    assert result["ratio"] == {"decode_tok_s": pytest.approx(2), "prefill_tok_s": pytest.approx(2)}
    assert result["edge"]["step_4_cost"] == pytest.approx(2 / 1.25)
    assert result["llama.cpp"]["step_8_cost"] == pytest.approx(3 / 1.25)
    assert result["share"] == {"decode": pytest.approx(0.8)}
    assert result["edge"]["decode_spread"] == 0
    samples["llama.cpp"]["decode"][::3] = [0.2] * 32  # a third took twice as long
    busy = figures(samples, 1e6, StepBytes(matrices=40_000, kv_per_position=0), deep=0)
    assert not is_busy(result) and is_busy(busy)
    assert result["limit_tok_s"] == pytest.approx(25)


def test_a_deep_decode_is_held_against_the_kv_of_its_depth() -> None:
    samples = {
        side: {
            "prefill": [1.0],
            "decode": [0.1] * 4,
            "step 1": [1.0],
            "step 4": [1.0],
            "step 8": [1.0],
            "deep decode": [0.2],
        }
        for side in ("edge", "llama.cpp")
    }
    result = figures(samples, 1e6, StepBytes(0, 10), deep=1000)
    assert result["share"]["deep_decode"] == pytest.approx(10 * 1016.5 * 5 / 1e6)
    assert result["ratio"]["deep_decode_tok_s"] == 1


def test_models_that_are_not_files(tmp_path: Path) -> None:
    assert model_file("some/model.gguf", tmp_path) == Path("some/model.gguf")
    made = model_file("tiny:Q8_0", tmp_path)
    assert made == tmp_path / "tiny-Q8_0.gguf" and made.stat().st_size > 1_000_000
    for wrong, message in (("huge:Q8_0", "no shape is called huge"), ("tiny:Q8_X", "'Q8_X' is no type")):
        with pytest.raises(SystemExit, match=message):
            model_file(wrong, tmp_path)


def test_a_child_that_ends_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="ended with exit code 1"):
        LlamaPeer(tmp_path / "missing.gguf", 512)
    capfd.readouterr()  # what the child said


def test_beside_llama_cpp(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", exc_type=ImportError)
    write("tiny", "Q4_0", tmp_path / "m.gguf")
    output = tmp_path / "speed.json"
    run = subprocess.run(
        [sys.executable, "-m", "scripts.compare_speed", str(tmp_path / "m.gguf"), "--threads", "1", "--rounds", "1",
         "--deep", "600", "--output", str(output)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "decode at 600" in run.stdout
    results = json.loads(output.read_text())
    (row,) = results["rows"]
    assert results["llama.cpp"]["version"].startswith("llama-cpp-python ")
    assert row["ratio"].keys() == {"prefill_tok_s", "decode_tok_s", "deep_decode_tok_s"}
    assert all(value >= 0 for value in (*row["edge"].values(), *row["llama.cpp"].values()))
