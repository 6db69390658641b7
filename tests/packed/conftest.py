"""A model of its own for each test: packed files lie beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WriteModel


@pytest.fixture
def model(tmp_path: Path, write_model: WriteModel) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return write_model(folder / "tiny.gguf")


@pytest.fixture
def packed(model: Path) -> Path:
    """Where its packed file goes; there is none yet."""
    return model.with_name("tiny.gguf.edge-packed")
