"""Models found where edge and other tools keep them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import RequestError
from edge.library import HubName, Library
from edge.library.record import Record


@pytest.fixture(autouse=True)
def no_system_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.library.others._SYSTEM_OLLAMA", Path("/none"))


def put(path: Path, content: bytes = b"12345") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def listed(library: Library) -> dict[str, tuple[str, Path, int]]:
    return {model.name: (model.tool, model.path, model.num_bytes) for model in library.models()}


def of(home: Path, **variables: str) -> Library:
    return Library.of({"HOME": str(home), "EDGE_MODELS_DIR": str(home / "own"), **variables})


def test_hugging_faces_cache(tmp_path: Path) -> None:
    hub = tmp_path / ".cache" / "huggingface" / "hub"
    repository = hub / "models--me--tiny--gguf"
    blob = put(repository / "blobs" / "abc", b"x" * 7)
    for commit in ("aaa", "bbb"):
        (snapshot := repository / "snapshots" / commit).mkdir(parents=True)
        (snapshot / "tiny-Q4_0.gguf").symlink_to(blob)
        (snapshot / "tiny-Q8_0.gguf").symlink_to(repository / "blobs" / "missing")  # was interrupted
        (snapshot / "mmproj-f16.gguf").symlink_to(blob)
    put(repository / "refs" / "main", b"aaa\n")
    put(hub / "datasets--me--data" / "snapshots" / "aaa" / "x.gguf")
    expected = {"me/tiny--gguf:Q4_0": ("Hugging Face", repository / "snapshots" / "aaa" / "tiny-Q4_0.gguf", 7)}
    assert listed(of(tmp_path)) == expected
    assert listed(of(tmp_path, HF_HOME=str(tmp_path / "elsewhere"))) == {}
    assert listed(of(Path("/none"), HF_HUB_CACHE=str(hub))) == expected


def test_ollama(tmp_path: Path) -> None:
    models = tmp_path / ".ollama" / "models"
    digest = "0" * 64
    blob = put(models / "blobs" / f"sha256-{digest}", b"x" * 9)
    put(tmp_path / "secret", b"x")

    def manifest(path: str, digest: str, kind: str = "application/vnd.ollama.image.model") -> None:
        layers = [
            {"mediaType": "application/vnd.ollama.image.license", "digest": "x"},
            {"mediaType": kind, "digest": digest},
        ]
        put(models / "manifests" / path, json.dumps({"layers": layers}).encode())

    manifest("registry.ollama.ai/library/llama3.2/1b", f"sha256:{digest}")
    manifest("registry.ollama.ai/library/llama3.2/latest", f"sha256:{digest}")
    manifest("registry.ollama.ai/me/own/q4", f"sha256:{digest}")
    manifest("registry.ollama.ai/library/evil/a", "sha256:../../../secret")
    manifest("registry.ollama.ai/library/evil/b", f"sha256:{'1' * 64}")
    manifest("registry.ollama.ai/library/evil/c", f"sha256:{digest}", "application/other")
    for index, text in enumerate([b"", b"[]", b"{", b"\xff", b'{"layers": 5}', b'{"layers": [5]}', b"[" * 100_000]):
        put(models / "manifests" / "registry.ollama.ai" / "library" / "bad" / str(index), text)
    library = of(tmp_path)
    assert set(listed(library)) == {"llama3.2:1b", "llama3.2:latest", "me/own:q4"}
    assert listed(library)["me/own:q4"] == ("Ollama", blob, 9)
    found = library.find("llama3.2")
    assert found is not None and found.name == "llama3.2:latest"


def test_lm_studio_and_llama_cpp(tmp_path: Path) -> None:
    one = put(tmp_path / ".lmstudio" / "models" / "me" / "tiny-GGUF" / "tiny-Q4_K_M.gguf")
    two = put(tmp_path / ".cache" / "llama.cpp" / "me_tiny_tiny-Q8_0.gguf")
    put(tmp_path / ".cache" / "llama.cpp" / "half.gguf.downloadInProgress")
    assert listed(of(tmp_path)) == {
        "me/tiny-GGUF:Q4_K_M": ("LM Studio", one, 5),
        "me_tiny_tiny-Q8_0": ("llama.cpp", two, 5),
    }
    library = of(tmp_path)
    for name in ("me/tiny-GGUF", "me/tiny-gguf:q4_k_m", "tiny-Q4_K_M", "me/tiny-GGUF:tiny-Q4_K_M.gguf"):
        found = library.find(name)
        assert found is not None and found.path == one
    assert listed(of(tmp_path, EDGE_OTHER_MODELS="off")) == {}
    assert set(listed(of(tmp_path, LLAMA_CACHE=str(tmp_path / "none")))) == {"me/tiny-GGUF:Q4_K_M"}


def test_pulled_models_come_first_and_parts_count_together(tmp_path: Path) -> None:
    own = tmp_path / "own" / "hub" / "me" / "tiny"
    for part in (1, 2):
        put(own / "BF16" / f"tiny-BF16-{part:05d}-of-00002.gguf", b"x" * part)
    put(own / "tiny-F32-00001-of-00002.gguf")  # its second part has not come yet
    put(own / "a-Q4_0.gguf")
    put(own / "b-Q4_0.gguf")
    put(tmp_path / ".lmstudio" / "models" / "me" / "tiny" / "tiny-BF16.gguf")
    library = of(tmp_path)
    assert [(model.name, model.tool, model.num_bytes, model.num_parts) for model in library.models()] == [
        ("me/tiny:a-Q4_0.gguf", "edge", 5, 1),
        ("me/tiny:b-Q4_0.gguf", "edge", 5, 1),
        ("me/tiny:BF16", "edge", 3, 2),
        ("me/tiny:BF16", "LM Studio", 5, 1),
    ]
    found = library.find("me/tiny:bf16")
    assert found is not None and found.tool == "edge"
    with pytest.raises(RequestError, match=r"'me/tiny:Q4_0' could be 2 models: me/tiny:a-Q4_0.gguf, me/tiny:b-"):
        library.find("me/tiny:Q4_0")
    library.remove(found)
    assert not (own / "BF16").exists() and (own / "a-Q4_0.gguf").exists()


def test_unfinished_downloads(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "url" / "example.com"
    part = put(folder / "m.gguf.part", b"x" * 10)
    Record("m", "http://example.com/m.gguf", 100, None, None, None).write(folder / "m.gguf.pull")
    put(folder / "other.gguf.part")  # of whom nobody knows what it is
    put(folder / "bad.gguf.part")
    put(folder / "bad.gguf.pull", b'{"model": 1}')
    library = of(tmp_path)
    (unfinished,) = library.unfinished()
    assert (unfinished.name, unfinished.path, unfinished.num_bytes, unfinished.size) == ("m", part, 10, 100)
    assert listed(library) == {}
    assert library.remove_unfinished(unfinished) == [part, folder / "m.gguf.pull"]


def test_no_home_is_no_error_until_something_must_lie_there() -> None:
    library = Library.of({})
    assert list(library.models()) == [] and list(library.unfinished()) == []
    with pytest.raises(RequestError, match="EDGE_MODELS_DIR"):
        library.place(HubName("a", "b"))
