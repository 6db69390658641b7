"""A tiny Q8_0 model with two adapters of all its matrices, and one that is invoked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from edge.formats import open_gguf
from tests.adapters.made import adaptable, random_pairs, write_adapter

INVOCATION = (33, 34, 33)


class Files(NamedTuple):
    model: Path
    adapters: dict[str, Path]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Files:
    folder = tmp_path_factory.mktemp("adapters")
    with open_gguf(tiny_model) as file:
        shapes = adaptable({name: info.shape for name, info in file.tensors.items()})
    return Files(
        tiny_model,
        {
            "terse": write_adapter(folder / "terse.gguf", random_pairs(shapes, (4, 9), seed=1)),
            "kind": write_adapter(folder / "kind.gguf", random_pairs(shapes, (16,), seed=2)),
            "judge": write_adapter(folder / "judge.gguf", random_pairs(shapes, seed=3), invocation=INVOCATION),
        },
    )
