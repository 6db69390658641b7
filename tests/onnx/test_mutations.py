"""Broken copies of an exported model: refused, or harmless to the runtime. The campaign does two thousand and more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.errors import ModelFileError
from edge.formats.onnx import open_onnx_folder
from tests.conftest import WriteModel
from tests.onnx.mutations import Opener, mutate, sound_folder

CHECKED, OPENED = 1500, 80


def test_only_model_file_errors_escape(tmp_path: Path, write_model: WriteModel) -> None:
    folder = tmp_path / "onnx"
    sound_folder(write_model(tmp_path / "model.gguf", layers=1), folder)
    content, rng, refused = (folder / "model.onnx").read_bytes(), random.Random(20260101), 0
    for _ in range(CHECKED):
        (folder / "model.onnx").write_bytes(mutate(content, rng))
        try:
            open_onnx_folder(folder)
        except ModelFileError:
            refused += 1
    assert refused > 0.7 * CHECKED  # or the mutations, or the checks, are too weak to mean anything


def test_no_process_dies(tmp_path: Path, write_model: WriteModel) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    folder = tmp_path / "onnx"
    sound_folder(write_model(tmp_path / "model.gguf", layers=1), folder)
    content, rng, opener = (folder / "model.onnx").read_bytes(), random.Random(7), Opener()
    assert opener.outcome(folder) == "ran"
    outcomes = dict.fromkeys(("refused", "refused by the runtime", "ran"), 0)
    try:
        for number in range(OPENED):
            (folder / "model.onnx").write_bytes(mutate(content, rng))
            outcome = opener.outcome(folder)
            assert outcome in outcomes, f"mutation {number}: {outcome}"
            outcomes[outcome] += 1
    finally:
        opener.close()
    assert outcomes["ran"] > 0 and outcomes["refused"] > 0.6 * OPENED
