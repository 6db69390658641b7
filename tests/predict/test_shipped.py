"""Every shipped machine can be planned for on this one, and nothing is claimed that its profile does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.formats.gguf import open_gguf
from edge.loading import workload
from edge.memory import Budget, Settings, compiled_for
from edge.predict import Prediction, Question, predict_speed
from edge.profiles import shipped
from edge.tuning import Asked
from edge.tuning.board import Board

# What bounds a token, in GB/s: reads with the threads that are chosen, or else the data sheet; None: neither is there.
LIMITS = {
    "intel-core-ultra-7-155u": None,
    "intel-n150": 38.4,
    "jetson-orin-nano": 68.0,
    "laptop-avx-vnni": 41.6,
    "laptop-zen4": 89.6,
    "raspberry-pi-4": None,
    "raspberry-pi-5": 13.23,
    "rk3588": 34.136,
    "snapdragon-8-gen-3": None,
}


def prediction_for(name: str, model: Path) -> Prediction:
    board = Board.of(name)
    with open_gguf(model) as file:
        choice = board.choose(Asked(), workload(file), 0)
        settings = Settings(chunk=choice.chunk, num_threads=choice.prefill_threads)
        compiled = compiled_for(file, settings)
    return predict_speed(board.profile, board.source, Question.of(compiled, choice, board.levels, kv_type="f16"))


def test_all_of_them_are_here() -> None:
    assert set(LIMITS) == set(shipped())


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_shipped_machine_is_predicted_as_a_limit_or_not_at_all(name: str, tiny_model: Path) -> None:
    """178 tiles of 544 bytes; KV is read too where reads were measured: 33 positions of 256 bytes."""
    found, limit = prediction_for(name, tiny_model), LIMITS[name]
    assert found.missing
    assert found.prefill is None
    if limit is None:
        assert found.decode is None
        return
    assert found.decode is not None and found.decode.at_most
    kv = 33 * 256 if name == "raspberry-pi-5" else 0
    assert found.decode.tok_s == pytest.approx(1e9 * limit / (178 * 544 + kv))


def test_a_board_of_known_memory_has_a_budget() -> None:
    board = Board.of("jetson-orin-nano")
    budget = Budget.of_device(None, board.memory_bytes, board.name)
    assert budget == Budget(7301444403, "85% of the memory of NVIDIA Jetson Orin Nano 8GB")
