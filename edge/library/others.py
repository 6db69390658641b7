"""Models that other tools have downloaded, read where they lie: Hugging Face's cache, LM Studio, llama.cpp, Ollama."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.library.found import Found, gguf_files, whole_models
from edge.library.names import quant_of

__all__ = ["found_elsewhere"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_NAME_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_MANIFEST_BYTES = 2**20
_OLLAMA_MODEL = "application/vnd.ollama.image.model"
_SYSTEM_OLLAMA = Path("/usr/share/ollama/.ollama/models")  # where its Linux service keeps them


def found_elsewhere(environment: Mapping[str, str], platform: str = sys.platform) -> Iterator[Found]:
    """Every whole model, tool by tool. A folder that is not there, or cannot be read, holds none."""
    home = Path(environment["HOME"]) if os.path.isabs(environment.get("HOME", "")) else None
    caches = _caches(environment, home, platform)

    def place(variable: str, *otherwise: Path | None) -> list[Path]:
        named = environment.get(variable, "")
        return [Path(named).expanduser()] if named else [path for path in otherwise if path is not None]

    hub = [path / "hub" for path in place("HF_HOME", None if home is None else home / ".cache" / "huggingface")]
    for folder in place("HF_HUB_CACHE", *hub):
        yield from _hugging_face(folder)
    if home is not None:
        for folder in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
            yield from _lm_studio(folder)
    for folder in place("LLAMA_CACHE", None if caches is None else caches / "llama.cpp"):
        yield from _llama_cpp(folder)
    own = None if home is None else home / ".ollama" / "models"
    for folder in place("OLLAMA_MODELS", own, _SYSTEM_OLLAMA if platform == "linux" else None):
        yield from _ollama(folder)


def _caches(environment: Mapping[str, str], home: Path | None, platform: str) -> Path | None:
    named = environment.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        return Path(named)
    return None if home is None else home / ("Library/Caches" if platform == "darwin" else ".cache")


def _hugging_face(folder: Path) -> Iterator[Found]:
    """models--OWNER--REPO/snapshots/COMMIT/FILE, a link to a blob; refs/main names the commit that counts."""
    for repository in _folders(folder):
        kind, _, rest = repository.name.partition("--")
        owner, _, name = rest.partition("--")
        if kind != "models" or not name:
            continue
        snapshots = list(_folders(repository / "snapshots"))
        main = _short_text(repository / "refs" / "main").strip()
        chosen = next((one for one in snapshots if one.name == main), snapshots[-1] if snapshots else None)
        if chosen is not None:
            yield from _of_repository(f"{owner}/{name}", chosen, "Hugging Face")


def _lm_studio(folder: Path) -> Iterator[Found]:
    for owner in _folders(folder):
        for repository in _folders(owner):
            yield from _of_repository(f"{owner.name}/{repository.name}", repository, "LM Studio")


def _of_repository(repository: str, folder: Path, tool: str) -> Iterator[Found]:
    models = list(whole_models(gguf_files(folder)))
    for path, num_bytes, num_parts in models:
        names = names_in_repository(repository, path.relative_to(folder), [other for other, _, _ in models])
        yield Found(names[0], names[1:], tool, path, num_bytes, num_parts)


def names_in_repository(repository: str, path: Path, models: list[Path]) -> tuple[str, ...]:
    """The names of a model in a repository with these models, best first: by its quantisation if no other has it."""
    quant = quant_of(path.as_posix())
    names = [f"{repository}:{path.as_posix()}", f"{repository}:{path.name}", path.name.removesuffix(".gguf")]
    if quant is not None:
        alike = [model for model in models if quant_of(model.name) == quant]
        names.insert(0 if len(alike) <= 1 else len(names), f"{repository}:{quant}")
    if len(models) == 1:
        names.append(repository)
    return tuple(dict.fromkeys(names))


def _llama_cpp(folder: Path) -> Iterator[Found]:
    """OWNER_REPO_FILE.gguf, all in one folder."""
    for path, num_bytes, num_parts in whole_models(gguf_files(folder)):
        yield Found(path.name.removesuffix(".gguf"), (path.name,), "llama.cpp", path, num_bytes, num_parts)


def _ollama(folder: Path) -> Iterator[Found]:
    """manifests/REGISTRY/NAMESPACE/NAME/TAG names the blob by its digest; nothing else in it is believed."""
    for registry in _folders(folder / "manifests"):
        for namespace in _folders(registry):
            for model in _folders(namespace):
                for tag in sorted(_entries(model)):
                    path = _ollama_blob(folder, model / tag)
                    if path is None or not all(_NAME_PART.fullmatch(part) for part in (model.name, tag)):
                        continue
                    owner = "" if namespace.name == "library" else f"{namespace.name}/"
                    name = f"{owner}{model.name}:{tag}"
                    aliases = (f"{owner}{model.name}",) if tag == "latest" else ()
                    yield Found(name, aliases, "Ollama", path, path.stat().st_size)


def _ollama_blob(folder: Path, manifest: Path) -> Path | None:
    try:
        document: Any = json.loads(_short_text(manifest))
        layers = document["layers"]
        digest = next(layer["digest"] for layer in layers if layer["mediaType"] == _OLLAMA_MODEL)
        match = _DIGEST.fullmatch(digest)
    except (ValueError, TypeError, KeyError, RecursionError, StopIteration):
        return None
    path = None if match is None else folder / "blobs" / f"sha256-{match[1]}"
    return path if path is not None and path.is_file() else None


def _folders(folder: Path) -> Iterator[Path]:
    for name in sorted(_entries(folder)):
        path = folder / name
        if not name.startswith(".") and path.is_dir():
            yield path


def _entries(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _short_text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_MANIFEST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
