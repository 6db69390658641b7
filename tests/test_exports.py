"""The public names of every package, pinned: a change here is a change of the interface."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import edge

EXPORTS = {
    "edge": [
        "BadModelFile",
        "Cancelled",
        "Completion",
        "DoesNotFit",
        "EdgeError",
        "Model",
        "ModelFileError",
        "NativeError",
        "NumericalError",
        "RequestError",
        "Stream",
        "TemplateError",
        "Timings",
        "Token",
        "UnsupportedModel",
        "Usage",
        "load",
    ],
    "edge.backends": ["Backend", "Batch", "Limits"],
    "edge.cli": ["main"],
    "edge.engine": ["BlockManager", "Engine", "FinishReason", "SamplingParams", "Scheduler", "Sequence"],
    "edge.formats": ["GGMLType", "GGUFFile", "TensorInfo", "ValueType", "open_gguf"],
}


def packages() -> list[str]:
    return ["edge", *(info.name for info in pkgutil.walk_packages(edge.__path__, "edge.") if info.ispkg)]


def test_every_package_is_pinned() -> None:
    assert sorted(packages()) == sorted(EXPORTS)


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_exports(name: str) -> None:
    package = importlib.import_module(name)
    assert sorted(package.__all__) == EXPORTS[name]
    for member in package.__all__:
        assert getattr(package, member) is not None
