"""Which single argument is a model and which a prompt, and what each reference means."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge
from edge.library import HubName
from edge.references import elsewhere, known_models, looks_like_model, resolve


@pytest.mark.parametrize(
    "argument",
    [
        "assistant",
        "model.gguf",
        "MODEL.GGUF",
        "folder/missing.onnx",
        "Qwen/Qwen3-0.6B-GGUF",
        "Qwen/Qwen3-0.6B-GGUF:Q4_K_M",
        "./mistyped",
        "/no/such/model",
        "~/models/x",
        "../up",
        "hf.co/Qwen/Qwen3-0.6B-GGUF",
        "https://example.com/m.gguf",
    ],
)
def test_models(argument: str) -> None:
    assert looks_like_model(argument)


@pytest.mark.parametrize(
    "argument",
    [
        "hello",
        "what is in model.gguf",
        "describe /etc",
        "Why is the sky blue?",
        "and/or either/or",
        "1/2/3",
        "a/b?",
        "",
        "-",
        "3.5",
        "yes/no!",
    ],
)
def test_prompts(argument: str) -> None:
    assert not looks_like_model(argument)


def test_an_existing_path_is_a_model_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two words").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert looks_like_model("two words")
    assert resolve("two words") == Path("two words")


@pytest.mark.parametrize("name", ["missing.gguf", "./missing", "/no/such/file.onnx"])
def test_a_mistyped_path_says_so(name: str) -> None:
    with pytest.raises(edge.ModelFileError, match="no such file") as info:
        resolve(name)
    assert info.value.exit_code == 4


@pytest.mark.parametrize("name", ["Qwen/Qwen3-0.6B-GGUF:Q8_0", "hf.co/a/b", "https://example.com/m.gguf"])
def test_models_that_are_elsewhere_are_not_fetched_unasked(name: str) -> None:
    with pytest.raises(edge.RequestError, match="not on this machine: `edge plan .* `edge pull "):
        resolve(name)


def test_names_of_pulled_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_MODELS_DIR", str(tmp_path))
    (tmp_path / "url" / "example.com").mkdir(parents=True)
    (path := tmp_path / "url" / "example.com" / "stories.gguf").write_bytes(b"x")
    assert looks_like_model("stories") and not looks_like_model("story")
    assert resolve("stories") == resolve("Example.com/Stories") == path
    assert elsewhere("stories", "https://h") is None
    assert elsewhere("story", "https://h") is None
    assert elsewhere("a/story", "https://h") == HubName("a", "story")
    assert list(known_models()) == ["assistant", "stories"]


def test_unknown_name() -> None:
    with pytest.raises(edge.RequestError, match="neither a file nor a known name"):
        resolve("asistant")


def test_folders_and_onnx_are_not_supported_yet(tmp_path: Path) -> None:
    with pytest.raises(edge.UnsupportedModel, match="folder"):
        resolve(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07")
    with pytest.raises(edge.UnsupportedModel, match="ONNX"):
        resolve(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_paths_are_errors_not_crashes(name: str) -> None:
    with pytest.raises(edge.RequestError):
        resolve(name)


def test_a_path_wins_over_a_known_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assistant").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert resolve("assistant") == Path("assistant")
