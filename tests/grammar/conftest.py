"""Models whose answers are held to a form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import edge
from edge.references import resolve


@pytest.fixture(scope="session")
def long_model(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Path:
    """Random weights that write byte by byte, with a context of 2048."""
    return write_model(tmp_path_factory.mktemp("grammar") / "long.gguf", context=2048)


@pytest.fixture(scope="session")
def random_weights(long_model: Path) -> Iterator[edge.Model]:
    with edge.load(long_model, context=2048) as model:
        yield model


@pytest.fixture(scope="session")
def bundled() -> Iterator[edge.Model]:
    with edge.load(resolve("assistant"), context=2048) as model:
        yield model
