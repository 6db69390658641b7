"""The header by range: as much as it takes, checked as if the file were here."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from edge.errors import BadModelFile, DownloadError
from edge.export.gguf_writer import GGUFWriter
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.hub import Http, RemoteModel, choose, list_models, open_remote
from edge.library import HubName
from tests.hub.hub_server import Behaviour, Hub, serving

NAME = HubName("me", "tiny")


def only(http: Http) -> RemoteModel:
    return choose(list_models(http, NAME), NAME)


@pytest.fixture(scope="module")
def long_header(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two MiB of metadata, rope factors at its end, and a matrix of eight MiB."""
    path = tmp_path_factory.mktemp("long") / "m.gguf"
    writer = GGUFWriter(path)
    writer.add("general.architecture", "llama")
    writer.add("tokenizer.ggml.tokens", [f"token {index:08d}" for index in range(90_000)])
    writer.add_tensor("token_embd.weight", GGMLType.F32, (2048, 1024), bytes(2048 * 1024 * 4))
    writer.add_tensor("rope_freqs.weight", GGMLType.F32, (4,), struct.pack("<4f", 1, 2, 3, 4))
    writer.finish()
    return path.read_bytes()


@pytest.mark.parametrize("ranges", [True, False])
def test_only_the_header_is_read_and_small_tensors_that_plans_need(long_header: bytes, ranges: bool) -> None:
    with serving(Hub({"m.gguf": long_header}, Behaviour(ranges=ranges))) as hub:
        http = Http(hub.url)
        with open_remote(http, only(http)) as (file, (beginning,)):
            assert len(file.get_strings("tokenizer.ggml.tokens")) == 90_000
            assert file.file_size == len(long_header)
            assert file.tensor_data("rope_freqs.weight") == struct.pack("<4f", 1, 2, 3, 4)
            assert beginning.data == long_header[: 4 * 2**20]
            place = file.path
        assert not place.parent.exists()
        if ranges:
            assert hub.sent_bytes == 4 * 2**20 + 16


def test_the_real_size_counts(model_bytes: bytes) -> None:
    """A file that ends before its tensors do is refused before it is downloaded, under its own name."""
    with serving(Hub({"m.gguf": model_bytes[:-1000]})) as hub:
        http = Http(hub.url)
        with pytest.raises(BadModelFile, match="m.gguf: byte .* tensor 'blk.59"):
            with open_remote(http, only(http)):
                pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>" + b" " * 3_000_000, "web page"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**40, 5) + bytes(3_000_000), "tensor count"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 2**62) + bytes(60_000_000), "key 0 of 1"),
    ],
)
def test_bad_headers_cost_little(content: bytes, message: str) -> None:
    with serving(Hub({"m.gguf": content})) as hub:
        http = Http(hub.url)
        with pytest.raises(BadModelFile, match=message):
            with open_remote(http, only(http)):
                pass
        assert hub.sent_bytes <= 20 * 2**20


def test_a_header_that_is_longer_than_any_is_refused(monkeypatch: pytest.MonkeyPatch, long_header: bytes) -> None:
    for module in ("edge.hub.remote", "edge.formats.cursor"):
        monkeypatch.setattr(f"{module}.MAX_HEADER_BYTES", 2**20)
    with serving(Hub({"m.gguf": long_header})) as hub:
        http = Http(hub.url)
        with pytest.raises(BadModelFile, match="bytes that metadata may take"):
            with open_remote(http, only(http)):
                pass
        assert hub.sent_bytes <= 2**21


def test_a_cut_while_the_header_is_read(model_bytes: bytes, waits: list[float]) -> None:
    with serving(Hub({"m.gguf": model_bytes}, Behaviour(cuts=2, cut_after=5000))) as hub:
        http = Http(hub.url)
        with open_remote(http, only(http)) as (file, _):
            assert file.get_str("general.name") == "tiny"
        assert len(waits) == 2


def test_servers_that_do_not_say_the_length_or_another_one(model_bytes: bytes) -> None:
    with serving(Hub({"m.gguf": model_bytes}, Behaviour(ranges=False, no_length=True))) as hub:
        http = Http(hub.url)
        with pytest.raises(DownloadError, match="does not say how long"):
            with open_remote(http, only(http)):
                pass
    with serving(Hub({"m.gguf": model_bytes})) as hub:
        http = Http(hub.url)
        model = only(http)
        hub.files["m.gguf"] = model_bytes[:-5]
        with pytest.raises(DownloadError, match="the list of files says"):
            with open_remote(http, model):
                pass


def test_parts_of_a_model(split_model: dict[str, bytes], tmp_path: Path) -> None:
    with serving(Hub(split_model)) as hub:
        http = Http(hub.url)
        with open_remote(http, only(http)) as (file, beginnings):
            names = set(file.tensors)
            assert len(file.parts) == len(beginnings) == 2
    for name, content in split_model.items():
        (tmp_path / name).write_bytes(content)
    with open_gguf(tmp_path / next(iter(split_model))) as here:
        assert set(here.tensors) == names
