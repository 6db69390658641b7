"""Names and folders of packed files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import RequestError
from edge.packed import CacheOptions
from edge.packed.options import flag_from
from edge.packed.places import packed_places, user_cache_folder


def test_beside_the_model_first() -> None:
    beside, cached = packed_places(Path("/models/a b.gguf"), None, Path("/home/me/.cache/edge"))
    assert beside == Path("/models/a b.gguf.edge-packed")
    assert cached.parent == Path("/home/me/.cache/edge/packed")
    assert cached.name.startswith("a_b-") and cached.suffix == ".gguf"
    assert packed_places(Path("/models/a b.gguf"), None, None) == (beside,)
    assert packed_places(Path("/models/a b.gguf"), Path("/c"), Path("/u")) == (Path("/c/packed") / cached.name,)


def test_nothing_is_put_into_another_tools_store() -> None:
    for model in (
        Path("/h/.cache/huggingface/hub/models--me--tiny/snapshots/0f/sub/m.gguf"),
        Path(f"/h/.ollama/models/blobs/sha256-{'0' * 64}"),
    ):
        (only,) = packed_places(model, None, Path("/u"))
        assert only.parent == Path("/u/packed")
    assert len(packed_places(Path("/h/snapshots/m.gguf"), None, Path("/u"))) == 2


def test_names_in_a_shared_folder_tell_paths_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def name(path: str) -> str:
        return packed_places(Path(path), Path("/c"), None)[0].name

    assert name("/a/m.gguf") != name("/b/m.gguf")
    assert name("/a/../a/m.gguf") == name("/a/m.gguf")
    monkeypatch.chdir(tmp_path)
    assert name("m.gguf") == name(str(tmp_path / "m.gguf"))
    assert len(name("/" + "x" * 250 + ".gguf")) < 100
    assert "/" not in name("/a/é\udcff\n.gguf")


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"HOME": "/home/me"}, "linux", "/home/me/.cache/edge"),
        ({"HOME": "/Users/me"}, "darwin", "/Users/me/Library/Caches/edge"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/tmp/c"}, "linux", "/tmp/c/edge"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "linux", "/home/me/.cache/edge"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": ""}, "linux", "/home/me/.cache/edge"),
        ({}, "linux", None),
        ({"HOME": "here"}, "linux", None),
    ],
)
def test_user_cache_folder(environment: dict[str, str], platform: str, expected: str | None) -> None:
    assert user_cache_folder(environment, platform) == (None if expected is None else Path(expected))


def test_flags() -> None:
    for value in ("1", "true", "YES", "on", "anything"):
        assert flag_from({"X": value}, "X"), value
    for value in ("", "0", "false", "No", "off", " "):
        assert not flag_from({"X": value}, "X"), value
    assert not flag_from({}, "X")


def test_an_unknown_residency_is_refused() -> None:
    with pytest.raises(RequestError, match="residency is 'both'; it must be one of mapped, owned"):
        CacheOptions(residency="both")
