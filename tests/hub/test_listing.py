"""Which files of a repository are models, which is taken, and lists that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.errors import DownloadError, RequestError
from edge.hub import Http, RemoteModel, choose, list_models
from edge.library import HubName
from tests.hub.hub_server import COMMIT, Behaviour, Hub, serving

NAMES = (
    "tiny-Q8_0.gguf",
    "tiny-q4_k_m.gguf",
    "tiny.Q2_K.gguf",
    "mmproj-tiny-f16.gguf",
    "tiny.imatrix.gguf",
    "BF16/tiny-BF16-00001-of-00002.gguf",
    "BF16/tiny-BF16-00002-of-00002.gguf",
    "tiny-F32-00001-of-00003.gguf",  # two parts are missing
    "UD/tiny-UD-IQ2_XXS.gguf",
    "tiny.safetensors",
)


def models_of(*names: str) -> tuple[RemoteModel, ...]:
    files = {name: b"x" * (1000 + index) for index, name in enumerate(names)}
    with serving(Hub(files)) as hub:
        return list_models(Http(hub.url), HubName("me", "tiny"))


def test_models_are_files_or_all_their_parts() -> None:
    models = models_of(*NAMES)
    assert {model.name for model in models} == {
        "me/tiny:Q8_0", "me/tiny:Q4_K_M", "me/tiny:Q2_K", "me/tiny:BF16", "me/tiny:UD-IQ2_XXS",
    }  # fmt: skip
    split = next(model for model in models if model.quant == "BF16")
    assert [file.path.name[-19:] for file in split.files] == ["-00001-of-00002.gguf"[1:], "-00002-of-00002.gguf"[1:]]
    assert split.size == 1005 + 1006
    assert all(f"/me/tiny/resolve/{COMMIT}/" in file.url for model in models for file in model.files)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "me/tiny:Q4_K_M"),
        ("q8_0", "me/tiny:Q8_0"),
        ("Q2_K", "me/tiny:Q2_K"),
        ("tiny-Q8_0.gguf", "me/tiny:Q8_0"),
        ("tiny-q8_0", "me/tiny:Q8_0"),
        ("IQ2_XXS", "me/tiny:UD-IQ2_XXS"),
        ("BF16/tiny-BF16-00001-of-00002.gguf", "me/tiny:BF16"),
    ],
)
def test_what_is_taken(wanted: str | None, name: str) -> None:
    assert choose(models_of(*NAMES), HubName("me", "tiny", wanted)).name == name


def test_what_is_not_there_is_an_error_that_lists_what_is() -> None:
    with pytest.raises(RequestError, match="has no Q3_K; it has .*Q4_K_M"):
        choose(models_of(*NAMES), HubName("me", "tiny", "Q3_K"))
    with pytest.raises(RequestError, match="could be 2 models: a-Q4_0.gguf, b-Q4_0.gguf"):
        choose(models_of("a-Q4_0.gguf", "b-Q4_0.gguf"), HubName("me", "tiny", "Q4_0"))
    with pytest.raises(RequestError, match="no GGUF model"):
        models_of("model.safetensors")


@pytest.mark.parametrize(
    "name",
    ["../evil.gguf", "/etc/evil.gguf", "a/../../evil.gguf", "a//b.gguf", ".hidden.gguf", "a\\b.gguf", "a\nb.gguf",
     "a/b/c/d/e.gguf", "x" * 300 + ".gguf", "~/x.gguf", "\u202egguf.exe.gguf", "a\x00.gguf", "-rf.gguf"],
)  # fmt: skip
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="it must be up to 4 parts"):
        models_of("good-Q4_0.gguf", name)


def entry(**changes: Any) -> bytes:
    sibling = {"rfilename": "a.gguf", "size": 5, "lfs": {"size": 5, "sha256": "0" * 64}} | changes
    return json.dumps({"sha": COMMIT, "siblings": [sibling]}).encode()


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"<html>", b"[" * 100_000,
        json.dumps({"siblings": []}).encode(),
        json.dumps({"sha": "../..", "siblings": []}).encode(),
        json.dumps({"sha": COMMIT, "siblings": {}}).encode(),
        json.dumps({"sha": COMMIT, "siblings": [1]}).encode(),
        entry(rfilename=None),
        entry(lfs={"size": -1}),
        entry(lfs={"size": 2**60}),
        entry(lfs={"size": True}),
        entry(lfs={"size": "5"}),
        entry(lfs={"size": 5, "sha256": "../x"}),
        entry(lfs={"size": 5, "sha256": 5}),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_are_refused(document: bytes) -> None:
    with serving(Hub({}, Behaviour(document=document))) as hub:
        with pytest.raises(DownloadError, match="the list of files of me/tiny"):
            list_models(Http(hub.url), HubName("me", "tiny"))
