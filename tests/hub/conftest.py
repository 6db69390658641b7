"""A model of 2.5 MB to pull, and the pieces of a download."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.export.gguf_writer import GGUFWriter, Value
from edge.formats.types import ValueType
from edge.hub import Beginning, Download, Http, choose, list_models
from edge.hub.remote import read_beginning
from edge.library import parse_name
from tests.conftest import WriteModel
from tests.hub.hub_server import Hub


@pytest.fixture(scope="session")
def model_bytes(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> bytes:
    return write_model(tmp_path_factory.mktemp("remote") / "m.gguf", layers=60).read_bytes()


@pytest.fixture(scope="session")
def other_bytes(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> bytes:
    """As long, and different."""
    return write_model(tmp_path_factory.mktemp("remote") / "m.gguf", layers=60, seed=1).read_bytes()


MakeDownload = Callable[..., Download]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited before tries, none of which pass."""
    seconds: list[float] = []
    monkeypatch.setattr("edge.hub.retries.sleep", seconds.append)
    return seconds


@pytest.fixture
def download(tmp_path: Path) -> MakeDownload:
    """download(hub): of the hub's one model to tmp_path/m.gguf, its beginning read."""

    def make(hub: Hub, name: str = "me/tiny", clock: Callable[[], float] | None = None) -> Download:
        http = Http(hub.url)
        source = parse_name(name, hub.url)
        assert source is not None
        beginning: Beginning = read_beginning(http, choose(list_models(http, source), source).files[0])
        return Download(http, beginning, tmp_path / "m.gguf", model=name, clock=clock or time.monotonic)

    return make


class _TwoWriters:
    """Writes the metadata and every other tensor to the first of two parts, the rest to the second."""

    def __init__(self, path: Path) -> None:
        self.parts = [GGUFWriter(path.with_name(f"{path.stem}-{part:05d}-of-00002.gguf")) for part in (1, 2)]
        self.num_tensors = 0
        self.begun = False

    def add(self, key: str, value: Value, kind: ValueType | None = None) -> None:
        self.parts[0].add(key, value, kind)

    def add_tensor(self, *tensor: Any) -> None:
        if not self.num_tensors:
            for number, part in enumerate(self.parts):
                part.add("split.no", number)
                part.add("split.count", 2)
        self.parts[self.num_tensors % 2].add_tensor(*tensor)
        self.num_tensors += 1

    def finish(self) -> None:
        for part in self.parts:
            part.finish()


@pytest.fixture(scope="session")
def split_model(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> dict[str, bytes]:
    """A model in two files, by name."""
    folder = tmp_path_factory.mktemp("split")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[write_model.__module__], "GGUFWriter", _TwoWriters)
        write_model(folder / "tiny-Q8_0.gguf", layers=40)
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.gguf"))}
